/* SPDX-License-Identifier: ISC */
#include "host/ctl_int.h"

#include "base/safe.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

bool ctl_is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

bool ctl_is_conf(const char *word)
{
    return strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0;
}

bool ctl_words(int argc, char **argv, struct bytes ret_words[static CTL_WORDS_MOST], size_t *ret_n,
               const char **ret_conf_path)
{
    size_t n = 0;

    *ret_conf_path = NULL;
    for (int i = 0; i < argc; i++) {
        if (i > 0 && ctl_is_conf(argv[i])) {
            if (++i == argc) {
                fputs("postern: -c wants the name of a file\n", stderr);
                return false;
            }
            *ret_conf_path = argv[i];
        } else if (n == CTL_WORDS_MOST) {
            fputs("postern: these are too many words; see --help\n", stderr);
            return false;
        } else {
            ret_words[n++] = bytes_of(argv[i]);
        }
    }
    *ret_n = n;
    return true;
}

int ctl_unknown(const char *command, const char *word)
{
    struct buffer words = buffer_with_most(4096);

    buffer_put(&words, BYTES("postern: "));
    buffer_put_text(&words, command);
    buffer_put(&words, BYTES(" does not know \""));
    safe_put(&words, bytes_first(bytes_of(word), 200));
    buffer_put(&words, BYTES("\"; see --help\n"));
    ctl_print(stderr, &words);
    buffer_done(&words);
    return EX_USAGE;
}

int ctl_conf(const char *path, struct conf_file *ret_file)
{
    struct buffer words = buffer_with_most(16 * 1024);
    int status = conf_file_read(path, ret_file, &words);

    ctl_print(stderr, &words);
    buffer_done(&words);
    return status;
}

void ctl_print(FILE *to, const struct buffer *text)
{
    if (text->n > 0)                    /* nothing was ever put: there is no memory to name */
        fwrite(text->at, 1, text->n, to);
    if (text->bad)
        fputs("postern: a part of the answer is too long and was left out\n", stderr);
}

int ctl_usage(struct buffer *flaw)
{
    fputs("postern: ", stderr);
    ctl_print(stderr, flaw);
    buffer_done(flaw);
    return EX_USAGE;
}

int ctl_end(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "postern: standard output: %s\n", strerror(errno));
    return EX_IOERR;
}
