/* SPDX-License-Identifier: ISC
 *
 * host/ctl_int.h: what the files of the commands share.
 */
#ifndef POSTERN_HOST_CTL_INT_H
#define POSTERN_HOST_CTL_INT_H

#include "host/ctl.h"
#include "role/look.h"
#include "role/once.h"

enum { CTL_WORDS_MOST = 38, CTL_WAIT_MS = 120 * 1000 };

/* -h, --help; -c, --config. */
bool ctl_is_help(const char *word);
bool ctl_is_conf(const char *word);
/* The words of a command without `-c FILE`, which goes to *ret_conf_path (NULL when not given).
   False: said on standard error. */
MUST_USE bool ctl_words(int argc, char **argv, struct bytes ret_words[static CTL_WORDS_MOST],
                        size_t *ret_n, const char **ret_conf_path);

/* Say that the command has no such word or option. EX_USAGE. */
int ctl_unknown(const char *command, const char *word);

/* Read the configuration, or say why not on standard error and return the exit status. */
MUST_USE int ctl_conf(const char *path, struct conf_file *ret_file);

/* Print all of the buffer; what could not be held is said on standard error. */
void ctl_print(FILE *to, const struct buffer *text);
/* Say on standard error what is wrong with the words, and give the buffer back: EX_USAGE. */
int ctl_usage(struct buffer *flaw);
/* After the last output: `status`, or EX_IOERR when not all of it could be written. */
int ctl_end(int status);

/* Connect to a unix socket; -1 and errno. */
MUST_USE int ctl_connect(struct bytes path);
/* All of it into a connected socket; false: the other side takes no more. */
bool ctl_send(int fd, struct bytes octets);
/* Ask the server: send the words, copy the answer to `out` and `err`. Returns its exit status. */
int ctl_ask(int fd, const struct bytes *words, size_t n, FILE *out, FILE *err);

/* The same where the server holds something for us: `held` is called with the first that it says,
   and returns 0, or an exit status to end with; then the server is told that it may let go, and its
   exit status counts. */
int ctl_ask_held(int fd, const struct bytes *words, size_t n, void *of,
                 int (*held)(void *of, const char *text));
/* postern store backup. */
int ctl_backup(const struct conf *conf, const char *name);

/* Answer from the files below the spool, while no server runs. */
int ctl_offline(const struct conf *conf, const struct once_request *request, FILE *out, FILE *err);

/* Where a look reads and writes. */
struct ctl_place {
    struct bytes spool;
    bool hold;              /* no server may start before the look ends */
    int into;               /* the folder for the files it writes; -1: it writes none */
    FILE *out, *err;
};
/* Take a look to its end, unless a server holds the spool. Frees the look. Its exit status. */
int ctl_look(const struct ctl_place *place, struct look *look);

#endif
