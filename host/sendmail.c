/* SPDX-License-Identifier: ISC
 *
 * sendmail, mailq, newaliases: the names by which programs of this machine hand in mail. The letter
 * goes to the server's socket `submit`; who sends it the server asks the system. Whatever is not
 * taken for certain ends with a status of sysexits.h that says whether to come again.
 */
#include "host/sendmail.h"

#include "base/reader.h"
#include "base/safe.h"
#include "host/clock.h"
#include "host/ctl.h"
#include "host/ctl_dialogue.h"
#include "host/ctl_int.h"
#include "role/once_sendmail.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define SUBMIT_SOCKET "/run/postern/submit"

enum { STDIN_MOST = 512 * 1024 * 1024, ARGUMENTS_MOST = SENDMAIL_RECIPIENTS, PART = 65536 };

static const char help[] =
    "usage: sendmail [-t] [-i] [-f ADDRESS] [-F NAME] [-N WHEN] [-R full|hdrs] [-V ENVID] [-v]\n"
    "                [--] [ADDRESS ...]     a letter on standard input\n"
    "       sendmail -bs                    SMTP on standard input and output\n"
    "       sendmail -bp, mailq             what waits\n"
    "       sendmail -q                     try what waits now\n"
    "       sendmail -bi, newaliases        read the tables of aliases anew\n"
    "\n"
    "  -t           also to those in To, Cc and Bcc; Bcc is taken out\n"
    "  -i, -oi      a line with a lone dot does not end the letter\n"
    "  -f ADDRESS   the envelope's sender; another's only for those of submit-trust\n"
    "  -C FILE      the configuration file\n"
    "\n"
    "Exit status 0: the server has it safe on disk. 75: not now, come again.\n";

struct mailing {
    const char *to[ARGUMENTS_MOST];
    size_t to_n;
    const char *sender, *name, *conf_path, *notify, *ret, *envid;
    char mode;                  /* m, s, p, i, q; or h: help */
    bool from_header, no_dots, verbose;
    struct buffer submit, domain, from;
};

static int fail(int status, const char *words)
{
    fprintf(stderr, "sendmail: %s\n", words);
    return status;
}

/* ---- words */

/* The value of an option such as -f: the rest of the word, or the next one. */
static const char *value_of(int argc, char **argv, int *at)
{
    if (argv[*at][2] != '\0')
        return argv[*at] + 2;
    return *at + 1 < argc ? argv[++*at] : NULL;
}

static bool take_mode(struct mailing *mailing, const char *word)
{
    if (strchr("mspi", word[2]) == NULL || word[2] == '\0' || word[3] != '\0')
        return false;
    mailing->mode = word[2];
    return true;
}

/* Options with a value. */
static bool take_valued(struct mailing *mailing, int argc, char **argv, int *at, bool *ret_known)
{
    const struct { char letter; const char **value; } options[] = {
        { 'f', &mailing->sender }, { 'r', &mailing->sender }, { 'F', &mailing->name },
        { 'C', &mailing->conf_path }, { 'N', &mailing->notify }, { 'R', &mailing->ret },
        { 'V', &mailing->envid },
    };
    static const char passed_over[] = "BLhpXO";     /* of others, with a value */

    *ret_known = true;
    for (size_t i = 0; i < COUNT(options); i++)
        if (argv[*at][1] == options[i].letter)
            return (*options[i].value = value_of(argc, argv, at)) != NULL;
    if (strchr(passed_over, argv[*at][1]) != NULL)
        return value_of(argc, argv, at) != NULL;
    *ret_known = false;
    return true;
}

static bool take_option(struct mailing *mailing, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    bool known;

    if (strcmp(word, "--help") == 0)
        return mailing->mode = 'h', true;
    bool well = take_valued(mailing, argc, argv, at, &known);
    if (known)
        return well;
    if (word[1] == 'b')
        return take_mode(mailing, word);
    if (word[1] == 'q')
        return mailing->mode = 'q', true;
    if (word[1] == 'A')                 /* -Am, -Ac: which of its files sendmail reads */
        return true;
    if (word[1] == 'o') {               /* what it means for others is not ours, but -oi */
        mailing->no_dots = mailing->no_dots || strcmp(word, "-oi") == 0;
        return true;
    }
    for (const char *c = word + 1; *c != '\0'; c++) {
        if (strchr("timvUGn", *c) == NULL)
            return false;
        mailing->from_header = mailing->from_header || *c == 't';
        mailing->no_dots = mailing->no_dots || *c == 'i';
        mailing->verbose = mailing->verbose || *c == 'v';
    }
    return true;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcasecmp(word, *list) == 0)
            return true;
    return false;
}

