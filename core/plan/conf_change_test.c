/* SPDX-License-Identifier: ISC */
#include "plan/conf_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char base[] = "host mx.example.org\ndomain example.org\nmailboxes /mail\n";

struct two {
    struct arena arenas[2];
    struct conf confs[2];
};

static void read_one(const char *more, struct arena *arena, struct conf *ret_conf)
{
    struct buffer text = buffer_with_most(4096);
    struct conf_flaw flaw;

    buffer_put_text(&text, base);
    buffer_put_text(&text, more);
    *arena = arena_with_ceiling(LIMIT_CONF_MEMORY);
    assert_true(conf_read(buffer_bytes(&text), BYTES("/etc"), arena, ret_conf, &flaw));
    buffer_done(&text);
}

static struct two read_two(const char *before, const char *after)
{
    struct two two;

    read_one(before, &two.arenas[0], &two.confs[0]);
    read_one(after, &two.arenas[1], &two.confs[1]);
    return two;
}

static void forget(struct two *two)
{
    arena_done(&two->arenas[0]);
    arena_done(&two->arenas[1]);
}

static void differences_in_words(void **state)
{
    static const struct {
        const char *before, *after, *wanted;
        size_t n;
    } rows[] = {
        { "", "", "", 0 },
        { "size-limit 50M\n", "", "", 0 },              /* as the default says */
        { "", "size-limit 60M\n", "size-limit: 50M -> 60M\n", 1 },
        { "", "size-limit 65537\n", "size-limit: 50M -> 65537\n", 1 },
        { "space-reserve 2G\n", "space-reserve 0\n", "space-reserve: 2G -> 0\n", 1 },
        { "retry 1500ms\n", "retry 90s 24h\n", "retry: 1500ms -> 90s 1d\n", 1 },
        { "history-keep 48h\n", "history-keep 36h\n", "history-keep: 2d -> 36h\n", 1 },
        { "", "deliver no\n", "deliver: yes -> no\n", 1 },
        { "", "log /var/log/postern\n",
          "log: (none) -> /var/log/postern (needs a restart)\n", 1 },
        { "", "domain example.net\n", "domain: example.org -> example.org example.net\n", 1 },
        { "listen *:25\n", "listen 127.0.0.1:25 [::1]:25\n",
          "listen: *:25 -> 127.0.0.1:25 [::1]:25\n", 1 },
        { "listen *:25 *:465 tls\n", "listen *:25 tls *:465\n",
          "listen: *:25 *:465 tls -> *:25 tls *:465\n", 1 },
        { "spool /a\n", "spool /b\nfronts 3\ncontrol /c\nsegment-size 1M\n",
          "spool: /a -> /b (needs a restart)\n"
          "control: /run/postern/control -> /c (needs a restart)\n"
          "fronts: 0 -> 3 (needs a restart)\n"
          "segment-size: 64M -> 1M (needs a restart)\n", 4 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer words = buffer_with_most(4096);
        struct two two = read_two(rows[i].before, rows[i].after);
        assert_int_equal(conf_put_changes(&words, &two.confs[0], &two.confs[1]), rows[i].n);
        buffer_put_char(&words, '\0');
        assert_string_equal(words.at, rows[i].wanted);
        buffer_done(&words);
        forget(&two);
    }
}

/* What is kept lives in the arena of the new one, so that the old one can go. */
static void what_is_fixed_is_kept(void **state)
{
    struct two two = read_two("spool /a\nlog /l\nfronts 2\n",
                              "spool /b\ncontrol /c\nfronts 3\nsegment-size 1M\nretry 2m\n");

    (void)state;
    assert_true(conf_keep_fixed(&two.confs[0], &two.arenas[1], &two.confs[1]));
    arena_done(&two.arenas[0]);
    assert_true(bytes_equal(two.confs[1].spool, BYTES("/a")));
    assert_true(bytes_equal(two.confs[1].log, BYTES("/l")));
    assert_true(bytes_equal(two.confs[1].control, BYTES("/run/postern/control")));
    assert_int_equal(two.confs[1].fronts, 2);
    assert_int_equal(two.confs[1].segment, 64 << 20);
    assert_int_equal(two.confs[1].retry.ms[0], 120000);
    arena_done(&two.arenas[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_in_words), cmocka_unit_test(what_is_fixed_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
