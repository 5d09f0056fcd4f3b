/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/id.h"

static void writes_and_reads(void **state)
{
    static const struct { uint64_t id; const char *text; } cases[] = {
        { 0, "0000000000000" },
        { 1, "0000000000001" },
        { 31, "000000000000Z" },
        { 32, "0000000000010" },
        { 0x0123456789ABCDEF, "028T5CY4TQKFF" },
        { UINT64_MAX, "FZZZZZZZZZZZZ" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[ID_TEXT];
        uint64_t id = 99;
        id_write(cases[i].id, text);
        assert_memory_equal(text, cases[i].text, ID_TEXT);
        assert_true(id_parse((struct bytes){ text, ID_TEXT }, &id));
        assert_true(id == cases[i].id);
    }
}

static void reads_what_people_type(void **state)
{
    static const struct { struct bytes text; bool well; uint64_t want; } cases[] = {
        { BYTES_INIT("fzzzzzzzzzzzz"), true, UINT64_MAX },
        { BYTES_INIT("00000000000Il"), true, 33 },
        { BYTES_INIT("OoOoOoOoOoOoi"), true, 1 },
        { BYTES_INIT("G000000000000"), false, 0 },
        { BYTES_INIT("ZZZZZZZZZZZZZ"), false, 0 },
        { BYTES_INIT("U000000000000"), false, 0 },
        { BYTES_INIT("000000000000U"), false, 0 },
        { BYTES_INIT("000000000000"), false, 0 },
        { BYTES_INIT("00000000000000"), false, 0 },
        { BYTES_INIT(""), false, 0 },
        { BYTES_INIT("000000000000\0"), false, 0 },
        { BYTES_INIT("000000000000/"), false, 0 },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t id = 99;
        bool well = id_parse(cases[i].text, &id);
        if (well != cases[i].well || id != (well ? cases[i].want : 99))
            fail_msg("'%.*s'", (int)cases[i].text.n, cases[i].text.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads), cmocka_unit_test(reads_what_people_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