static bool is_notify(const char *list)
{
    static const char *const words[] = { "success", "failure", "delay", NULL };
    struct bytes rest = bytes_of(list), word;

    if (strcasecmp(list, "never") == 0)
        return true;
    while (bytes_cut(&rest, ',', &word)) {
        char text[16] = "";
        if (word.n >= sizeof(text))
            return false;
        memcpy(text, word.at, word.n);
        if (!is_one_of(text, words))
            return false;
    }
    return list[0] != '\0' && list[strlen(list) - 1] != ',';
}

static int read_words(struct mailing *mailing, int argc, char **argv)
{
    static const char *const rets[] = { "full", "hdrs", NULL };
    bool options = true;

    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            const char *word = argv[i];
            if (take_option(mailing, argc, argv, &i))
                continue;
            fprintf(stderr, "sendmail: there is no option %.100s, or its value is missing\n",
                    word);
            return EX_USAGE;
        } else if (mailing->to_n == ARGUMENTS_MOST) {
            return fail(EX_USAGE, "too many recipients");
        } else {
            mailing->to[mailing->to_n++] = argv[i];
        }
    }
    if (mailing->notify != NULL && !is_notify(mailing->notify))
        return fail(EX_USAGE, "-N wants never, or some of success,failure,delay");
    if (mailing->ret != NULL && !is_one_of(mailing->ret, rets))
        return fail(EX_USAGE, "-R wants full or hdrs");
    if (mailing->envid != NULL && (mailing->envid[0] == '\0' || strlen(mailing->envid) > 100))
        return fail(EX_USAGE, "-V wants 1 to 100 octets");
    return 0;
}

/* ---- where to, and who we are */

/* Where the configuration cannot be read, the customary place. */
static void find_server(struct mailing *mailing)
{
    static struct conf_file file;
    struct buffer words = buffer_with_most(16 * 1024);
    char host[256] = "localhost";

    if (conf_file_read(mailing->conf_path, &file, &words) == 0) {
        conf_submit_put(&mailing->submit, &file.conf);
        buffer_put(&mailing->domain, file.conf.domains_ascii.list[0]);
        conf_file_done(&file);
    } else {
        if (mailing->conf_path != NULL)
            ctl_print(stderr, &words);
        buffer_put_text(&mailing->submit, SUBMIT_SOCKET);
        (void)gethostname(host, sizeof(host) - 1);
        buffer_put_text(&mailing->domain, host);
    }
    buffer_done(&words);
}

static int find_sender(struct mailing *mailing)
{
    const struct passwd *user = getpwuid(getuid());
    struct bytes domain = buffer_bytes(&mailing->domain);

    if (mailing->sender != NULL
        && (mailing->sender[0] == '\0' || strcmp(mailing->sender, "<>") == 0))
        return 0;
    if (mailing->sender == NULL && user == NULL)
        return fail(EX_NOUSER, "the system does not know who you are");
    const char *sender = mailing->sender == NULL ? user->pw_name : mailing->sender;
    if (!sendmail_address(&mailing->from, bytes_of(sender), domain))
        return fail(EX_USAGE, "the sender is no address");
    return 0;
}

static int open_dialogue(const struct mailing *mailing, struct dialogue *dialogue)
{
    int fd = ctl_connect(buffer_bytes(&mailing->submit));

    if (fd >= 0) {
        dialogue_begin(dialogue, fd, mailing->verbose ? stdout : NULL);
        return 0;
    }
    fprintf(stderr, "sendmail: %.*s: %s; nothing was sent, try again later\n",
            (int)mailing->submit.n, mailing->submit.at,
            errno == ENOENT || errno == ECONNREFUSED ? "no mail server runs" : strerror(errno));
    return EX_TEMPFAIL;
}

