/* SPDX-License-Identifier: ISC */
#include "plan/conf_int.h"

#include "base/ip.h"
#include "base/number.h"
#include "mail/address.h"
#include "plan/net.h"

#include <string.h>

enum { LIST_FIRST = 4, PATH_MOST = 4095, EXPECTED_MOST = 256 };

static bool refuse_memory(struct conf_reading *reading, struct conf_word value)
{
    return conf_refuse(reading, value.written, "less text: memory is short", NULL);
}

/* The text in the arena, ended for a flaw's `expected`. */
static const char *keep_words(struct conf_reading *reading, struct buffer *text)
{
    buffer_put_char(text, '\0');
    struct bytes kept = text->bad ? (struct bytes){ NULL, 0 }
                                  : arena_copy(reading->arena, buffer_bytes(text));
    buffer_done(text);
    return kept.at == NULL ? "another value" : kept.at;
}

bool conf_put_in_list(struct conf_reading *reading, size_t i, struct bytes text,
                      struct conf_texts *ret_texts)
{
    struct conf_list *list = &reading->lists[i];

    if (list->n == list->room) {
        size_t room = list->room == 0 ? LIST_FIRST : list->room * 2;
        struct bytes *wider = arena_take(reading->arena, room * sizeof(*wider));
        if (wider == NULL)
            return false;
        if (list->n > 0)
            memcpy(wider, list->list, list->n * sizeof(*wider));
        *list = (struct conf_list){ wider, list->n, room };
    }
    list->list[list->n++] = text;
    *ret_texts = (struct conf_texts){ list->list, list->n };
    return true;
}

static bool take_domain(struct conf_reading *reading, struct conf_word value,
                        struct bytes *ret_given, struct bytes *ret_ascii)
{
    struct bytes ascii = conf_domain_ascii(reading->arena, value.text);

    if (ascii.at == NULL && reading->arena->full)
        return refuse_memory(reading, value);
    if (ascii.at == NULL)
        return conf_refuse(reading, value.written, "a domain name such as mx.example.org", NULL);
    *ret_given = arena_copy(reading->arena, value.text);
    *ret_ascii = ascii;
    return ret_given->at != NULL || refuse_memory(reading, value);
}

static bool take_name(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    struct bytes given, ascii;
    bool host = setting == &conf_settings[CONF_AT_host];

    if (!take_domain(reading, value, &given, &ascii))
        return false;
    *(struct bytes *)field = host ? given : ascii;
    if (host)
        reading->conf.host_ascii = ascii;
    return true;
}

static bool take_names(struct conf_reading *reading, const struct conf_setting *setting,
                       struct conf_word value, void *field)
{
    struct bytes given, ascii;

    if (!take_domain(reading, value, &given, &ascii))
        return false;
    bool ours = setting == &conf_settings[CONF_AT_domains];
    if (!conf_put_in_list(reading, (size_t)(setting - conf_settings), ours ? given : ascii, field)
        || (ours && !conf_put_in_list(reading, CONF_SETTINGS, ascii, &reading->conf.domains_ascii)))
        return refuse_memory(reading, value);
    return true;
}

/* The address before it on the line speaks TLS from the first octet. */
static bool take_tls(struct conf_reading *reading, struct conf_word value, size_t entry)
{
    if (entry >= CONF_LISTEN_TLS_MOST)
        return conf_refuse(reading, value.written, "tls behind one of the first 64 addresses",
                           NULL);
    reading->conf.listen_tls |= (uint64_t)1 << entry;
    return true;
}

bool conf_listen_is_tls(const struct conf *conf, uint32_t entry)
{
    return entry < CONF_LISTEN_TLS_MOST && (conf->listen_tls >> entry & 1) != 0;
}

uint64_t conf_connections(const struct conf *conf)
{
    uint64_t most = conf->connections == 0 ? LIMIT_CONNECTIONS : conf->connections;
    uint64_t share = conf->connections_total / (conf->fronts == 0 ? 1 : conf->fronts);

    if (conf->connections_total == 0)
        return most;
    return share == 0 ? 1 : share < most ? share : most;
}

static bool take_listens(struct conf_reading *reading, const struct conf_setting *setting,
                         struct conf_word value, void *field)
{
    struct conf_texts *list = field;
    struct conf_listen listen;
    struct bytes kept;

    if (bytes_equal(value.text, BYTES("tls")) && list->n > 0 && reading->at_value > 0)
        return take_tls(reading, value, list->n - 1);
    if (!conf_listen_parse(value.text, &listen))
        return conf_refuse(reading, value.written,
                           "ADDRESS:PORT, [IPV6]:PORT or *:PORT, with a port from 1 to 65535",
                           NULL);
    kept = arena_copy(reading->arena, value.text);
    return (kept.at != NULL
            && conf_put_in_list(reading, (size_t)(setting - conf_settings), kept, field))
        || refuse_memory(reading, value);
}

