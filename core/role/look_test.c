/* SPDX-License-Identifier: ISC
 *
 * A look at a spool that exists only here: the inspection below is this test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "mail/envelope.h"
#include "queue/inspect.h"
#include "role/look.h"

/* ---- an inspection that tells of two letters, a torn tail and, if wanted, damage */

struct inspect {
    size_t step, open;          /* open: 0 none, else the letter's number */
    bool read;
};

static struct {
    bool damaged, unreadable, refuses;
    struct buffer head, to;
    size_t made, freed;
} fake;

struct inspect *inspect_new(struct bytes log_names, struct bytes body_names)
{
    assert_true(bytes_equal(log_names, BYTES("one\ntwo\n")));
    assert_true(bytes_equal(body_names, BYTES("b\n")));
    fake.made += !fake.refuses;
    return fake.refuses ? NULL : mem_new(sizeof(struct inspect));
}

void inspect_free(struct inspect *inspect)
{
    fake.freed += inspect != NULL;
    mem_free(inspect);
}

struct inspect_want inspect_next(struct inspect *inspect)
{
    struct inspect_want want = { .need = INSPECT_ENDS };
    size_t step = inspect->step++;

    if (step == 0) {
        want.need = INSPECT_NEEDS_READ;
        want.name = BYTES("log/one");
        want.count = 8;
    } else if (step == 1 || (step == 2 && fake.damaged)) {
        want.need = INSPECT_FLAW;
        want.flaw = (struct inspect_flaw){ .segment = 3, .offset = 4096, .octets = 512,
            .torn = step == 1, .id = step == 1 ? 0 : 32, .words = "a check is wrong" };
    } else if (step == 3 || step == 4) {
        want.need = INSPECT_LETTER;
        want.letter = (struct inspect_letter){ .id = step - 2, .size = 5, .received_ms = 1000,
            .recipients = 2, .left = 1, .held = step == 4 };
    } else if (step == 2) {
        return inspect_next(inspect);
    } else {
        want.totals = (struct inspect_totals){ .segments = 2, .octets = 1024, .records = 7,
            .letters = 2, .flaws = 2, .damage = fake.damaged };
    }
    return want;
}

void inspect_give(struct inspect *inspect, struct bytes octets)
{
    assert_true(bytes_equal(octets, BYTES("octets")));
    inspect->read = true;
}

bool inspect_open(struct inspect *inspect, uint64_t id)
{
    inspect->open = (size_t)id;
    inspect->step = 0;
    inspect->read = false;
    return id <= 2;
}

struct inspect_piece inspect_take(struct inspect *inspect)
{
    struct inspect_piece piece = { .kind = TAKE_NEEDS_READ, .name = BYTES("log/two"), .count = 6 };

    if (!inspect->read)
        return piece;
    piece.kind = fake.unreadable && inspect->step == 1 ? TAKE_DAMAGED
               : (enum inspect_taken[]){ TAKE_HEAD, TAKE_TEXT, TAKE_TEXT, TAKE_END }[inspect->step];
    piece.head = buffer_bytes(&fake.head);
    piece.to = buffer_bytes(&fake.to);
    piece.text = inspect->step == 1 ? BYTES("a\r\n") : BYTES("b\0\n");
    inspect->step++;
    return piece;
}

/* ---- the world of a look */

struct said {
    struct buffer out, err, file;
    int status;
};

static struct said run(struct look *look)
{
    struct said said = { buffer_with_most(65536), buffer_with_most(65536),
                         buffer_with_most(65536), -1 };

    assert_non_null(look);
    for (size_t i = 0; i < 1000 && said.status < 0; i++) {
        struct look_want want = look_next(look);
        if (want.need == LOOK_NEEDS_NAMES) {
            look_give(look, bytes_equal(want.name, BYTES("log")) ? BYTES("one\ntwo\n")
                                                                 : BYTES("b\n"));
        } else if (want.need == LOOK_NEEDS_READ) {
            look_give(look, BYTES("octets"));
        } else if (want.need == LOOK_SAYS && want.to == LOOK_FILE) {
            buffer_put(&said.file, want.name);
            buffer_put_char(&said.file, '=');
            buffer_put(&said.file, want.text);
        } else if (want.need == LOOK_SAYS) {
            buffer_put(want.to == LOOK_OUT ? &said.out : &said.err, want.text);
        } else {
            said.status = want.status;
        }
    }
    look_free(look);
    return said;
}

static void check(struct said said, struct bytes out, struct bytes err, struct bytes file,
                  int status)
{
    assert_int_equal(said.status, status);
    if (!bytes_equal(buffer_bytes(&said.out), out) || !bytes_equal(buffer_bytes(&said.err), err)
        || !bytes_equal(buffer_bytes(&said.file), file))
        fail_msg("out [%.*s] err [%.*s] file [%.*s]", (int)said.out.n, said.out.at,
                 (int)said.err.n, said.err.at, (int)said.file.n, said.file.at);
    buffer_done(&said.out);
    buffer_done(&said.err);
    buffer_done(&said.file);
}