/* ---- the letter */

/* Standard input; unless -i, up to a line with a lone dot. */
static int read_letter(const struct mailing *mailing, struct buffer *to)
{
    ssize_t n = 1;

    while (n > 0) {
        char *at = buffer_grow(to, PART);
        if (at == NULL)
            return fail(EX_TEMPFAIL, "the letter is too large, or memory is short");
        do
            n = read(STDIN_FILENO, at, PART);
        while (n < 0 && errno == EINTR);
        to->n -= PART - (n < 0 ? 0 : (size_t)n);
    }
    if (n < 0)
        return fail(EX_NOINPUT, strerror(errno));
    struct bytes rest = buffer_bytes(to), line, all = rest;
    while (!mailing->no_dots && bytes_cut(&rest, '\n', &line))
        if (bytes_equal(line, BYTES(".")) || bytes_equal(line, BYTES(".\r"))) {
            to->n = (size_t)(line.at - all.at);
            break;
        }
    return 0;
}

static int put_arguments(const struct mailing *mailing, struct sendmail_made *made)
{
    for (size_t i = 0; i < mailing->to_n; i++) {
        struct buffer address = buffer_with_most(LIMIT_PATH);
        bool well = sendmail_address(&address, bytes_of(mailing->to[i]),
                                     buffer_bytes(&mailing->domain));
        if (well)
            buffer_put_block(&made->to, buffer_bytes(&address));
        buffer_done(&address);
        if (!well) {
            fprintf(stderr, "sendmail: a recipient is no address: ");
            struct buffer words = buffer_with_most(4096);
            safe_put(&words, bytes_first(bytes_of(mailing->to[i]), 200));
            buffer_put_char(&words, '\n');
            ctl_print(stderr, &words);
            buffer_done(&words);
            return EX_DATAERR;
        }
        for (const char *c = mailing->to[i]; *c != '\0'; c++)
            made->utf8 = made->utf8 || octet(*c) >= 0x80;
    }
    return made->to.bad ? EX_OSERR : made->to.n == 0
         ? fail(EX_USAGE, "no recipient is named; see --help") : 0;
}

/* ---- the dialogue */

static int status_of(int code, struct bytes words)
{
    if (code < 0 || code / 100 == 4)
        return EX_TEMPFAIL;
    return bytes_begins(words, BYTES("5.1.1")) ? EX_NOUSER
         : bytes_begins(words, BYTES("5.1.2")) ? EX_NOHOST
         : bytes_begins(words, BYTES("5.7.")) ? EX_NOPERM
         : bytes_begins(words, BYTES("5.6.")) || bytes_begins(words, BYTES("5.5.2"))
           || bytes_begins(words, BYTES("5.3.4")) ? EX_DATAERR : EX_UNAVAILABLE;
}

/* 0 when the reply has the code; else its words are said. */
static int expect(struct dialogue *dialogue, int want, struct bytes about)
{
    int code = dialogue_reply(dialogue);
    struct buffer words = buffer_with_most(64 * 1024);

    if (code == want)
        return 0;
    buffer_put(&words, BYTES("sendmail: "));
    if (about.n > 0) {
        safe_put_plain(&words, about);
        buffer_put(&words, BYTES(": "));
    }
    safe_put_plain(&words, bytes_trim(buffer_bytes(&dialogue->reply)));
    buffer_put_char(&words, '\n');
    ctl_print(stderr, &words);
    buffer_done(&words);
    return status_of(code, buffer_bytes(&dialogue->reply));
}

static int say(struct dialogue *dialogue, struct buffer *line, int want, struct bytes about)
{
    bool sent = !line->bad && dialogue_line(dialogue, buffer_bytes(line));

    buffer_done(line);
    return sent ? expect(dialogue, want, about) : fail(EX_TEMPFAIL, "the server went away");
}

static int say_text(struct dialogue *dialogue, const char *text, int want)
{
    struct buffer line = buffer_with_most(1024);

    buffer_put_text(&line, text);
    return say(dialogue, &line, want, BYTES_NONE);
}

