/* SPDX-License-Identifier: ISC */
#include "role/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The master asks for names only. */
const struct role_ops *role_ops_of(enum role_kind kind)
{
    static const struct role_ops rows[] = {
        [ROLE_MASTER] = { .name = "master" }, [ROLE_FRONT] = { .name = "front" },
        [ROLE_STORE] = { .name = "store" }, [ROLE_LOCAL] = { .name = "local" },
        [ROLE_ADMIN] = { .name = "admin" }, [ROLE_RELAY] = { .name = "relay" },
        [ROLE_KEYS] = { .name = "keys" }, [ROLE_NAMES] = { .name = "names" },
        [ROLE_FETCH] = { .name = "fetch" },
    };
    return &rows[kind];
}

struct stage {
    void *role;
    struct effects fx;
    uint64_t now_ms;
};

static struct stage begin(uint64_t fronts)
{
    struct conf conf = { .fronts = fronts };
    struct stage stage = { .role = master_ops.make(&conf, 0), .fx = effects_none(),
                           .now_ms = 1000 };

    assert_non_null(stage.role);
    return stage;
}

static void end(struct stage *stage)
{
    master_ops.free(stage->role);
    effects_done(&stage->fx);
}

static void tell(struct stage *stage, struct event event)
{
    event.now.mono_ms = stage->now_ms;
    effects_clear(&stage->fx);
    master_ops.step(stage->role, &event, &stage->fx);
    assert_false(stage->fx.bad);
}

static void child_ends(struct stage *stage, enum role_kind kind, uint32_t index, uint64_t status)
{
    tell(stage, (struct event){ .kind = EV_CHILD, .peer = { kind, index }, .number = status });
}

static size_t count(const struct stage *stage, enum effect_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < stage->fx.n; i++)
        n += stage->fx.list[i].kind == kind;
    return n;
}

static const struct effect *last(const struct stage *stage, enum effect_kind kind)
{
    const struct effect *found = NULL;

    for (size_t i = 0; i < stage->fx.n; i++)
        if (stage->fx.list[i].kind == kind)
            found = &stage->fx.list[i];
    assert_non_null(found);
    return found;
}

static void starts_every_role(void **state)
{
    struct stage stage = begin(3);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    assert_int_equal(count(&stage, FX_SPAWN), 10);
    assert_int_equal(last(&stage, FX_SPAWN)->to.index, 2);
    end(&stage);
}

static void starts_again_at_once(void **state)
{
    struct stage stage = begin(1);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    stage.now_ms += 3600 * 1000;
    child_ends(&stage, ROLE_STORE, 0, 137);
    assert_int_equal(count(&stage, FX_SPAWN), 1);
    assert_int_equal(last(&stage, FX_SPAWN)->to.kind, ROLE_STORE);
    assert_non_null(memmem(last(&stage, FX_LOG)->bytes.at, last(&stage, FX_LOG)->bytes.n,
                           "child=store index=0 status=137", 30));
    end(&stage);
}

/* OS-004, OS-005: a child that keeps dying rests 1 .. 60 s; the others are left alone. */
static void a_crash_loop_is_throttled(void **state)
{
    static const uint64_t rests_ms[] = { 0, 0, 0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000,
                                         60000, 60000, 60000 };
    struct stage stage = begin(1);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    for (size_t i = 0; i < COUNT(rests_ms); i++) {
        stage.now_ms += 10;
        child_ends(&stage, ROLE_LOCAL, 0, 139);
        assert_int_equal(count(&stage, FX_SPAWN), rests_ms[i] == 0);
        assert_int_equal(last(&stage, FX_ALARM)->number,
                         rests_ms[i] == 0 ? 0 : stage.now_ms + rests_ms[i]);
        if (rests_ms[i] == 0)
            continue;
        stage.now_ms += rests_ms[i] - 1;
        tell(&stage, (struct event){ .kind = EV_ALARM });
        assert_int_equal(count(&stage, FX_SPAWN), 0);
        stage.now_ms += 1;
        tell(&stage, (struct event){ .kind = EV_ALARM });
        assert_int_equal(count(&stage, FX_SPAWN), 1);
    }
    stage.now_ms += 1000;       /* it lived: all is forgiven */
    child_ends(&stage, ROLE_LOCAL, 0, 139);
    assert_int_equal(count(&stage, FX_SPAWN), 1);
    end(&stage);
}

