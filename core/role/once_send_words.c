/* SPDX-License-Identifier: ISC
 *
 * The words of postern send.
 */
#include "role/once_send.h"

#include "base/number.h"
#include "base/safe.h"
#include "mail/address.h"

#include <stddef.h>

const char send_help[] =
    "usage: postern send [--server HOST[:PORT]] [--from ADDRESS] --to ADDRESS ...\n"
    "       postern send --server HOST[:PORT] --raw 'COMMAND' [options]\n"
    "       postern send --server HOST[:PORT] --script FILE [options]\n"
    "\n"
    "Speaks with a mail server and shows each line, how long the answer took, what\n"
    "TLS agreed on, and in words what became of the letter. See postern-send(1).\n"
    "\n"
    "Where to\n"
    "  --server HOST[:PORT]    or unix:PATH; else the MX of the recipient\n"
    "  --lmtp                  LMTP (RFC 2033): one answer for each recipient\n"
    "  -4, -6                  only IPv4, only IPv6\n"
    "  --timeout SECONDS       for each answer; 60\n"
    "Who\n"
    "  --from ADDRESS          the sender; \"\" is the null sender\n"
    "  --to ADDRESS            a recipient; up to 100. An address alone is one too\n"
    "  --helo NAME             our name; else that of this machine\n"
    "  --auth USER             sign in; --auth-with PLAIN or LOGIN\n"
    "  --password-file FILE    the password is its first line; else it is asked for\n"
    "What\n"
    "  --file FILE             the letter, - for standard input; else made of\n"
    "                          --subject TEXT, --header 'NAME: TEXT', --body TEXT\n"
    "  --as-is                 octet for octet: mend no line end, double no dot\n"
    "TLS\n"
    "  --tls WHEN              auto (where it is offered), starttls, implicit, none\n"
    "  --verify                end unless the certificate proves the server\n"
    "  --ca-file FILE          authorities to believe; else those of this system\n"
    "  --name NAME             asked for and to be proved; else that of the server\n"
    "Extensions\n"
    "  --pipeline              MAIL, RCPT and what follows in one flight (RFC 2920)\n"
    "  --bdat [OCTETS]         the text by BDAT, in chunks (RFC 3030)\n"
    "  --binarymime            BODY=BINARYMIME, the text as it is; implies --bdat\n"
    "  --recipe                base64 raw, and how to put it back (CONTENT-RECIPE)\n"
    "  --8bitmime, --smtputf8, --requiretls          RFC 6152, 6531, 8689\n"
    "  --size OCTETS           claim that size (RFC 1870)\n"
    "  --notify LIST, --orcpt ADDRESS, --ret full|hdrs, --envid TEXT      RFC 3461\n"
    "  --mt-priority N, --deliverby 'SECONDS;N|R'    RFC 6710, 2852\n"
    "  --mail-param WORD, --rcpt-param WORD          any other\n"
    "  --force                 also what the server does not offer\n"
    "Any order\n"
    "  --raw 'COMMAND'         say this before the letter, or alone; more than once\n"
    "  --script FILE           say, expect and more, line by line\n"
    "  --quit-after STAGE      greeting, ehlo, tls, auth, mail or rcpt\n"
    "Output\n"
    "  --json                  one JSON object\n"
    "  --quiet                 only the summary\n"
    "\n"
    "Exit status 0: taken for every recipient; 75: not now; 69: refused; 67: no such\n"
    "mailbox; 68: no such host; 76: the server cannot be understood; 77: not\n"
    "verified, or not signed in.\n";

/* ---- the options */

enum kind { FLAG, TEXT, LIST, NUMBER, CHUNK, TLS, STOP };

struct option {
    const char *name;
    enum kind kind;
    size_t at;
};