static int say_mail(const struct mailing *mailing, const struct sendmail_made *made,
                    struct dialogue *dialogue)
{
    struct buffer line = buffer_with_most(8192);

    buffer_put(&line, BYTES("MAIL FROM:<"));
    buffer_put(&line, buffer_bytes(&mailing->from));
    buffer_put_char(&line, '>');
    if (made->eight_bit)
        buffer_put(&line, BYTES(" BODY=8BITMIME"));
    if (made->utf8)
        buffer_put(&line, BYTES(" SMTPUTF8"));
    if (mailing->ret != NULL)
        buffer_put_text(&line, strcasecmp(mailing->ret, "full") == 0 ? " RET=FULL" : " RET=HDRS");
    if (mailing->envid != NULL) {
        buffer_put(&line, BYTES(" ENVID="));
        sendmail_envid_put(&line, bytes_of(mailing->envid));
    }
    return say(dialogue, &line, 250, BYTES_NONE);
}

/* To whoever is refused for good it is not sent, and that is said; when one is refused only for
   now, nothing is sent, so that it may be handed in again as it is. */
static int say_recipients(const struct mailing *mailing, const struct sendmail_made *made,
                          struct dialogue *dialogue, size_t *ret_taken)
{
    struct reader in = reader_of(buffer_bytes(&made->to));
    int worst = 0;

    while (!reader_empty(&in)) {
        struct buffer line = buffer_with_most(8192);
        struct bytes address = read_block(&in);
        buffer_put(&line, BYTES("RCPT TO:<"));
        buffer_put(&line, address);
        buffer_put_char(&line, '>');
        if (mailing->notify != NULL) {
            buffer_put(&line, BYTES(" NOTIFY="));
            for (const char *c = mailing->notify; *c != '\0'; c++)
                buffer_put_char(&line, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
        }
        int status = say(dialogue, &line, 250, address);
        if (status == EX_TEMPFAIL)
            return status;
        *ret_taken += status == 0;
        worst = worst == 0 ? status : worst;
    }
    return worst;
}

static bool send_text(struct dialogue *dialogue, struct bytes text)
{
    struct buffer out = buffer_with_most(2u * STDIN_MOST);
    struct bytes line;

    while (bytes_cut(&text, '\n', &line)) {
        if (line.n > 0 && line.at[0] == '.')
            buffer_put_char(&out, '.');
        buffer_put(&out, line);
        buffer_put_char(&out, '\n');
    }
    bool sent = !out.bad && dialogue_text(dialogue, buffer_bytes(&out));
    buffer_done(&out);
    return sent;
}

static int tell(const struct mailing *mailing, const struct sendmail_made *made,
                struct dialogue *dialogue)
{
    struct buffer hello = buffer_with_most(1024);
    size_t taken = 0;
    int status = expect(dialogue, 220, BYTES_NONE);

