/* SPDX-License-Identifier: ISC
 *
 * Copies a manual page and puts, in place of the line .\" SETTINGS, an entry for each row of
 * plan/conf.def, so that the manual can miss no setting.
 *
 *   usage: conf-manual PAGE.in > PAGE
 */
#include "plan/conf.h"

#include <stdio.h>
#include <string.h>

/* One sentence a line, as mdoc wants it; a dot at the front of a line would be a request. */
static void put_sentences(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (at[0] == '\\') {
            fputs("\\e", stdout);
        } else if (at[0] == ' ' && at > text && (at[-1] == '.' || at[-1] == ':')) {
            putchar(at[-1] == '.' ? '\n' : ' ');
        } else {
            putchar(at[0]);
        }
    }
    putchar('\n');
}

static void put_setting(size_t i, const struct conf_about *about)
{
    struct buffer bounds = buffer_with_most(128);

    conf_put_bounds(&bounds, i);
    printf(".It Ic %s Ar %s\n", about->word, about->value);
    put_sentences(about->about);
    if (bounds.n > 0)
        printf("The value is %.*s.\n", (int)bounds.n, bounds.at);
    if (about->needed)
        fputs("Needed.\n", stdout);
    else if (about->preset[0] != '\0')
        printf("The default is\n.Ql %s .\n", about->preset);
    buffer_done(&bounds);
}

int main(int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;
    struct conf_about about;
    char line[1024];

    if (in == NULL) {
        fputs("usage: conf-manual PAGE.in\n", stderr);
        return 64;
    }
    while (fgets(line, sizeof(line), in) != NULL) {
        if (strcmp(line, ".\\\" SETTINGS\n") != 0)
            fputs(line, stdout);
        else
            for (size_t i = 0; conf_about(i, &about); i++)
                put_setting(i, &about);
    }
    fclose(in);
    return fflush(stdout) == 0 ? 0 : 74;
}