#define O(name, kind, field) { name, kind, offsetof(struct send_order, field) }
static const struct option options[] = {
    O("--help", FLAG, help), O("-h", FLAG, help), O("--json", FLAG, json),
    O("--quiet", FLAG, quiet), O("-q", FLAG, quiet),
    O("--server", TEXT, server), O("--lmtp", FLAG, lmtp), O("-4", FLAG, only4),
    O("-6", FLAG, only6), O("--timeout", NUMBER, wait_s),
    O("--helo", TEXT, helo), O("--ehlo", TEXT, helo), O("--tls", TLS, tls),
    O("--verify", FLAG, verify), O("--ca-file", TEXT, ca_file), O("--name", TEXT, name),
    O("--auth", TEXT, user), O("--password-file", TEXT, password_file),
    O("--auth-with", TEXT, mechanism),
    O("--from", TEXT, from), O("-f", TEXT, from), O("--to", LIST, to), O("-t", LIST, to),
    O("--size", TEXT, size), O("--ret", TEXT, ret), O("--envid", TEXT, envid),
    O("--notify", TEXT, notify), O("--orcpt", TEXT, orcpt), O("--mt-priority", TEXT, priority),
    O("--deliverby", TEXT, by), O("--mail-param", LIST, mail_params),
    O("--rcpt-param", LIST, rcpt_params), O("--smtputf8", FLAG, smtputf8),
    O("--requiretls", FLAG, require_tls), O("--8bitmime", FLAG, eight_bit),
    O("--binarymime", FLAG, binarymime), O("--recipe", FLAG, recipe),
    O("--file", TEXT, file), O("--subject", TEXT, subject), O("--body", TEXT, body),
    O("--header", LIST, headers), O("--as-is", FLAG, as_is),
    O("--pipeline", FLAG, pipeline), O("--bdat", CHUNK, bdat), O("--force", FLAG, force),
    O("--raw", LIST, raw), O("--script", TEXT, script), O("--quit-after", STOP, stop),
};
#undef O

static const char *const tls_words[] = { "auto", "starttls", "implicit", "none" };
static const char *const stage_words[] = { "greeting", "ehlo", "tls", "auth", "mail", "rcpt" };

struct reading {
    const struct bytes *words;
    size_t n, at;
    struct send_order *order;
    struct buffer *flaw;
};

static bool complain(struct buffer *to, struct bytes word, const char *why)
{
    buffer_put(to, BYTES("send: "));
    safe_put(to, bytes_first(word, 200));
    buffer_put_text(to, why);
    buffer_put(to, BYTES("; see --help\n"));
    return false;
}

static bool choose(const char *const *words, size_t n, struct bytes word, size_t *ret_i)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal_nocase(word, bytes_of(words[i])))
            return *ret_i = i, true;
    return false;
}

static void add(struct send_list *list, struct bytes word)
{
    if (list->n < SEND_LIST_MOST)
        list->list[list->n++] = word;
    else
        list->over = true;
}

static bool take_value(struct reading *reading, const struct option *option, struct bytes value)
{
    struct send_order *order = reading->order;
    char *field = (char *)order + option->at;
    size_t i;

    switch (option->kind) {
    case TEXT:
        *(struct bytes *)(void *)field = value;
        order->from_given = order->from_given || field == (char *)&order->from;
        return true;
    case LIST:
        add((struct send_list *)(void *)field, value);
        return true;
    case NUMBER:
        if (number_parse(value, (uint64_t *)(void *)field) && order->wait_s > 0
            && order->wait_s <= SEND_WAIT_MOST_S)
            return true;
        return complain(reading->flaw, value, " is no number from 1 to 3600");
    case TLS:
        if (!choose(tls_words, COUNT(tls_words), value, &i))
            return complain(reading->flaw, value, " is none of auto, starttls, implicit, none");
        order->tls = (enum send_tls)i;
        return true;
    case STOP:
        if (!choose(stage_words, COUNT(stage_words), value, &i))
            return complain(reading->flaw, value,
                            " is none of greeting, ehlo, tls, auth, mail, rcpt");
        order->stop = (enum send_stage)i;
        return true;
    case CHUNK:
        order->bdat = true;
        if (number_parse(value, &order->chunk) && order->chunk > 0)
            return true;
        return complain(reading->flaw, value, " is no number of octets");
    case FLAG:
        break;
    }
    return complain(reading->flaw, value, " is a value where none belongs");
}

static bool is_number(struct bytes word)
{
    uint64_t number;

    return number_parse(word, &number);
}

/* --name VALUE, --name=VALUE; --bdat alone or with a number behind it. */
static bool take_option(struct reading *reading)
{
    struct bytes word = reading->words[reading->at], name = bytes_upto(word, '=');
    const struct option *option = NULL;

    for (size_t i = 0; i < COUNT(options) && option == NULL; i++)
        if (bytes_equal(name, bytes_of(options[i].name)))
            option = &options[i];
    if (option == NULL)
        return complain(reading->flaw, word, " is no option");
    if (name.n < word.n)
        return take_value(reading, option, bytes_skip(word, name.n + 1));
    bool more = reading->at + 1 < reading->n;
    if (option->kind == FLAG
        || (option->kind == CHUNK && !(more && is_number(reading->words[reading->at + 1])))) {
        *((bool *)(void *)reading->order + option->at) = true;
        return true;
    }
    if (!more)
        return complain(reading->flaw, word, " wants a value");
    return take_value(reading, option, reading->words[++reading->at]);
}

