/* SPDX-License-Identifier: ISC */
#include "dns/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const uint8_t key[16] = { 1 };

static const struct bytes name = BYTES_INIT("a.example"), why = BYTES_INIT("it offers none");

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void the_best_and_the_last_are_known(void **state)
{
    struct ledger *ledger = ledger_new(key);
    struct ledger_entry entry;

    (void)state;
    assert_false(ledger_entry_of(ledger, name, &entry));
    assert_true(ledger_note(ledger, name, LEDGER_NAME, BYTES_NONE, 10));
    assert_false(ledger_note(ledger, name, LEDGER_NAME, BYTES_NONE, 20));
    assert_true(ledger_note(ledger, name, LEDGER_CLEAR, why, 30));
    assert_false(ledger_note(ledger, name, LEDGER_CLEAR, why, 40));
    assert_true(ledger_entry_of(ledger, name, &entry));
    assert_int_equal(entry.best, LEDGER_NAME);
    assert_int_equal(entry.now, LEDGER_CLEAR);
    assert_int_equal(entry.first_ms, 10);
    assert_int_equal(entry.best_ms, 20);
    assert_int_equal(entry.since_ms, 30);
    assert_int_equal(entry.clear_ms, 30);
    assert_int_equal(entry.used_ms, 40);
    assert_true(bytes_equal(entry.why, why));
    ledger_free(ledger);
}

static void who_always_had_tls_is_waited_for(void **state)
{
    struct ledger *ledger = ledger_new(key);

    (void)state;
    assert_false(ledger_holds(ledger, name, DAY_MS, 1));
    assert_false(ledger_miss(ledger, name, why, 1));        /* it is not known */
    ledger_note(ledger, name, LEDGER_TLS, BYTES_NONE, 10);
    assert_true(ledger_holds(ledger, name, DAY_MS, 20));
    assert_true(ledger_miss(ledger, name, why, 100));
    assert_false(ledger_miss(ledger, name, why, 200));
    assert_true(ledger_holds(ledger, name, DAY_MS, 100 + DAY_MS - 1));
    assert_false(ledger_holds(ledger, name, DAY_MS, 100 + DAY_MS));
    assert_true(ledger_holds(ledger, name, 0, 100 + DAY_MS));
    assert_true(ledger_note(ledger, name, LEDGER_TLS, BYTES_NONE, 300));    /* it is back */
    assert_true(ledger_holds(ledger, name, DAY_MS, 100 + DAY_MS));
    ledger_note(ledger, name, LEDGER_CLEAR, why, 400);
    assert_false(ledger_holds(ledger, name, 0, 500));       /* not always, then */
    ledger_note(ledger, name, LEDGER_TLS, BYTES_NONE, 600);
    assert_false(ledger_holds(ledger, name, 0, 700));
    ledger_free(ledger);
}

static void entries_are_kept_and_restored(void **state)
{
    struct ledger *ledger = ledger_new(key), *next = ledger_new(key);
    struct ledger_entry entry, found;
    struct buffer saved = buffer_with_most(LEDGER_SAVED_MOST), again = saved;

    (void)state;
    ledger_note(ledger, name, LEDGER_DANE, BYTES_NONE, 10);
    ledger_miss(ledger, name, why, 20);
    entry = ledger_at(ledger, 0);
    ledger_entry_put(&saved, &entry);
    assert_true(ledger_entry_read(buffer_bytes(&saved), &found));
    ledger_restore(next, &found);
    entry = ledger_at(next, 0);
    ledger_entry_put(&again, &entry);
    assert_true(bytes_equal(buffer_bytes(&saved), buffer_bytes(&again)));
    ledger_note(next, name, LEDGER_CLEAR, why, 30);
    ledger_restore(next, &found);                           /* what is known is newer */
    assert_int_equal(ledger_at(next, 0).now, LEDGER_CLEAR);
    for (size_t n = 0; n < saved.n; n++)
        assert_false(ledger_entry_read(bytes_first(buffer_bytes(&saved), n), &found));
    saved.at[0] = 9;
    assert_false(ledger_entry_read(buffer_bytes(&saved), &found));
    buffer_done(&saved);
    buffer_done(&again);
    ledger_free(ledger);
    ledger_free(next);
}

/* Who makes us meet many does not make us forget those that had TLS. */
static void it_is_bounded(void **state)
{
    struct ledger *ledger = ledger_new(key);
    struct buffer text = buffer_with_most(64);
    struct ledger_entry entry;

    (void)state;
    ledger_note(ledger, name, LEDGER_TLS, BYTES_NONE, 1);
    for (unsigned i = 0; i < LEDGER_MOST + 200; i++) {
        buffer_clear(&text);
        buffer_put_uint(&text, i);
        ledger_note(ledger, buffer_bytes(&text), LEDGER_CLEAR, why, 10 + i);
    }
    assert_int_equal(ledger_count(ledger), LEDGER_MOST);
    assert_true(ledger_entry_of(ledger, name, &entry));
    assert_false(ledger_entry_of(ledger, BYTES("0"), &entry));
    assert_true(ledger_entry_of(ledger, BYTES("20199"), &entry));
    buffer_done(&text);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_and_the_last_are_known),
        cmocka_unit_test(who_always_had_tls_is_waited_for),
        cmocka_unit_test(entries_are_kept_and_restored), cmocka_unit_test(it_is_bounded),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