static int begin(void **state)
{
    struct buffer entry = buffer_with_most(256);

    memset(&fake, 0, sizeof(fake));
    fake.head = buffer_with_most(4096);
    fake.to = buffer_with_most(4096);
    envelope_put(&fake.head, &(struct envelope){ .sender = BYTES("a@b"), .received_ms = 1000,
        .protocol = BYTES("ESMTP"), .helo = BYTES("h"), .peer = BYTES("192.0.2.1") });
    recipient_put(&entry, &(struct recipient){ .address = BYTES("c@d") });
    buffer_put_block(&fake.to, buffer_bytes(&entry));
    buffer_done(&entry);
    return 0;
}

static int end(void **state)
{
    assert_int_equal(fake.made, fake.freed);
    buffer_done(&fake.head);
    buffer_done(&fake.to);
    return 0;
}

/* ---- */

static void lists(void **state)
{
    check(run(look_queue((struct once_style){ .now_ms = 61000 })),
          BYTES("0000000000001  1 minute old, 5 octets, from <a@b>\n"
                "    <c@d>\n"
                "    1 of 2 recipients not finished\n"
                "0000000000002  1 minute old, 5 octets, from <a@b>\n"
                "    <c@d>\n"
                "    1 of 2 recipients not finished; one at least is held\n"
                "2 letters, 2 recipients, 10 octets.\n"), BYTES_NONE, BYTES_NONE, 0);
}

static void lists_as_json_and_warns(void **state)
{
    fake.damaged = true;
    check(run(look_queue((struct once_style){ .json = true })),
          BYTES("{\"id\":\"0000000000001\",\"received\":\"1970-01-01T00:00:01.000Z\",\"size\":5,"
                "\"sender\":\"a@b\",\"recipients\":[\"c@d\"],\"unfinished\":1,\"held\":false}\n"
                "{\"id\":\"0000000000002\",\"received\":\"1970-01-01T00:00:01.000Z\",\"size\":5,"
                "\"sender\":\"a@b\",\"recipients\":[\"c@d\"],\"unfinished\":1,\"held\":true}\n"),
          BYTES("damage: segment 3 at 4096, 512 octets: a check is wrong (letter 0000000000010)\n"),
          BYTES_NONE, 0);
}

static void checks(void **state)
{
    check(run(look_check((struct once_style){ 0 })),
          BYTES("torn tail: segment 3 at 4096, 512 octets: a check is wrong\n"
                "2 segments, 1.0 KiB, 7 records; 2 letters not finished.\nNo damage.\n"),
          BYTES_NONE, BYTES_NONE, 0);
    fake.damaged = true;
    check(run(look_check((struct once_style){ .json = true })),
          BYTES("{\"flaw\":\"torn tail\",\"segment\":3,\"offset\":4096,\"octets\":512,\"id\":null,"
                "\"text\":\"a check is wrong\"}\n"
                "{\"flaw\":\"damage\",\"segment\":3,\"offset\":4096,\"octets\":512,"
                "\"id\":\"0000000000010\",\"text\":\"a check is wrong\"}\n"
                "{\"totals\":{\"segments\":2,\"octets\":1024,\"records\":7,\"letters\":2,"
                "\"states\":0,\"flaws\":2,\"damage\":1,\"bodies_missing\":0,"
                "\"bodies_unknown\":0}}\n"),
          BYTES_NONE, BYTES_NONE, 1);
}

static void exports(void **state)
{
    check(run(look_export(2)), BYTES("a\r\nb\0\n"), BYTES_NONE, BYTES_NONE, 0);
    check(run(look_export(3)), BYTES_NONE, BYTES("There is no such letter in the queue.\n"),
          BYTES_NONE, 1);
}

#define ENVELOPE(id)                                                                            \
    "00000000000" id ".envelope={\"id\":\"00000000000" id "\","                                 \
    "\"received\":\"1970-01-01T00:00:01.000Z\",\"sender\":\"a@b\",\"peer\":\"192.0.2.1\","      \
    "\"helo\":\"h\",\"protocol\":\"ESMTP\",\"body\":\"7bit\",\"smtputf8\":false,"               \
    "\"recipients\":[\"c@d\"]}\n"

static void exports_all(void **state)
{
    check(run(look_export_all()), BYTES_NONE, BYTES_NONE,
          BYTES(ENVELOPE("01") "0000000000001.eml=a\r\n0000000000001.eml=b\0\n"
                ENVELOPE("02") "0000000000002.eml=a\r\n0000000000002.eml=b\0\n"), 0);
    fake.unreadable = true;
    check(run(look_export_all()), BYTES_NONE,
          BYTES("damage: letter 0000000000001 cannot be read whole\n"
                "damage: letter 0000000000002 cannot be read whole\n"),
          BYTES(ENVELOPE("01") ENVELOPE("02")), 1);
}

static void short_of_memory(void **state)
{
    fake.refuses = true;
    check(run(look_queue((struct once_style){ 0 })), BYTES_NONE,
          BYTES("postern: memory is short\n"), BYTES_NONE, ONCE_OS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists, begin, end),
        cmocka_unit_test_setup_teardown(lists_as_json_and_warns, begin, end),
        cmocka_unit_test_setup_teardown(checks, begin, end),
        cmocka_unit_test_setup_teardown(exports, begin, end),
        cmocka_unit_test_setup_teardown(exports_all, begin, end),
        cmocka_unit_test_setup_teardown(short_of_memory, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
