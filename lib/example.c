/* SPDX-License-Identifier: ISC
 *
 * An example for libpostern: reads what came back from standard input, and says of each recipient
 * what happened.
 *
 *     cc example.c $(pkg-config --cflags --libs postern) -o example
 *     ./example <bounce.eml
 */
#include <postern.h>

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    enum { MOST = 4 << 20 };
    static char message[MOST];
    size_t n = fread(message, 1, sizeof(message), stdin);
    struct postern *postern = postern_new();

    if (postern == NULL) {
        fputs("there is no memory\n", stderr);
        return EXIT_FAILURE;
    }
    postern_set_language(postern, getenv("LANG"));
    int recipients = postern_read(postern, message, n);
    printf("%s\n", postern_kind(postern));
    for (size_t i = 0; i < (size_t)recipients; i++) {
        printf("%s: ", postern_field(postern, i, POSTERN_CATEGORY));
        printf("%s\n", postern_field(postern, i, POSTERN_HEADLINE));
        if (postern_answer(postern, i, POSTERN_ADDRESS_BAD) == 1)
            puts("  do not write to this address again");
    }
    const char *text = postern_show(postern, POSTERN_TEXT, NULL);
    if (text != NULL)
        printf("\n%s", text);
    postern_free(postern);
    return EXIT_SUCCESS;
}
