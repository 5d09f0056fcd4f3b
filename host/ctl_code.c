/* SPDX-License-Identifier: ISC
 *
 * postern code: no server, no file, only the terminal.
 */
#include "host/ctl_int.h"

#include "role/once.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MOST = 4 << 20, FLAW_MOST = 64 << 10 };

/* Colours are for people at a terminal who did not say no (no-color.org). */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0')
        && (term == NULL || strcmp(term, "dumb") != 0);
}

static void print_flaws(const struct buffer *flaws)
{
    struct bytes rest = buffer_bytes(flaws), flaw;

    while (bytes_cut(&rest, '\n', &flaw))
        fprintf(stderr, "postern: %.*s\n", (int)flaw.n, flaw.at);
}

int ctl_code_run(int argc, char **argv)
{
    struct buffer answer = buffer_with_most(ANSWER_MOST), flaw = buffer_with_most(FLAW_MOST);
    struct bytes words[CTL_WORDS_MOST];
    size_t n = 0;

    while (n < (size_t)argc && n < CTL_WORDS_MOST) {
        words[n] = bytes_of(argv[n]);
        n++;
    }
    if (n < (size_t)argc)
        return ctl_unknown("code", argv[n]);
    int status = (int)once_code(words, n, wants_colour(), &answer, &flaw);
    ctl_print(stdout, &answer);
    print_flaws(&flaw);
    buffer_done(&answer);
    buffer_done(&flaw);
    return ctl_end(status);
}