static void ends_in_stages(void **state)
{
    struct stage stage = begin(2);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    tell(&stage, (struct event){ .kind = EV_STOP });
    assert_int_equal(count(&stage, FX_KILL), 2);
    assert_int_equal(last(&stage, FX_KILL)->to.kind, ROLE_FRONT);
    child_ends(&stage, ROLE_FRONT, 0, 0);
    assert_int_equal(count(&stage, FX_KILL) + count(&stage, FX_SPAWN), 0);
    child_ends(&stage, ROLE_FRONT, 1, 0);
    assert_int_equal(count(&stage, FX_KILL), 6);
    child_ends(&stage, ROLE_RELAY, 0, 0);
    child_ends(&stage, ROLE_ADMIN, 0, 0);
    child_ends(&stage, ROLE_KEYS, 0, 0);
    child_ends(&stage, ROLE_NAMES, 0, 0);
    child_ends(&stage, ROLE_FETCH, 0, 0);
    child_ends(&stage, ROLE_LOCAL, 0, 0);
    assert_int_equal(last(&stage, FX_KILL)->to.kind, ROLE_STORE);
    assert_int_equal(count(&stage, FX_EXIT), 0);
    child_ends(&stage, ROLE_STORE, 0, 0);
    assert_int_equal(last(&stage, FX_EXIT)->number, 0);
    end(&stage);
}

static void who_does_not_leave_is_killed(void **state)
{
    struct stage stage = begin(1);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    tell(&stage, (struct event){ .kind = EV_STOP });
    assert_int_equal(last(&stage, FX_KILL)->number, 0);
    stage.now_ms = last(&stage, FX_ALARM)->number;
    tell(&stage, (struct event){ .kind = EV_ALARM });
    assert_int_equal(last(&stage, FX_KILL)->number, 1);
    assert_int_equal(last(&stage, FX_KILL)->to.kind, ROLE_FRONT);
    end(&stage);
}

static void asked_twice_kills(void **state)
{
    struct stage stage = begin(1);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    tell(&stage, (struct event){ .kind = EV_STOP });
    tell(&stage, (struct event){ .kind = EV_STOP });
    assert_int_equal(count(&stage, FX_KILL), 0);    /* the same signal by two ways */
    stage.now_ms += 1000;
    tell(&stage, (struct event){ .kind = EV_STOP });
    assert_int_equal(last(&stage, FX_KILL)->number, 1);
    end(&stage);
}

/* A store that dies while the fronts are leaving is not started again, and nobody waits for it. */
static void deaths_while_ending_are_final(void **state)
{
    struct stage stage = begin(1);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    tell(&stage, (struct event){ .kind = EV_STOP });
    child_ends(&stage, ROLE_STORE, 0, 134);
    assert_int_equal(count(&stage, FX_SPAWN), 0);
    child_ends(&stage, ROLE_LOCAL, 0, 134);
    child_ends(&stage, ROLE_ADMIN, 0, 134);
    child_ends(&stage, ROLE_RELAY, 0, 134);
    child_ends(&stage, ROLE_KEYS, 0, 134);
    child_ends(&stage, ROLE_NAMES, 0, 134);
    child_ends(&stage, ROLE_FETCH, 0, 134);
    child_ends(&stage, ROLE_FRONT, 0, 0);
    assert_int_equal(count(&stage, FX_EXIT), 1);
    end(&stage);
}

static void strangers_are_ignored(void **state)
{
    struct stage stage = begin(1);

    (void)state;
    tell(&stage, (struct event){ .kind = EV_START });
    child_ends(&stage, ROLE_FRONT, 7, 0);
    assert_int_equal(count(&stage, FX_SPAWN), 0);
    end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_every_role), cmocka_unit_test(starts_again_at_once),
        cmocka_unit_test(a_crash_loop_is_throttled), cmocka_unit_test(ends_in_stages),
        cmocka_unit_test(who_does_not_leave_is_killed), cmocka_unit_test(asked_twice_kills),
        cmocka_unit_test(deaths_while_ending_are_final), cmocka_unit_test(strangers_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
