/* SPDX-License-Identifier: ISC */
#include "plan/conf.h"

#include "base/safe.h"
#include "plan/conf_int.h"

#include <assert.h>

const struct conf_setting conf_settings[CONF_SETTINGS] = {
#define C(kind, field, word, preset, least, most, about) \
    [CONF_AT_##field] = { word, preset, about, CONF_##kind, offsetof(struct conf, field), \
                          least, most },
    CONF_LIST(C)
#undef C
};

/* Columns are counted in characters, as editors do: every octet that does not continue one. */
static unsigned column_of(struct bytes line, struct bytes found)
{
    unsigned column = 1;

    for (const char *at = line.at; at < found.at && at < line.at + line.n; at++)
        column += (octet(*at) & 0xC0) != 0x80;
    return column;
}

bool conf_refuse(struct conf_reading *reading, struct bytes found, const char *expected,
                 const char *nearest)
{
    reading->flaw = (struct conf_flaw){
        .line = reading->line_number,
        .column = reading->line_number == 0 ? 0 : column_of(reading->line, found),
        .expected = expected,
        .found = found,
        .nearest = nearest,
    };
    return false;
}

static const struct conf_setting *find_setting(struct bytes word)
{
    for (size_t i = 0; i < CONF_SETTINGS; i++)
        if (bytes_equal(word, bytes_of(conf_settings[i].word)))
            return &conf_settings[i];
    return NULL;
}

static bool refuse_word(struct conf_reading *reading, struct conf_word word)
{
    const char *words[CONF_SETTINGS];

    for (size_t i = 0; i < CONF_SETTINGS; i++)
        words[i] = conf_settings[i].word;
    return conf_refuse(reading, word.written, "a setting",
                       conf_nearest(word.text, words, CONF_SETTINGS));
}

/* "Expected WHAT word": the pieces of a sentence about one setting, kept in the arena. */
static const char *about_setting(struct conf_reading *reading, const char *before, const char *word,
                                 const char *after, unsigned line)
{
    struct buffer text = buffer_with_most(512);

    buffer_put_text(&text, before);
    buffer_put_text(&text, word);
    buffer_put_text(&text, after);
    if (line > 0)
        buffer_put_uint(&text, line);
    buffer_put_char(&text, '\0');
    struct bytes kept = text.bad ? (struct bytes){ NULL, 0 }
                                 : arena_copy(reading->arena, buffer_bytes(&text));
    buffer_done(&text);
    return kept.at == NULL ? "less text: memory is short" : kept.at;
}

static bool take_values(struct conf_reading *reading, const struct conf_setting *setting)
{
    struct conf_word value;
    enum conf_took took = conf_take_word(reading, &value);

    if (took == CONF_TOOK_END)
        return conf_refuse(reading, bytes_skip(reading->line, reading->line.n),
                           about_setting(reading, "a value after ", setting->word, "", 0), NULL);
    for (size_t n = 0; took == CONF_TOOK_WORD; n++) {
        if (n > 0 && !conf_is_list(setting))
            return conf_refuse(reading, value.written,
                               about_setting(reading, "one value for ", setting->word,
                                             " (in quotes when it holds blanks)", 0), NULL);
        reading->at_value = n;
        if (!conf_take_value(reading, setting, value))
            return false;
        took = conf_take_word(reading, &value);
    }
    if (took == CONF_TOOK_END && setting->kind == CONF_fors
        && !conf_for_is_whole(reading->conf.for_domain.list[reading->conf.for_domain.n - 1]))
        return conf_refuse(reading, bytes_skip(reading->line, reading->line.n),
                           "a setting and its value for that domain", NULL);
    return took == CONF_TOOK_END;
}

static bool take_line(struct conf_reading *reading)
{
    struct conf_word word;
    enum conf_took took = conf_take_word(reading, &word);

    if (took != CONF_TOOK_WORD)
        return took == CONF_TOOK_END;
    const struct conf_setting *setting = find_setting(word.text);
    if (setting == NULL || word.written.at[0] == '"')
        return refuse_word(reading, word);
    unsigned *seen = &reading->seen[setting - conf_settings];
    if (*seen > 0 && !conf_is_list(setting))
        return conf_refuse(reading, word.written,
                           about_setting(reading, "", setting->word,
                                         " only once; it stands already in line ", *seen), NULL);
    if (*seen == 0)
        *seen = reading->line_number;
    return take_values(reading, setting);
}

/* Laws for every line, comments too: its length, and no control characters but tabs. */
static bool check_line(struct conf_reading *reading)
{
    struct bytes line = reading->line;

    if (line.n > LIMIT_CONF_LINE)
        return conf_refuse(reading, bytes_first(bytes_skip(line, LIMIT_CONF_LINE), 1),
                           "a line of at most 4096 octets", NULL);
    for (size_t i = 0; i < line.n; i++)
        if (octet(line.at[i]) < ' ' && line.at[i] != '\t')
            return conf_refuse(reading, bytes_first(bytes_skip(line, i), 1),
                               "text without control characters", NULL);
    return true;
}

