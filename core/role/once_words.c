/* SPDX-License-Identifier: ISC */
#include "role/once.h"

#include "base/id.h"
#include "base/safe.h"
#include "dns/name.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "role/once_int.h"

enum { ONCE_REASON_MOST = 400 };

/* One row a command: what it takes and what it says of itself. */
static const struct {
    const char *name;
    bool has_subject;
    const char *help;
} commands[] = {
    [ONCE_QUEUE] = { "queue", false,
        "usage: postern queue [VERB] [FILTER ...] [-c FILE] [--json] [--relative]\n"
        "\n"
        "Lists each letter that waits, its recipients that are not finished, and why. With a verb\n"
        "it does something with those that the filter names, safe on disk when it says so:\n"
        "\n"
        "  retry        try those that wait now\n"
        "  hold         try them no more until they are released\n"
        "  release      try those that are held now\n"
        "  bounce       end them as failed (5.7.0) and tell the sender\n"
        "  delete       end them and tell nobody\n"
        "  redirect ADDRESS\n"
        "               send to that address in their place\n"
        "\n"
        "Two verbs are about a whole destination, by its domain, and what comes for it later too:\n"
        "\n"
        "  suspend DOMAIN [--for SPAN] [REASON]\n"
        "               send nothing there until it is resumed, or for that long\n"
        "  resume DOMAIN\n"
        "               send again, and try what waits for it now\n"
        "\n"
        "Filters, all of which must hold; a verb wants one at least:\n"
        "  --id ID            of the letter\n"
        "  --from ADDRESS     of the sender, or @DOMAIN; \"\": the null sender\n"
        "  --to ADDRESS       of the recipient, or @DOMAIN\n"
        "  --domain DOMAIN    of the recipient\n"
        "  --older-than SPAN  such as 90s, 15m, 2h, 3d\n"
        "  --held, --waiting  only these\n"
        "  --all              all\n"
        "\n"
        "  --destinations\n"
        "               the queue by domain: how many wait, the last error, what is suspended\n"
        "  --dry-run    list what a verb would change, and change nothing\n"
        "  --reason TEXT\n"
        "               for the history and the report to the sender\n"
        "  -c FILE      the configuration file that names the server\n"
        "  --json       one JSON object a line, one line a recipient\n"
        "  --relative   beside each moment how long ago it was; so on a terminal\n" },
    [ONCE_TRACE] = { "trace", true,
        "usage: postern trace [-c FILE] [--json] [--relative] ID | MESSAGE-ID | ADDRESS\n"
        "       postern trace --tls [-c FILE] [--json] [--relative]\n"
        "\n"
        "Tells the journey of a letter, or of each letter from or to an address.\n"
        "\n"
        "  ID           as the 250 reply and postern queue give it, 13 characters\n"
        "  MESSAGE-ID   with its brackets or without\n"
        "  ADDRESS      of the sender or of a recipient\n"
        "  --tls        who could not agree on TLS and came back in clear, and names that\n"
        "               were asked for and stand in no certificate\n"
        "  -c FILE      the configuration file that names the server\n"
        "  --json       one JSON object a line, one line an event\n"
        "  --relative   beside each moment how long ago it was; so on a terminal\n" },
    [ONCE_STATUS] = { "status", false,
        "usage: postern status [-c FILE] [--json] [--relative]\n"
        "\n"
        "Tells since when the server runs, what it did since then, and what waits.\n"
        "\n"
        "  -c FILE      the configuration file that names the server\n"
        "  --json       one JSON object\n"
        "  --relative   beside each moment how long ago it was; so on a terminal\n" },
    [ONCE_TOP] = { "top", false,
        "usage: postern top [-c FILE] [--json]\n"
        "\n"
        "Shows live what the server does: rates, queue, sessions, disk. q ends it. Not on a\n"
        "terminal: once.\n"
        "\n"
        "  -c FILE      the configuration file that names the server\n"
        "  --json       once, as one JSON object\n" },
    [ONCE_BACKUP] = { "store-backup", false,
        "This is what postern store backup asks for; see postern store --help.\n" },
    [ONCE_RELOAD] = { "reload", false,
        "usage: postern reload [-c FILE]\n"
        "\n"
        "Has the server read its configuration, its certificates and its tables anew, and shows\n"
        "which settings changed. No session is dropped. When anything is wrong, all stays as it\n"
        "was, and the place and the reason are said.\n"
        "\n"
        "  -c FILE      the configuration file that names the server\n" },
    [ONCE_TLSRPT] = { "tlsrpt", true,
        "usage: postern tlsrpt [DOMAIN] [--send] [-c FILE] [--json] [--relative]\n"
        "\n"
        "Tells how TLS went with other domains since midnight (UTC), or with one: what is told\n"
        "once a day to those that ask for it (RFC 8460).\n"
        "\n"
        "  --send       tell it now and count anew\n"
        "  -c FILE      the configuration file that names the server\n"
        "  --json       one report a line, as it would be sent\n"
        "  --relative   beside each moment how long ago it was; so on a terminal\n" },
    [ONCE_PEERS] = { "peers", true,
        "usage: postern peers [DOMAIN] [-c FILE] [--json] [--relative]\n"
        "\n"
        "Tells how good TLS is at each destination that mail went to, or at one: what it was at\n"
        "the last session and since when, what the best was that was ever seen there, and why it\n"
        "is worse now.\n"
        "\n"
        "  -c FILE      the configuration file that names the server\n"
        "  --json       one JSON object a line\n"
        "  --relative   beside each moment how long ago it was; so on a terminal\n" },
};
_Static_assert(COUNT(commands) == ONCE_COMMANDS, "a command without a row");