    buffer_put(&hello, BYTES("EHLO "));
    buffer_put(&hello, buffer_bytes(&mailing->domain));
    if (status == 0)
        status = say(dialogue, &hello, 250, BYTES_NONE);
    if (status == 0)
        status = say_mail(mailing, made, dialogue);
    if (status != 0)
        return status;
    int refused = say_recipients(mailing, made, dialogue, &taken);
    if (taken == 0 || refused == EX_TEMPFAIL)
        return refused;
    status = say_text(dialogue, "DATA", 354);
    if (status == 0 && !send_text(dialogue, buffer_bytes(&made->text)))
        return fail(EX_TEMPFAIL, "the server went away");
    if (status == 0)
        status = say_text(dialogue, ".", 250);
    return status != 0 ? status : refused;
}

static int hand_in(struct mailing *mailing)
{
    struct buffer raw = buffer_with_most(STDIN_MOST);
    struct sendmail_letter letter = {
        .from_header = mailing->from_header, .now_ms = clock_now().wall_ms,
        .name = bytes_of(mailing->name == NULL ? "" : mailing->name),
    };
    struct sendmail_made made = { .eight_bit = false };
    struct dialogue dialogue;
    int status = find_sender(mailing);

    if (status == 0)
        status = read_letter(mailing, &raw);
    entropy_fill(&letter.chance, sizeof(letter.chance));
    letter.raw = buffer_bytes(&raw);
    letter.sender = buffer_bytes(&mailing->from);
    letter.domain = buffer_bytes(&mailing->domain);
    if (status == 0 && !sendmail_make(&letter, &made))
        status = fail(EX_DATAERR, "too many recipients, or memory is short");
    if (status == 0)
        status = put_arguments(mailing, &made);
    if (status == 0)
        status = open_dialogue(mailing, &dialogue);
    if (status == 0) {
        status = tell(mailing, &made, &dialogue);
        (void)!dialogue_line(&dialogue, BYTES("QUIT"));
        dialogue_close(&dialogue);
    }
    sendmail_made_done(&made);
    buffer_done(&raw);
    return status;
}

/* ---- -bs */

static bool copy(int from, int to)
{
    char part[PART];
    ssize_t n = read(from, part, sizeof(part));
    struct bytes left = { part, n < 0 ? 0 : (size_t)n };

    if (n < 0 && errno == EINTR)
        return true;
    while (left.n > 0) {
        ssize_t wrote = write(to, left.at, left.n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        left = bytes_skip(left, (size_t)wrote);
    }
    return n > 0;
}

static int pass_on(const struct mailing *mailing)
{
    struct dialogue dialogue;
    int status = open_dialogue(mailing, &dialogue);

    if (status != 0) {
        puts("421 4.3.2 No mail server runs here, try again later\r");
        return status;
    }
    struct pollfd watch[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                               { .fd = dialogue.fd, .events = POLLIN } };
    while (watch[1].fd >= 0 && (poll(watch, 2, -1) >= 0 || errno == EINTR)) {
        if (watch[1].revents != 0 && !copy(dialogue.fd, STDOUT_FILENO))
            watch[1].fd = -1;
        if (watch[0].revents != 0 && !copy(STDIN_FILENO, dialogue.fd)) {
            watch[0].fd = -1;
            (void)shutdown(dialogue.fd, SHUT_WR);
        }
    }
    dialogue_close(&dialogue);
    return 0;
}

/* ---- the names */

static int as_command(const struct mailing *mailing, const char *const *words)
{
    char *argv[8];
    int argc = 0;

    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    if (mailing->conf_path != NULL) {
        argv[argc++] = (char *)(uintptr_t)"-c";
        argv[argc++] = (char *)(uintptr_t)mailing->conf_path;
    }
    argv[argc] = NULL;
    return ctl_ask_run(argc, argv);
}

static int run(struct mailing *mailing)
{
    static const char *const list[] = { "queue", NULL }, *const reload[] = { "reload", NULL },
                      *const retry[] = { "queue", "retry", "--waiting", NULL };
    int status;

    switch (mailing->mode) {
    case 'h':
        fputs(help, stdout);
        return ctl_end(EX_OK);
    case 'p':
        return as_command(mailing, list);
    case 'i':
        return as_command(mailing, reload);
    case 'q':
        status = as_command(mailing, retry);
        return status == ONCE_FOUND_NOTHING ? EX_OK : status;
    case 's':
        find_server(mailing);
        return pass_on(mailing);
    default:
        find_server(mailing);
        return hand_in(mailing);
    }
}

static int run_as(char mode, int argc, char **argv)
{
    static struct mailing mailing;
    int status;

    mailing = (struct mailing){
        .mode = mode, .submit = buffer_with_most(LIMIT_SOCKET_PATH + 8),
        .domain = buffer_with_most(LIMIT_DOMAIN + 1), .from = buffer_with_most(LIMIT_PATH),
    };
    status = read_words(&mailing, argc, argv);
    if (status == 0)
        status = run(&mailing);
    buffer_done(&mailing.submit);
    buffer_done(&mailing.domain);
    buffer_done(&mailing.from);
    return status;
}

int sendmail_run(int argc, char **argv)
{
    return run_as('m', argc, argv);
}

int mailq_run(int argc, char **argv)
{
    return run_as('p', argc, argv);
}

int newaliases_run(int argc, char **argv)
{
    return run_as('i', argc, argv);
}