/* ---- does it fit together */

/* Nothing in it may end a line. */
static bool is_one_line(struct bytes text)
{
    return text.n < SEND_LINE_MOST / 2 && bytes_find(text, '\r') == text.n
        && bytes_find(text, '\n') == text.n;
}

static bool are_lines(const struct send_list *list)
{
    bool well = !list->over;

    for (size_t i = 0; i < list->n; i++)
        well = well && is_one_line(list->list[i]);
    return well;
}

static bool check_lines(const struct send_order *order, struct buffer *flaw)
{
    const struct bytes texts[] = {
        order->from, order->helo, order->size, order->ret, order->envid, order->notify,
        order->orcpt, order->priority, order->by, order->subject, order->user, order->mechanism,
    };
    bool well = are_lines(&order->to) && are_lines(&order->mail_params)
        && are_lines(&order->rcpt_params) && are_lines(&order->headers)
        && are_lines(&order->raw);

    for (size_t i = 0; i < COUNT(texts); i++)
        well = well && is_one_line(texts[i]);
    return well || complain(flaw, BYTES("a word"), " is too long, has a line end in it, or comes "
                            "more than 100 times");
}

static bool check_sense(const struct send_order *order, struct buffer *flaw)
{
    bool made = order->subject.n > 0 || order->body.n > 0 || order->headers.n > 0;
    bool letter = order->to.n > 0;

    if (order->only4 && order->only6)
        return complain(flaw, BYTES("-4"), " and -6 leave no address");
    if (!letter && order->server.n == 0)
        return complain(flaw, BYTES("--to"), " or --server must say where to");
    if (!letter && order->raw.n == 0 && order->script.n == 0 && order->stop > SEND_AUTH)
        return complain(flaw, BYTES("--to"), " names nobody, and there is neither --raw, "
                        "--script nor --quit-after");
    if (order->script.n > 0 && (order->raw.n > 0 || order->stop != SEND_STAGES))
        return complain(flaw, BYTES("--script"), " says all that is said: no --raw, no "
                        "--quit-after beside it");
    if (order->script.n > 0 && order->user.n > 0)
        return complain(flaw, BYTES("--script"), " does not sign in: no --auth beside it");
    if (order->script.n > 0 && order->recipe)
        return complain(flaw, BYTES("--script"), " says the letter as it is: no --recipe beside "
                        "it");
    if (order->file.n > 0 && made)
        return complain(flaw, BYTES("--file"), " brings its own header and body");
    if (order->user.n > 0 && order->mechanism.n > 0
        && !bytes_equal_nocase(order->mechanism, BYTES("PLAIN"))
        && !bytes_equal_nocase(order->mechanism, BYTES("LOGIN")))
        return complain(flaw, order->mechanism, " is neither PLAIN nor LOGIN");
    return true;
}

bool send_read(const struct bytes *words, size_t n, struct send_order *ret_order,
               struct buffer *reterr_words)
{
    struct send_order order = { .wait_s = SEND_WAIT_S, .stop = SEND_STAGES };
    struct reading reading = { words, n, 0, &order, reterr_words };

    for (; reading.at < n; reading.at++) {
        if (!bytes_begins(words[reading.at], BYTES("-"))) {
            add(&order.to, words[reading.at]);
        } else if (!take_option(&reading)) {
            return false;
        }
    }
    order.bdat = order.bdat || order.binarymime || order.recipe || order.chunk > 0;
    if (!order.help
        && (!check_lines(&order, reterr_words) || !check_sense(&order, reterr_words)))
        return false;
    *ret_order = order;
    return true;
}

struct bytes send_domain(const struct send_order *order)
{
    struct bytes domain = BYTES_NONE;

    for (size_t i = 0; i < order->to.n; i++) {
        struct bytes to = order->to.list[i];
        struct bytes behind = bytes_skip(to, bytes_find_last(to, '@') + 1);
        if (behind.n == 0 || (i > 0 && !bytes_equal_nocase(behind, domain)))
            return BYTES_NONE;
        domain = behind;
    }
    return domain;
}