static bool take_servers(struct conf_reading *reading, const struct conf_setting *setting,
                         struct conf_word value, void *field)
{
    struct conf_listen at;
    struct bytes kept;

    if (!conf_listen_parse(value.text, &at) || at.any)
        return conf_refuse(reading, value.written,
                           "ADDRESS:PORT or [IPV6]:PORT, with a port from 1 to 65535", NULL);
    kept = arena_copy(reading->arena, value.text);
    return (kept.at != NULL
            && conf_put_in_list(reading, (size_t)(setting - conf_settings), kept, field))
        || refuse_memory(reading, value);
}

static bool take_nets(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    struct net net;
    struct bytes kept;

    if (!net_parse(value.text, &net))
        return conf_refuse(reading, value.written,
                           "a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, with no "
                           "bit set behind its prefix", NULL);
    kept = arena_copy(reading->arena, value.text);
    return (kept.at != NULL
            && conf_put_in_list(reading, (size_t)(setting - conf_settings), kept, field))
        || refuse_memory(reading, value);
}

static bool take_path(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    bool absolute = value.text.n > 0 && value.text.at[0] == '/';
    struct bytes folder = absolute ? BYTES_NONE : reading->folder;
    size_t slash = absolute || bytes_ends(folder, BYTES("/")) ? 0 : 1;
    size_t n = folder.n + slash + value.text.n;
    size_t most = setting->most == 0 ? PATH_MOST : (size_t)setting->most;

    if (value.text.n == 0)
        return conf_refuse(reading, value.written, "a path", NULL);
    if (n > most) {
        struct buffer expected = buffer_with_most(EXPECTED_MOST);
        buffer_put(&expected, BYTES("a path of at most "));
        buffer_put_uint(&expected, most);
        buffer_put(&expected, BYTES(" octets"));
        return conf_refuse(reading, value.written, keep_words(reading, &expected), NULL);
    }
    char *at = arena_take(reading->arena, n);
    if (at == NULL)
        return refuse_memory(reading, value);
    memcpy(at, folder.at, folder.n);
    memset(at + folder.n, '/', slash);
    memcpy(at + folder.n + slash, value.text.at, value.text.n);
    *(struct bytes *)field = (struct bytes){ at, n };
    return true;
}

struct unit {
    const char *name;
    uint64_t of;
};

/* A kind of number: what to call it, and its units, the largest first. */
struct measure {
    const char *what;
    struct unit units[5];
    size_t n;
};

static const struct measure counts = { "a number", { { "", 1 } }, 1 };
static const struct measure sizes = {
    "a number of octets such as 65536, 64K, 50M or 1G",
    { { "G", 1u << 30 }, { "M", 1u << 20 }, { "K", 1u << 10 }, { "", 1 } }, 4,
};
static const struct measure spans = {
    "a time such as 500ms, 30s, 5m, 2h or 7d",
    { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } }, 5,
};

/* In the largest unit that leaves no rest, so that a bound reads as its owner would write it. */
static void put_amount(struct buffer *to, uint64_t amount, const struct measure *measure)
{
    size_t i = 0;

    while (i + 1 < measure->n && (amount == 0 || amount % measure->units[i].of != 0))
        i++;
    buffer_put_uint(to, amount / measure->units[i].of);
    buffer_put_text(to, measure->units[i].name);
}

/* NULL: not a number. */
static const struct measure *measure_of(enum conf_kind kind)
{
    return kind == CONF_count ? &counts : kind == CONF_size ? &sizes
         : kind == CONF_span || kind == CONF_spans ? &spans : NULL;
}

void conf_put_range(struct buffer *to, const struct conf_setting *setting)
{
    const struct measure *measure = measure_of(setting->kind);

    if (measure == NULL)
        return;
    if (setting->most > 0) {
        buffer_put(to, BYTES(" from "));
        put_amount(to, setting->least, measure);
        buffer_put(to, BYTES(" to "));
        put_amount(to, setting->most, measure);
    } else if (setting->least > 0) {
        buffer_put(to, BYTES(", at least "));
        put_amount(to, setting->least, measure);
    }
}

static bool refuse_number(struct conf_reading *reading, const struct conf_setting *setting,
                          struct conf_word value)
{
    const struct measure *measure = measure_of(setting->kind);
    struct buffer expected = buffer_with_most(EXPECTED_MOST);

