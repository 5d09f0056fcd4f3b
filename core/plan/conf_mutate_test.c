/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan/conf.h"

/* Every setting of the list, with a value that is well, mutated at random from a fixed seed: the
   reader says yes with a whole configuration, or no with a place inside the file and words. */
enum { MUTATIONS = 3000, TEXT_MOST = 4096 };

static const struct { const char *word, *preset; } settings[] = {
#define C(kind, field, word, preset, least, most, about) { word, preset },
    CONF_LIST(C)
#undef C
};

static uint64_t dice = 0x9E3779B97F4A7C15;

static size_t roll(size_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (size_t)(dice % below);
}

static void put_file(struct buffer *text, size_t setting)
{
    buffer_clear(text);
    buffer_put(text, BYTES("host mx.example.org\ndomain example.org\nmailboxes /m\n"));
    if (settings[setting].preset[0] == '\0')
        buffer_clear(text);     /* one of those three, or `log` */
    buffer_put_text(text, settings[setting].word);
    buffer_put_char(text, ' ');
    buffer_put_text(text, settings[setting].preset);
    if (settings[setting].preset[0] == '\0')
        buffer_put(text, BYTES("a.example"));
    buffer_put(text, BYTES("\n"));
}

static void mutate(struct buffer *text)
{
    static const char *const bits[] = {
        "\"", "\\", "#", "\n", "\r\n", "-", "0x", "99999999999999999999", "K", "d", " ", "\t",
        "\xff", "\xc3\xa9", "${a}", "*:", "[::1]:1", ".", "yes", "\x1b", "/", "host ", "domain ",
    };
    size_t at = roll(text->n), times = 1 + roll(3);

    for (size_t i = 0; i < times && text->n > 1; i++, at = roll(text->n)) {
        const char *bit = bits[roll(COUNT(bits))];
        size_t n = strlen(bit);
        if (roll(3) == 0) {
            text->at[at] = (char)roll(256);
        } else if (roll(2) == 0) {
            memmove(text->at + at, text->at + at + 1, text->n - at - 1);
            text->n--;
        } else if (buffer_grow(text, n) != NULL) {
            memmove(text->at + at + n, text->at + at, text->n - at - n);
            memcpy(text->at + at, bit, n);
        }
    }
}

static bool is_whole(const struct conf *conf)
{
    return conf->host.n > 0 && conf->host_ascii.n > 0 && conf->domains.n > 0
        && conf->domains.n == conf->domains_ascii.n && conf->listen.n > 0 && conf->jobs >= 1
        && conf->mailboxes.at[0] == '/' && conf->spool.at[0] == '/' && conf->control.n <= 107;
}

/* CFG-008 */
static void any_mutation_is_answered(void **state)
{
    struct buffer text = buffer_with_most(TEXT_MOST), words = buffer_with_most(TEXT_MOST);
    struct arena arena = arena_with_ceiling(LIMIT_CONF_MEMORY);
    size_t read = 0, refused = 0;

    for (size_t i = 0; i < COUNT(settings) * MUTATIONS; i++) {
        struct conf conf;
        struct conf_flaw flaw;
        put_file(&text, i % COUNT(settings));
        mutate(&text);
        if (conf_read(buffer_bytes(&text), BYTES("/etc"), &arena, &conf, &flaw)) {
            read++;
            assert_true(is_whole(&conf));
        } else {
            refused++;
            buffer_clear(&words);
            conf_flaw_put(&words, BYTES("f"), &flaw);
            assert_false(words.bad);
            assert_true(flaw.expected != NULL && flaw.expected[0] != '\0');
            assert_int_equal(flaw.line > 0, flaw.column > 0);
            assert_true(bytes_find(buffer_bytes(&words), '\n') == words.n);
        }
        arena_reset(&arena);
    }
    assert_true(read > 1000 && refused > 1000);     /* else it mutates too little or too much */
    buffer_done(&text);
    buffer_done(&words);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_mutation_is_answered) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
