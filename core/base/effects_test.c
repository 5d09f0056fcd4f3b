/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/effects.h"
#include "base/limits.h"

static struct bytes write_data(void)
{
    char *data = mem_new(3);

    assert_non_null(data);
    return (struct bytes){ data, 3 };
}

static void keeps_each(void **state)
{
    struct effects fx = effects_none();
    struct role_name store = { ROLE_STORE, 0 };
    static const enum effect_kind want[] = {
        FX_SEND, FX_PAUSE, FX_RESUME, FX_CLOSE, FX_ABORT, FX_TELL, FX_ALARM, FX_LOG, FX_SPAWN,
        FX_KILL, FX_EXIT,
    };

    fx_send(&fx, 7, BYTES("250 2.0.0 Ok\r\n"));
    fx_send(&fx, 7, BYTES_NONE);
    fx_pause(&fx, 7);
    fx_resume(&fx, 7);
    fx_close(&fx, 7);
    fx_abort(&fx, 7);
    fx_tell(&fx, store, BYTES("head"), BYTES("body"));
    fx_alarm(&fx, 123);
    fx_log(&fx, LOG_WARN, BYTES("event=x"));
    fx_spawn(&fx, store);
    fx_kill(&fx, store, true);
    fx_exit(&fx, 75);
    assert_int_equal(fx.n, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(fx.list[i].kind, want[i]);
    assert_true(bytes_equal(fx.list[5].more, BYTES("body")));
    assert_int_equal(fx.list[9].number, 1);
    assert_int_equal(fx.list[10].number, 75);
    effects_clear(&fx);
    assert_int_equal(fx.n, 0);
    effects_done(&fx);
}

static void kept_text_lives_until_cleared(void **state)
{
    struct effects fx = effects_none();
    struct buffer *draft = fx_draft(&fx);

    buffer_put(draft, BYTES("first"));
    struct bytes first = fx_keep(&fx, buffer_bytes(draft));
    draft = fx_draft(&fx);
    assert_int_equal(draft->n, 0);
    buffer_put(draft, BYTES("other"));
    assert_true(bytes_equal(first, BYTES("first")));
    assert_false(fx.bad);
    effects_clear(&fx);
    fx_keep(&fx, (struct bytes){ "", LIMIT_KEPT_BYTES + 1 });
    assert_true(fx.bad);
    effects_clear(&fx);
    assert_false(fx.bad);
    effects_done(&fx);
}

/* Out of memory: the role is told that it is bad, and the data of a write is not leaked. */
static void no_memory(void **state)
{
    struct effects fx = effects_none();

    mem_fail_at(2);
    struct bytes data = write_data();
    fx_io(&fx, (struct io){ .kind = IO_WRITE, .data = (char *)(uintptr_t)data.at, .data_n = 3 });
    assert_true(fx.bad);
    assert_int_equal(fx.n, 0);
    effects_clear(&fx);
    mem_fail_at(1);
    assert_int_equal(fx_keep(&fx, BYTES("x")).n, 0);
    assert_true(fx.bad);
    effects_done(&fx);
}

static void many(void **state)
{
    struct effects fx = effects_none();

    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 10000; i++)
            fx_pause(&fx, i);
        for (uint32_t i = 0; i < 10000; i++)
            assert_int_equal(fx.list[i].conn, i);
        effects_clear(&fx);
    }
    effects_done(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_each), cmocka_unit_test(kept_text_lives_until_cleared),
        cmocka_unit_test(no_memory), cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