    buffer_put_text(&expected, measure->what);
    conf_put_range(&expected, setting);
    return conf_refuse(reading, value.written, keep_words(reading, &expected), NULL);
}

/* Decimal digits and one of the units. A leading zero is refused: some programs read it as
   octal. */
static bool parse_amount(struct bytes text, const struct measure *measure, uint64_t *ret_amount)
{
    size_t digits = 0;
    uint64_t number;

    while (digits < text.n && is_digit(text.at[digits]))
        digits++;
    if ((digits > 1 && text.at[0] == '0') || !number_parse(bytes_first(text, digits), &number))
        return false;
    for (size_t i = 0; i < measure->n; i++)
        if (bytes_equal(bytes_skip(text, digits), bytes_of(measure->units[i].name)))
            return multiply_fits(number, measure->units[i].of, ret_amount);
    return false;
}

bool conf_read_amount(enum conf_kind kind, struct bytes text, uint64_t *ret_amount)
{
    return measure_of(kind) != NULL && parse_amount(text, measure_of(kind), ret_amount);
}

bool conf_take_amount(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    uint64_t amount;

    if (!parse_amount(value.text, measure_of(setting->kind), &amount) || amount < setting->least
        || (setting->most > 0 && amount > setting->most))
        return refuse_number(reading, setting, value);
    *(uint64_t *)field = amount;
    return true;
}

static bool take_spans(struct conf_reading *reading, const struct conf_setting *setting,
                       struct conf_word value, void *field)
{
    struct conf_spans *list = field;
    uint64_t ms = 0;

    if (list->n == CONF_SPANS)
        return conf_refuse(reading, value.written, "at most 32 times", NULL);
    if (!conf_take_amount(reading, setting, value, &ms))
        return false;
    list->ms[list->n++] = ms;
    return true;
}

/* A text of one kind, kept as written. */
static bool keep_text(struct conf_reading *reading, struct conf_word value, struct bytes *ret_text)
{
    *ret_text = arena_copy(reading->arena, value.text);
    return ret_text->at != NULL || refuse_memory(reading, value);
}

static bool take_routes(struct conf_reading *reading, const struct conf_setting *setting,
                        struct conf_word value, void *field)
{
    struct conf_route route;
    struct bytes kept;

    if (!conf_route_parse(value.text, &route))
        return conf_refuse(reading, value.written,
                           "unix:/PATH, ADDRESS:PORT or [IPV6]:PORT, or DOMAIN= and one of them",
                           NULL);
    return keep_text(reading, value, &kept)
        && (conf_put_in_list(reading, (size_t)(setting - conf_settings), kept, field)
            || refuse_memory(reading, value));
}

/* [DOMAIN=]REST with the domain as A-labels, behind what `to` holds; false: it is none. */
static bool put_of_domain(struct conf_reading *reading, struct bytes text, struct buffer *to)
{
    size_t equals = bytes_find(text, '=');
    struct bytes domain = BYTES_NONE;

    if (equals < text.n) {
        domain = conf_domain_ascii(reading->arena, bytes_first(text, equals));
        if (domain.at == NULL)
            return false;
        buffer_put(to, domain);
        buffer_put_char(to, '=');
        text = bytes_skip(text, equals + 1);
    }
    buffer_put(to, text);
    return !to->bad;
}

/* Puts the value into its list when that function takes it in the form it will have there. */
static bool take_of_domain(struct conf_reading *reading, const struct conf_setting *setting,
                           struct conf_word value, void *field, bool (*is_well)(struct bytes text),
                           const char *expected)
{
    struct buffer text = buffer_with_most(LIMIT_CONF_LINE);
    bool well = put_of_domain(reading, value.text, &text) && is_well(buffer_bytes(&text));
    struct bytes kept = well ? arena_copy(reading->arena, buffer_bytes(&text)) : BYTES_NONE;

    buffer_done(&text);
    if (!well)
        return conf_refuse(reading, value.written, expected, NULL);
    return (kept.at != NULL
            && conf_put_in_list(reading, (size_t)(setting - conf_settings), kept, field))
        || refuse_memory(reading, value);
}

static bool is_hop(struct bytes text)
{
    struct conf_hop hop;

    return conf_hop_parse(text, &hop) && hop.domain.n > 0;
}

static bool is_smarthost(struct bytes text)
{
    struct conf_hop hop;

    return conf_hop_parse(text, &hop) && hop.domain.n == 0;
}

static bool take_hops(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    bool smart = setting == &conf_settings[CONF_AT_smarthost];

    return take_of_domain(reading, setting, value, field, smart ? is_smarthost : is_hop,
                          smart ? "HOST or HOST:PORT" : "DOMAIN=HOST or DOMAIN=HOST:PORT");
}

