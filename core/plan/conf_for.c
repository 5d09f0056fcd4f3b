/* SPDX-License-Identifier: ISC
 *
 * Settings of one domain: for-domain DOMAIN WORD VALUE ... [WORD VALUE ...]. A line is kept as one
 * text, the domain as A-labels in front.
 */
#include "plan/conf_int.h"

#include "mail/domain.h"

#include <stddef.h>
#include <string.h>

static const uint8_t for_settings[] = {
    CONF_AT_retry, CONF_AT_give_up_ms, CONF_AT_delay_report_ms, CONF_AT_destination_most,
    CONF_AT_destination_rate, CONF_AT_connection_letters, CONF_AT_tls_policy, CONF_AT_route,
};

static const struct conf_setting *word_of(struct bytes text)
{
    for (size_t i = 0; i < COUNT(for_settings); i++)
        if (bytes_equal(text, bytes_of(conf_settings[for_settings[i]].word)))
            return &conf_settings[for_settings[i]];
    return NULL;
}

/* ---- read */

static const struct conf_setting *last_word(struct bytes line, bool *ret_has_value)
{
    const struct conf_setting *last = NULL;
    struct bytes word;

    *ret_has_value = false;
    (void)bytes_cut(&line, ' ', &word);
    while (bytes_cut(&line, ' ', &word)) {
        const struct conf_setting *setting = word_of(word);
        *ret_has_value = setting == NULL;
        last = setting == NULL ? last : setting;
    }
    return last;
}

bool conf_for_is_whole(struct bytes line)
{
    bool has_value;

    return last_word(line, &has_value) != NULL && has_value;
}

/* The same as a line of its own would say: DOMAIN=VALUE. */
static bool take_elsewhere(struct conf_reading *reading, const struct conf_setting *setting,
                           struct bytes domain, struct conf_word value)
{
    struct buffer text = buffer_with_most(LIMIT_CONF_LINE);

    buffer_put(&text, domain);
    buffer_put_char(&text, '=');
    buffer_put(&text, value.text);
    struct conf_word whole = { buffer_bytes(&text), value.written };
    bool taken = !text.bad && conf_take_value(reading, setting, whole);
    buffer_done(&text);
    return taken;
}

static bool take_word_or_value(struct conf_reading *reading, struct conf_word value,
                               struct bytes line)
{
    const char *words[COUNT(for_settings)];
    bool has_value;
    const struct conf_setting *now = last_word(line, &has_value), *next = word_of(value.text);
    uint64_t amount;

    for (size_t i = 0; i < COUNT(words); i++)
        words[i] = conf_settings[for_settings[i]].word;
    if (next != NULL && (now == NULL || has_value))
        return true;
    if (now == NULL || next != NULL || (has_value && now->kind != CONF_spans))
        return conf_refuse(reading, value.written, next != NULL && now != NULL ? "a value"
                           : "retry, give-up-after, delay-report, destination-connections, "
                             "destination-rate, connection-letters, tls-policy or route",
                           conf_nearest(value.text, words, COUNT(words)));
    if (now->kind == CONF_policies || now->kind == CONF_hops)
        return take_elsewhere(reading, now, bytes_upto(line, ' '), value);
    return conf_take_amount(reading, now, value, &amount);
}

/* The last line of the list gets one word more. */
static bool append(struct conf_reading *reading, struct conf_list *list, struct bytes word)
{
    struct bytes before = list->list[list->n - 1];
    char *text = arena_take(reading->arena, before.n + 1 + word.n);

    if (text == NULL)
        return false;
    memcpy(text, before.at, before.n);
    text[before.n] = ' ';
    memcpy(text + before.n + 1, word.at, word.n);
    list->list[list->n - 1] = (struct bytes){ text, before.n + 1 + word.n };
    return true;
}

bool conf_take_fors(struct conf_reading *reading, const struct conf_setting *setting,
                    struct conf_word value, void *field)
{
    size_t i = (size_t)(setting - conf_settings);
    struct conf_list *list = &reading->lists[i];

    if (value.text.n == 0 || bytes_find(value.text, ' ') < value.text.n)
        return conf_refuse(reading, value.written, "one word", NULL);
    if (reading->at_value > 0) {
        if (!take_word_or_value(reading, value, list->list[list->n - 1]))
            return false;
        return append(reading, list, value.text)
            || conf_refuse(reading, value.written, "less text: memory is short", NULL);
    }
    struct bytes domain = conf_domain_ascii(reading->arena, value.text);
    if (domain.at == NULL)
        return conf_refuse(reading, value.written, "a domain name such as example.org", NULL);
    return conf_put_in_list(reading, i, domain, field)
        || conf_refuse(reading, value.written, "less text: memory is short", NULL);
}

/* ---- used */

static void take_one(struct conf_for *what, const struct conf_setting *setting, struct bytes value,
                     bool first)
{
    static const struct { uint8_t setting; size_t field; } fields[] = {
        { CONF_AT_give_up_ms, offsetof(struct conf_for, give_up_ms) },
        { CONF_AT_delay_report_ms, offsetof(struct conf_for, delay_report_ms) },
        { CONF_AT_destination_most, offsetof(struct conf_for, destination_most) },
        { CONF_AT_destination_rate, offsetof(struct conf_for, destination_rate) },
        { CONF_AT_connection_letters, offsetof(struct conf_for, connection_letters) },
    };
    uint64_t amount = 0;

    if (!conf_read_amount(setting->kind, value, &amount))
        return;                     /* a policy, a route: they have lists of their own */
    for (size_t i = 0; i < COUNT(fields); i++)
        if (setting == &conf_settings[fields[i].setting])
            memcpy((char *)what + fields[i].field, &amount, sizeof(amount));
    if (setting != &conf_settings[CONF_AT_retry])
        return;
    what->retry.n = first ? 0 : what->retry.n;
    if (what->retry.n < CONF_SPANS)
        what->retry.ms[what->retry.n++] = amount;
}

static void take_line(struct conf_for *what, struct bytes line)
{
    const struct conf_setting *setting = NULL;
    struct bytes word;
    bool first = false;

    while (bytes_cut(&line, ' ', &word)) {
        const struct conf_setting *next = word_of(word);
        if (next == NULL && setting != NULL)
            take_one(what, setting, word, first);
        first = next != NULL;
        setting = next == NULL ? setting : next;
    }
}

void conf_for_domain(const struct conf *conf, struct bytes domain_ascii, struct conf_for *ret_for)
{
    *ret_for = (struct conf_for){
        .retry = conf->retry, .give_up_ms = conf->give_up_ms,
        .delay_report_ms = conf->delay_report_ms, .destination_most = conf->destination_most,
        .destination_rate = conf->destination_rate,
        .connection_letters = conf->connection_letters,
    };
    for (size_t i = 0; i < conf->for_domain.n; i++) {
        struct bytes line = conf->for_domain.list[i], domain = bytes_upto(line, ' ');
        if (bytes_equal_nocase(domain, domain_ascii))
            take_line(ret_for, bytes_skip(line, domain.n + 1));
    }
}

void conf_for_address(const struct conf *conf, struct bytes address, struct conf_for *ret_for)
{
    struct buffer ascii = buffer_with_most(LIMIT_PATH);
    size_t at = bytes_find_last(address, '@');
    bool known = conf->for_domain.n > 0 && at < address.n
              && domain_to_ascii(bytes_skip(address, at + 1), &ascii) && !ascii.bad;

    conf_for_domain(conf, known ? buffer_bytes(&ascii) : BYTES_NONE, ret_for);
    buffer_done(&ascii);
}
