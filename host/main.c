/* SPDX-License-Identifier: ISC */
#include "host/command.h"
#include "host/ctl.h"
#include "host/seal.h"
#include "host/sendmail.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int version(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("postern " POSTERN_VERSION);
    return EX_OK;
}

static int help(int argc, char **argv);

static const struct command commands[] = {
    { "serve", serve_run, "receive mail, keep it safe, deliver it" },
    { "explain", ctl_explain_run, "what became of a message, in plain words" },
    { "page", ctl_page_run, "explain in a browser on this machine" },
    { "refused", ctl_refused_run, "what was refused of late, for whom, and why" },
    { "queue", ctl_ask_run, "what is waiting, and why" },
    { "trace", ctl_ask_run, "the whole journey of a letter" },
    { "peers", ctl_ask_run, "how good TLS is at each destination, and was" },
    { "tlsrpt", ctl_ask_run, "how TLS went with other domains, and telling them" },
    { "status", ctl_ask_run, "how the server is" },
    { "top", ctl_top_run, "the same, live" },
    { "reload", ctl_ask_run, "read the configuration, certificates and tables anew" },
    { "check", ctl_check_run, "read the configuration and say what is wrong with it" },
    { "store", ctl_store_run, "the queue's files: check, export, backup" },
    { "code", ctl_code_run, "what a code of mail means, and what to do about it" },
    { "doctor", ctl_doctor_run, "how a domain's mail is found and protected" },
    { "key", ctl_key_run, "keys and certificates of sealed mail" },
    { "send", ctl_send_run, "test a mail server: send a letter, say anything, show all" },
    { "verify", seal_read_run, "say whether a privacy-enhanced message is unchanged, and by whom" },
    { "open", seal_read_run, "open a privacy-enhanced message" },
    { "seal", seal_run, "sign a text, and encipher it" },
    { "convert", seal_read_run, "make an enciphered message one that others can verify" },
    { "sendmail", sendmail_run, "hand in a letter, as programs of this machine do" },
    { "help", help, "this text" },
    { "version", version, "the version of this program" },
};

static void print_usage(FILE *to)
{
    fputs("usage: postern COMMAND ...\n\n", to);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(to, "  %-8s %s\n", commands[i].word, commands[i].says);
    fputs("\n`postern COMMAND --help` says more about one.\n", to);
}

static int help(int argc, char **argv)
{
    (void)argc, (void)argv;
    print_usage(stdout);
    return EX_OK;
}

/* --help and --version are what people try first. */
static const char *word_of(const char *argument)
{
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return "help";
    return strcmp(argument, "--version") == 0 ? "version" : argument;
}

/* By another name the program is another: these are links to it. */
static const struct command names[] = {
    { "ripem", seal_ripem_run, "" }, { "sendmail", sendmail_run, "" },
    { "mailq", mailq_run, "" }, { "newaliases", newaliases_run, "" },
};

static bool is_called(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash == NULL ? path : slash + 1, name) == 0;
}

int main(int argc, char **argv)
{
    const char *word = argc < 2 ? "" : word_of(argv[1]);

    for (size_t i = 0; argc > 0 && i < sizeof(names) / sizeof(names[0]); i++)
        if (is_called(argv[0], names[i].word))
            return names[i].run(argc, argv);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].word, word) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (argc >= 2)
        fprintf(stderr, "postern: %s: no such command\n", word);
    print_usage(stderr);
    return EX_USAGE;
}