static bool is_policy(struct bytes text)
{
    struct bytes domain;
    enum conf_tls policy;

    return conf_tls_parse(text, &domain, &policy);
}

static bool take_policies(struct conf_reading *reading, const struct conf_setting *setting,
                          struct conf_word value, void *field)
{
    return take_of_domain(reading, setting, value, field, is_policy,
                          "may, encrypt, verify, dane or none, or DOMAIN= and one of them");
}

static bool take_webs(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    struct conf_texts *list = field;
    struct conf_web web, before = { .off = false };
    struct bytes kept;

    if (!conf_web_parse(value.text, &web))
        return conf_refuse(reading, value.written,
                           "unix:/PATH, or ADDRESS:PORT with an address of this machine alone, "
                           "such as 127.0.0.1:8025, or no", NULL);
    if (list->n > 0 && (web.off || (conf_web_parse(list->list[0], &before) && before.off)))
        return conf_refuse(reading, value.written, "\"no\" alone, or sockets", NULL);
    return keep_text(reading, value, &kept)
        && (conf_put_in_list(reading, (size_t)(setting - conf_settings), kept, field)
            || refuse_memory(reading, value));
}

static bool take_sign(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    static const char signs[] = "+-=_.#~%";

    if (value.text.n != 1 || memchr(signs, value.text.at[0], sizeof(signs) - 1) == NULL)
        return conf_refuse(reading, value.written, "one of the signs + - = _ . # ~ %", NULL);
    return keep_text(reading, value, field);
}

static bool take_mail(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    struct address address;

    if (!address_parse(value.text, true, &address, NULL) || address.domain.n == 0)
        return conf_refuse(reading, value.written, "a mail address such as anna@example.org",
                           NULL);
    return keep_text(reading, value, field);
}

static bool take_flag(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field)
{
    static const char *const words[] = { "no", "yes" };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (bytes_equal(value.text, bytes_of(words[i]))) {
            *(bool *)field = i == 1;
            return true;
        }
    }
    return conf_refuse(reading, value.written, "yes or no",
                       conf_nearest(value.text, words, COUNT(words)));
}

bool conf_take_value(struct conf_reading *reading, const struct conf_setting *setting,
                     struct conf_word value)
{
    static bool (*const takers[CONF_KINDS])(struct conf_reading *, const struct conf_setting *,
                                            struct conf_word, void *) = {
        [CONF_name] = take_name, [CONF_names] = take_names,
        [CONF_path] = take_path, [CONF_listens] = take_listens,
        [CONF_count] = conf_take_amount, [CONF_size] = conf_take_amount,
        [CONF_span] = conf_take_amount, [CONF_flag] = take_flag,
        [CONF_spans] = take_spans, [CONF_routes] = take_routes,
        [CONF_sign] = take_sign, [CONF_mail] = take_mail,
        [CONF_nets] = take_nets, [CONF_webs] = take_webs,
        [CONF_servers] = take_servers, [CONF_hops] = take_hops,
        [CONF_policies] = take_policies, [CONF_fors] = conf_take_fors,
    };

    return takers[setting->kind](reading, setting, value, (char *)&reading->conf + setting->field);
}

bool conf_is_list(const struct conf_setting *setting)
{
    return setting->kind == CONF_names || setting->kind == CONF_listens
        || setting->kind == CONF_spans || setting->kind == CONF_routes
        || setting->kind == CONF_nets || setting->kind == CONF_webs
        || setting->kind == CONF_servers || setting->kind == CONF_hops
        || setting->kind == CONF_policies || setting->kind == CONF_fors;
}

bool conf_listen_parse(struct bytes text, struct conf_listen *ret_listen)
{
    struct conf_listen listen = { 0 };
    size_t colon = bytes_find_last(text, ':');
    struct bytes host = bytes_first(text, colon), port = bytes_skip(text, colon + 1);
    bool bracketed = host.n > 2 && host.at[0] == '[' && host.at[host.n - 1] == ']';
    uint64_t number;

    listen.any = bytes_equal(host, BYTES("*"));
    if (!listen.any && !ip_parse_v4(host, listen.at.ip)
        && !(bracketed && ip_parse_v6((struct bytes){ host.at + 1, host.n - 2 }, listen.at.ip)))
        return false;
    if (!number_parse(port, &number) || number == 0 || number > UINT16_MAX || port.at[0] == '0')
        return false;
    listen.at.port = (uint16_t)number;
    *ret_listen = listen;
    return true;
}
