/* SPDX-License-Identifier: ISC
 *
 * postern send: speaks with a mail server and shows what was said. What it says and how it reads
 * the answers is role/once_send.h; here are files, the password, and one server after the other.
 */
#include "host/ctl_send_int.h"

#include "host/clock.h"
#include "host/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { WORDS_MOST = 1024, AUTHORITIES_MOST = 16 * 1024 * 1024 };

static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

/* ---- files */

static int read_file(struct bytes path, struct buffer *to)
{
    enum { PART = 65536 };
    char name[4096];
    size_t n = 1;

    if (path.n >= sizeof(name) || bytes_find(path, '\0') != path.n)
        return EX_NOINPUT;
    memcpy(name, path.at, path.n);
    name[path.n] = '\0';
    bool from_stdin = strcmp(name, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(name, "rbe");
    while (file != NULL && n > 0) {
        char *at = buffer_grow(to, PART);
        n = at == NULL ? 0 : fread(at, 1, PART, file);
        to->n -= at == NULL ? 0 : PART - n;
    }
    bool failed = file == NULL || ferror(file) || to->bad;
    if (failed)
        fprintf(stderr, "postern: %s: %s\n", name, to->bad ? "this is too large"
                                                           : strerror(errno));
    if (file != NULL && !from_stdin)
        fclose(file);
    return failed ? EX_NOINPUT : EX_OK;
}

static int make_letter(struct sending *sending)
{
    const struct send_order *order = &sending->order;
    struct buffer raw = buffer_with_most(SEND_TEXT_MOST);
    uint64_t chance;
    int status = EX_OK;

    entropy_fill(&chance, sizeof(chance));
    if (order->file.n == 0) {
        send_put_greeting(&sending->text, order, bytes_of(sending->host), clock_now().wall_ms,
                          chance);
    } else {
        status = read_file(order->file, &raw);
        if (status == EX_OK)
            send_put_text(&sending->text, order, buffer_bytes(&raw));
    }
    if (status == EX_OK && sending->text.bad) {
        fputs("postern: the letter is too large, or memory is short\n", stderr);
        status = EX_OSERR;
    }
    buffer_done(&raw);
    return status;
}

static int read_script(struct sending *sending)
{
    struct buffer flaw = buffer_with_most(4096);
    int status = EX_OK;

    if (sending->order.script.n > 0)
        status = read_file(sending->order.script, &sending->script);
    if (status == EX_OK && !send_script_check(buffer_bytes(&sending->script), &flaw)) {
        fputs("postern: ", stderr);
        buffer_put_char(&flaw, '\n');
        ctl_print(stderr, &flaw);
        status = EX_USAGE;
    }
    buffer_done(&flaw);
    return status;
}

static int read_password(struct sending *sending)
{
    /* It is an argument of this process: a NUL ends it. */
    const char *file = sending->order.password_file.n == 0 ? NULL
                                                           : sending->order.password_file.at;

    if (sending->order.user.n == 0)
        return EX_OK;
    return password_read(&(struct password_from){ .file = file, .fd = -1 }, "Password: ", false,
                         &sending->password);
}

static int read_authorities(struct sending *sending)
{
    bool given = sending->order.ca_file.n > 0;
    size_t n = 0;

    if (given || access(system_authorities, R_OK) == 0) {
        int status = read_file(given ? sending->order.ca_file : bytes_of(system_authorities),
                               &sending->authorities);
        if (status != EX_OK)
            return status;
    }
    sending->tls = tls_context_new_client(buffer_bytes(&sending->authorities), &n);
    if (sending->tls != NULL && given && n == 0) {
        fputs("postern: --ca-file holds no certificate\n", stderr);
        return EX_NOINPUT;
    }
    return sending->tls == NULL ? EX_OSERR : EX_OK;
}

/* ---- one server after the other */

static int speak(struct sending *sending)
{
    bool over = false;

    sending->sender = sender_new(&sending->means);
    if (sending->sender == NULL)
        return EX_OSERR;
    int status = send_find_targets(sending);
    for (size_t i = 0; status == EX_OK && i < sending->targets_n && !over; i++)
        over = send_talk(sending, &sending->targets[i]);
    if (status != EX_OK) {
        sender_free(sending->sender);
        return status;
    }
    if (sending->targets_n == 0)
        sender_lost(sending->sender, ctl_now_us(),
                    sending->why_status == 0 ? EX_NOHOST : sending->why_status,
                    sending->why.n == 0 ? BYTES("there is no address to connect to")
                                        : buffer_bytes(&sending->why));
    status = sender_end(sending->sender, ctl_now_us());
    if (sending->order.json) {
        struct bytes all = sender_all(sending->sender);
        fwrite(all.at, 1, all.n, stdout);
    } else {
        send_show(sending);
    }
    sender_free(sending->sender);
    return status;
}

static void set_means(struct sending *sending)
{
    const struct send_order *order = &sending->order;
    struct bytes helo = order->helo;

    if (helo.n > 0 && helo.n < sizeof(sending->host)) {
        memcpy(sending->host, helo.at, helo.n);
        sending->host[helo.n] = '\0';
    } else if (gethostname(sending->host, sizeof(sending->host) - 1) != 0
               || sending->host[0] == '\0') {
        memcpy(sending->host, "localhost", sizeof("localhost"));
    }
    snprintf(sending->from, sizeof(sending->from), "postern@%s", sending->host);
    sending->means = (struct send_means){
        .order = order, .host = helo.n > 0 ? helo : bytes_of(sending->host),
        .from = order->from_given ? order->from : bytes_of(sending->from),
        .text = buffer_bytes(&sending->text), .script = buffer_bytes(&sending->script),
        .password = buffer_bytes(&sending->password),
        .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
    };
}

static void done(struct sending *sending)
{
    tls_context_free(sending->tls);
    buffer_done(&sending->text);
    buffer_done(&sending->script);
    password_done(&sending->password);
    buffer_done(&sending->authorities);
    buffer_done(&sending->why);
    for (size_t i = 0; i < SEND_TARGETS_MOST; i++)
        buffer_done(&sending->tlsa[i]);
}

/* ---- the words */

static int read_words(struct sending *sending, int argc, char **argv)
{
    static struct bytes words[WORDS_MOST];
    struct buffer flaw = buffer_with_most(4096);
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        if (ctl_is_conf(argv[i]) && i + 1 < argc) {
            sending->conf_path = argv[++i];
        } else if (n == WORDS_MOST) {
            fputs("postern: these are too many words; see --help\n", stderr);
            return EX_USAGE;
        } else {
            words[n++] = bytes_of(argv[i]);
        }
    }
    bool well = send_read(words, n, &sending->order, &flaw);
    if (!well) {
        fputs("postern: ", stderr);
        ctl_print(stderr, &flaw);
    }
    buffer_done(&flaw);
    return well ? EX_OK : EX_USAGE;
}

int ctl_send_run(int argc, char **argv)
{
    static struct sending sending;

    sending.text = buffer_with_most(2u * SEND_TEXT_MOST);
    sending.script = buffer_with_most(SEND_SCRIPT_MOST);
    sending.authorities = buffer_with_most(AUTHORITIES_MOST);
    sending.why = buffer_with_most(4096);
    int status = read_words(&sending, argc, argv);
    if (status == EX_OK && sending.order.help) {
        fputs(send_help, stdout);
        return ctl_end(EX_OK);
    }
    if (status == EX_OK)
        status = read_script(&sending);
    if (status == EX_OK)
        status = read_password(&sending);
    if (status == EX_OK)
        status = read_authorities(&sending);
    set_means(&sending);
    if (status == EX_OK)
        status = make_letter(&sending);
    set_means(&sending);
    if (status == EX_OK)
        status = speak(&sending);
    done(&sending);
    return ctl_end(status);
}
