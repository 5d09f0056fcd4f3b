/* SPDX-License-Identifier: ISC */
#include "host/command.h"

#include "host/conf_file.h"
#include "host/notify.h"
#include "host/process.h"
#include "host/signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

enum { WORDS_MOST = 64 * 1024, FILES_MOST = 1 << 17 };

static const char usage[] =
    "usage: postern serve [--one-process] [-c FILE]\n"
    "\n"
    "Receive mail, keep it safe, deliver it. Stays in the foreground; SIGTERM or SIGINT end it\n"
    "cleanly, SIGHUP opens the log file anew and reloads (see postern reload).\n"
    "\n"
    "  -c, --config FILE   the configuration; else " COMMAND_CONF_FILE "\n"
    "      --one-process   all roles in one process, for development\n"
    "  -h, --help          this text\n";

struct wanted {
    const char *file;
    bool together, help;
};

/* 0, or EX_USAGE. */
static int read_arguments(int argc, char **argv, struct wanted *ret_wanted)
{
    struct wanted wanted = { 0 };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--one-process") == 0) {
            wanted.together = true;
        } else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            wanted.help = true;
        } else if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0)
                   && i + 1 < argc) {
            wanted.file = argv[++i];
        } else {
            fputs(usage, stderr);
            return EX_USAGE;
        }
    }
    *ret_wanted = wanted;
    return 0;
}

static void say(const struct buffer *words)
{
    (void)!write(STDERR_FILENO, buffer_bytes(words).at, words->n);
}

/* As many descriptors as we are allowed: each client takes one. */
static void raise_descriptors(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = files.rlim_max < FILES_MOST ? files.rlim_max : FILES_MOST;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

/* It listens; whoever comes now is heard, at the latest when the roles stand. */
static void on_began(void *of, struct loop *loop)
{
    (void)of, (void)loop;
    notify_send("READY=1");
}

/* Takes the file over; a reload puts another in its place. */
static int serve_here(struct conf_file *file, const struct wanted *wanted, struct buffer *words)
{
    const struct conf *conf = &file->conf;
    struct log_sink *log = log_sink_new(conf->log);
    struct estate *estate = mem_new(sizeof(*estate));
    int status = EX_OSERR;

    if (log == NULL) {
        status = EX_CANTCREAT;
        buffer_put(words, BYTES("postern: log "));
        buffer_put(words, conf->log);
        buffer_put(words, BYTES(": "));
        buffer_put_text(words, strerrordesc_np(errno));
        buffer_put_char(words, '\n');
    } else if (estate != NULL) {
        status = estate_open(estate, conf, log, words);
    }
    say(words);
    if (log != NULL && estate != NULL && status == 0) {
        estate->file = file;
        estate->together = wanted->together;
        estate_log(estate);
        status = wanted->together ? together_run(estate) : processes_run(estate, on_began, NULL);
        estate_close(estate);
        file = estate->file;
    }
    log_sink_free(log);
    mem_free(estate);
    conf_file_free(file);
    return status;
}

int serve_run(int argc, char **argv)
{
    struct buffer words = buffer_with_most(WORDS_MOST);
    struct wanted wanted;
    struct conf_file *file = mem_new(sizeof(*file));
    int status = file == NULL ? EX_OSERR : read_arguments(argc, argv, &wanted);

    if (status == 0 && wanted.help) {
        fputs(usage, stdout);
    } else if (status == 0) {
        status = conf_file_read(wanted.file, file, &words);
        if (status == 0 && file->risks != 0) {      /* CFG-004: whose will would be done? */
            conf_file_put_risks(&words, file);
            conf_file_done(file);
            status = EX_CONFIG;
        }
        if (status == 0) {
            conf_file_accounts(file);
            file->conf.fronts = estate_fronts(&file->conf, wanted.together);
            file->conf.users = file->conf.users && !wanted.together;
            signals_take();
            raise_descriptors();
            status = serve_here(file, &wanted, &words);
            file = NULL;
        } else {
            say(&words);
        }
    }
    mem_free(file);
    buffer_done(&words);
    return status;
}