static bool take_lines(struct conf_reading *reading, struct bytes text)
{
    if (bytes_begins(text, BYTES("\xEF\xBB\xBF")))
        text = bytes_skip(text, 3);
    while (bytes_cut(&text, '\n', &reading->line)) {
        reading->line_number++;
        reading->at = 0;
        if (bytes_ends(reading->line, BYTES("\r")))
            reading->line.n--;
        if (!check_line(reading) || !take_line(reading))
            return false;
    }
    return true;
}

/* What was not given gets its default, which reads like a value. A needed one has none. */
static bool take_presets(struct conf_reading *reading)
{
    reading->line_number = 0;
    for (size_t i = 0; i < CONF_SETTINGS; i++) {
        const struct conf_setting *setting = &conf_settings[i];
        struct bytes preset = bytes_of(setting->preset);
        struct conf_word value = { preset, preset };
        if (reading->seen[i] > 0)
            continue;
        if (preset.n == 0 && setting->least == 1)
            return conf_refuse(reading, BYTES_NONE,
                               about_setting(reading, "a line that sets ", setting->word, "", 0),
                               setting->word);
        for (struct bytes rest = preset; bytes_cut(&rest, ' ', &value.text);)
            if (!conf_take_value(reading, setting, value))
                return false;
    }
    return true;
}

static bool is_listed(const struct conf_texts *names, struct bytes domain)
{
    for (size_t i = 0; i < names->n; i++)
        if (bytes_equal_nocase(names->list[i], domain))
            return true;
    return false;
}

/* Every domain's mail needs a place to go. */
static bool check_places(struct conf_reading *reading)
{
    const struct conf_texts *domains = &reading->conf.domains_ascii;
    const struct conf_texts *keepers = &reading->conf.system_domains;
    bool whole = keepers->n > 0;

    if (keepers->n > LIMIT_SYSTEM_DOMAINS)
        return conf_refuse(reading, BYTES_NONE, "at most 64 domains for system-users", NULL);
    for (size_t i = 0; i < keepers->n; i++)
        if (!is_listed(domains, keepers->list[i]))
            return conf_refuse(reading, BYTES_NONE,
                               "for system-users only domains that domain lines give", "domain");
    for (size_t i = 0; i < domains->n && whole; i++)
        whole = is_listed(keepers, domains->list[i]);
    whole = whole || reading->conf.mailboxes.n > 0;
    for (size_t i = 0; i < reading->conf.lmtp.n; i++) {
        struct conf_route route;
        if (conf_route_parse(reading->conf.lmtp.list[i], &route))
            whole = whole || route.domain.n == 0;
    }
    return whole || conf_refuse(reading, BYTES_NONE,
                                "a line that sets mailboxes, or lmtp for all domains",
                                "mailboxes");
}

bool conf_read(struct bytes text, struct bytes folder, struct arena *arena, struct conf *ret_conf,
               struct conf_flaw *ret_flaw)
{
    struct conf_reading reading = { .folder = folder, .arena = arena };
    bool read;

    if (text.n > LIMIT_CONF_BYTES)
        read = conf_refuse(&reading, BYTES_NONE, "a file of at most 1 MiB", NULL);
    else
        read = take_lines(&reading, text) && take_presets(&reading) && check_places(&reading);
    if (read)
        *ret_conf = reading.conf;
    else
        *ret_flaw = reading.flaw;
    return read;
}

void conf_flaw_put(struct buffer *to, struct bytes file, const struct conf_flaw *flaw)
{
    enum { FOUND_MOST = 64 };

    safe_put_plain(to, file);
    if (flaw->line > 0) {
        buffer_put_char(to, ':');
        buffer_put_uint(to, flaw->line);
        buffer_put_char(to, ':');
        buffer_put_uint(to, flaw->column);
    }
    buffer_put(to, BYTES(": expected "));
    buffer_put_text(to, flaw->expected);
    if (flaw->found.n > 0) {
        buffer_put(to, BYTES(", found \""));
        safe_put(to, bytes_first(flaw->found, FOUND_MOST));
        buffer_put(to, flaw->found.n > FOUND_MOST ? BYTES("...\"") : BYTES("\""));
    } else if (flaw->line > 0) {
        buffer_put(to, BYTES(", found the end of the line"));
    }
    if (flaw->nearest != NULL && flaw->line > 0) {
        buffer_put(to, BYTES("; did you mean \""));
        buffer_put_text(to, flaw->nearest);
        buffer_put(to, BYTES("\"?"));
    }
}
