/* SPDX-License-Identifier: ISC
 *
 * host/command.h: what `postern WORD ...` runs. A command is a row in host/main.c.
 *
 * A command gets its own word as argv[0], reads what follows, and returns an exit status of
 * sysexits.h.
 */
#ifndef POSTERN_HOST_COMMAND_H
#define POSTERN_HOST_COMMAND_H

struct command {
    const char *word;
    int (*run)(int argc, char **argv);
    const char *says;           /* one line for --help */
};

/* host/serve.c: postern serve [--one-process] [-c FILE]. */
int serve_run(int argc, char **argv);

/* The file a command reads when no -c is given. */
#define COMMAND_CONF_FILE "/etc/postern/postern.conf"

#endif