const char *once_help(enum once_command command)
{
    return commands[command].help;
}

static bool find_command(struct bytes word, enum once_command *ret_command)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (bytes_equal(word, bytes_of(commands[i].name))) {
            *ret_command = (enum once_command)i;
            return true;
        }
    }
    return false;
}

static bool take_option(struct bytes word, struct once_request *request)
{
    if (bytes_equal(word, BYTES("--json")))
        request->json = true;
    else if (bytes_equal(word, BYTES("--tls")) && request->command == ONCE_TRACE)
        request->tls = true;
    else if (bytes_equal(word, BYTES("--send")) && request->command == ONCE_TLSRPT)
        request->send = true;
    else if (bytes_equal(word, BYTES("--relative")))
        request->relative = true;
    else if (bytes_equal(word, BYTES("--help")) || bytes_equal(word, BYTES("-h")))
        request->help = true;
    else
        return false;
    return true;
}

static bool is_about_all(enum once_verb verb)
{
    return verb == ONCE_SUSPEND || verb == ONCE_RESUME;
}

/* suspend DOMAIN [--for SPAN] [REASON]; resume DOMAIN */
static bool take_destination(const struct bytes *words, size_t n, size_t *at,
                             struct once_request *request, struct buffer *reterr_words)
{
    struct bytes word = words[*at];
    bool for_span = bytes_equal(word, BYTES("--for"));

    if (for_span && request->verb == ONCE_SUSPEND) {
        if (*at + 1 < n && once_span_read(words[*at + 1], &request->for_ms) && request->for_ms > 0)
            return ++*at, true;
        buffer_put_text(reterr_words, "--for wants a span such as 90s, 15m, 2h or 3d\n");
        return false;
    }
    if (bytes_equal(word, BYTES("--reason")) && *at + 1 < n)
        word = words[++*at];
    else if (bytes_begins(word, BYTES("-")))
        return false;
    else if (request->destination.n == 0)
        return request->destination = word, true;
    if (request->verb == ONCE_RESUME || request->reason.n > 0)
        return false;
    request->reason = word;
    return true;
}

/* The verb, the filter and what else only `queue` has. */
static bool take_queue(const struct bytes *words, size_t n, size_t *at,
                       struct once_request *request, struct buffer *reterr_words)
{
    if (request->command != ONCE_QUEUE)
        return false;
    if (bytes_equal(words[*at], BYTES("--dry-run")))
        return request->dry_run = true;
    if (bytes_equal(words[*at], BYTES("--destinations")))
        return request->destinations = true;
    if (is_about_all(request->verb))
        return take_destination(words, n, at, request, reterr_words);
    if (bytes_equal(words[*at], BYTES("--reason")) && *at + 1 < n) {
        request->reason = words[++*at];
        return true;
    }
    if (*at == 1 && once_verb_of(words[1]) != ONCE_LIST) {
        request->verb = once_verb_of(words[1]);
        if (request->verb == ONCE_REDIRECT && *at + 1 < n
            && !bytes_begins(words[*at + 1], BYTES("-")))
            request->redirect = words[++*at];
        return true;
    }
    return once_filter_take(&request->filter, words, n, at, reterr_words);
}

static bool says(struct buffer *to, const char *words)
{
    buffer_put_text(to, words);
    return false;
}

static bool check_destination(const struct once_request *request, struct buffer *reterr_words)
{
    struct buffer name = buffer_with_most(LIMIT_PATH);
    bool known = once_destination_put(&name, request->destination) && !name.bad;

    buffer_done(&name);
    if (request->dry_run || request->destinations)
        return says(reterr_words, "suspend and resume take no --dry-run and no --destinations\n");
    return known || says(reterr_words, "say which domain; see --help\n");
}

static bool check_queue(const struct once_request *request, struct buffer *reterr_words)
{
    struct address address;

    if (request->command != ONCE_QUEUE || request->help)
        return true;
    if (!is_about_all(request->verb) && request->verb != ONCE_LIST && request->destinations)
        return says(reterr_words, "--destinations goes with no verb\n");
    if (request->verb == ONCE_LIST)
        return (!request->dry_run && request->reason.n == 0)
            || says(reterr_words, "--dry-run and --reason go with a verb; see --help\n");
    if (is_about_all(request->verb) && !check_destination(request, reterr_words))
        return false;
    if (!is_about_all(request->verb) && !request->filter.some)
        return says(reterr_words, "say which: a filter, or --all; see --help\n");
    if (request->reason.n > ONCE_REASON_MOST || !envelope_text_safe(request->reason))
        return says(reterr_words, "--reason wants one line of at most 400 octets\n");
    return request->verb != ONCE_REDIRECT
        || address_parse(request->redirect, true, &address, NULL)
        || says(reterr_words, "redirect wants an address behind it\n");
}

static bool take_words(const struct bytes *words, size_t n, struct once_request *request,
                       struct buffer *reterr_words)
{
    bool options = true;
    size_t subjects = 0;

    for (size_t i = 1; i < n; i++) {
        bool dashed = options && bytes_begins(words[i], BYTES("-"));
        if (options && take_queue(words, n, &i, request, reterr_words))
            continue;
        if (reterr_words->n > 0)
            return false;
        if (dashed && bytes_equal(words[i], BYTES("--")))
            options = false;
        else if (dashed && !take_option(words[i], request))
            return once_refuse(reterr_words, "there is no option", words[i], "; see --help");
        else if (!dashed && (!commands[request->command].has_subject || subjects++ > 0))
            return once_refuse(reterr_words, "nothing is known of the word", words[i],
                               "; see --help");
        else if (!dashed)
            request->subject = words[i];
    }
    return true;
}

bool once_read(const struct bytes *words, size_t n, struct once_request *ret_request,
               struct buffer *reterr_words)
{
    struct once_request request = { .subject = BYTES_NONE };
    enum trace_by ways[2];

    if (n == 0 || !find_command(words[0], &request.command))
        return once_refuse(reterr_words, "there is no command", n == 0 ? BYTES_NONE : words[0], "");
    if (!take_words(words, n, &request, reterr_words) || !check_queue(&request, reterr_words))
        return false;
    if (request.tls && request.subject.n > 0)
        return once_refuse(reterr_words, "with --tls nothing is known of the word", request.subject,
                      "; see --help");
    if ((request.command == ONCE_TLSRPT || request.command == ONCE_PEERS) && request.subject.n > 0
        && !dns_name_is_plain(request.subject))
        return once_refuse(reterr_words, "expected a domain in lower case, found", request.subject,
                           "");
    if (request.command == ONCE_TRACE && !request.help && !request.tls
        && once_trace_ways(request.subject, ways) == 0)
        return once_refuse(reterr_words, "expected a letter's id (13 letters and digits), a "
                           "Message-ID or an address, found", request.subject, "");
    *ret_request = request;
    return true;
}

static struct bytes without_brackets(struct bytes word)
{
    bool has = word.n >= 2 && word.at[0] == '<' && word.at[word.n - 1] == '>';

    return has ? (struct bytes){ word.at + 1, word.n - 2 } : word;
}

/* What a history may hold at all: one line, with an "@" that has something on both sides. */
static bool may_be_message_id(struct bytes bare)
{
    size_t at = bytes_find_last(bare, '@');

    if (bare.n > ENVELOPE_ID_MOST || at == 0 || at + 1 >= bare.n)
        return false;
    for (size_t i = 0; i < bare.n; i++)
        if (octet(bare.at[i]) < ' ' || bare.at[i] == 0x7F)
            return false;
    return true;
}

size_t once_trace_ways(struct bytes word, enum trace_by ret_ways[static 2])
{
    struct bytes bare = without_brackets(word);
    struct address address;
    uint64_t id;

    if (id_parse(word, &id))
        return ret_ways[0] = TRACE_BY_ID, 1;
    if (!may_be_message_id(bare))
        return 0;
    if (!address_parse(bare, true, &address, NULL))
        return ret_ways[0] = TRACE_BY_MESSAGE_ID, 1;
    ret_ways[0] = bare.n < word.n ? TRACE_BY_MESSAGE_ID : TRACE_BY_ADDRESS;
    ret_ways[1] = bare.n < word.n ? TRACE_BY_ADDRESS : TRACE_BY_MESSAGE_ID;
    return 2;
}

void once_trace_key(struct bytes word, enum trace_by by, struct buffer *to)
{
    struct bytes bare = without_brackets(word);
    struct address address;
    char text[ID_TEXT];
    uint64_t id;

    if (by == TRACE_BY_ID && id_parse(word, &id)) {
        id_write(id, text);
        buffer_put(to, (struct bytes){ text, ID_TEXT });
    } else if (by == TRACE_BY_ADDRESS && address_parse(bare, true, &address, NULL)) {
        address_put_normal(to, address);
    } else {
        buffer_put(to, bare);
    }
}
