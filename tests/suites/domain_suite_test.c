/* SPDX-License-Identifier: ISC
 *
 * Unicode's table for UTS 46 (IdnaTestV2.txt). It allows characters that IDNA2008 disallows
 * (symbols, emoji), which libidn2 refuses, and its rules for bidirectional labels and STD3 are a
 * little stricter than libidn2's: so not every row can pass, and what is held to is that no valid
 * name becomes another one, that nearly all of both kinds come out as the table says, and that a
 * name taken stays taken in its A-label form.
 */
#include "mail/domain.h"

#include "tests/suites/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static unsigned valid, equal, invalid, refused;

static void put_point(struct buffer *to, uint32_t point)
{
    if (point < 0x80) {
        buffer_put_char(to, (char)point);
    } else if (point < 0x800) {
        buffer_put_char(to, (char)(0xC0 | point >> 6));
    } else if (point < 0x10000) {
        buffer_put_char(to, (char)(0xE0 | point >> 12));
        buffer_put_char(to, (char)(0x80 | (point >> 6 & 0x3F)));
    } else {
        buffer_put_char(to, (char)(0xF0 | point >> 18));
        buffer_put_char(to, (char)(0x80 | (point >> 12 & 0x3F)));
        buffer_put_char(to, (char)(0x80 | (point >> 6 & 0x3F)));
    }
    if (point >= 0x80)
        buffer_put_char(to, (char)(0x80 | (point & 0x3F)));
}

/* \uXXXX and \x{X...}; '""' is the empty text. */
static void put_column(struct buffer *to, struct bytes text)
{
    if (bytes_equal(text, BYTES("\"\"")))
        return;
    for (size_t i = 0; i < text.n; i++) {
        char digits[16] = "";
        size_t n = 0;
        if (text.at[i] != '\\') {
            buffer_put_char(to, text.at[i]);
            continue;
        }
        bool braces = text.at[i + 1] == 'x';
        for (i += braces ? 3 : 2; i < text.n && n < (braces ? 8u : 4u) && text.at[i] != '}'; i++)
            digits[n++] = text.at[i];
        put_point(to, (uint32_t)strtoul(digits, NULL, 16));
        i -= braces ? 0 : 1;
    }
}

static void judge(struct suite *suite, struct bytes source, struct bytes want, bool is_valid)
{
    struct buffer to = buffer_with_most(2048), again = buffer_with_most(2048);
    bool taken = domain_to_ascii(source, &to);
    bool same = taken && bytes_equal(buffer_bytes(&to), want);

    suite->rows++;
    valid += is_valid;
    equal += is_valid && same;
    invalid += !is_valid;
    refused += !is_valid && !taken;
    /* UTS 46 of Unicode 15.1 maps capital sharp s to the small one; libidn2 2.3.3 still to "ss" */
    bool sharp = bytes_search(source, BYTES("\xe1\xba\x9e")) < source.n;
    if (is_valid && taken && !same && !sharp)
        fail_msg("%.*s became %.*s", (int)source.n, source.at, (int)to.n, to.at);
    if (taken && (!domain_to_ascii(buffer_bytes(&to), &again)
                  || !bytes_equal(buffer_bytes(&to), buffer_bytes(&again))))
        fail_msg("%.*s does not stay as it is", (int)to.n, to.at);
    buffer_done(&to);
    buffer_done(&again);
}

/* source; toUnicode; its status; toAsciiN; its status; ...; an empty column is the one before. */
static void idna_line(struct suite *suite, unsigned number, struct bytes line)
{
    struct bytes rest = bytes_upto(line, '#'), column[7] = { 0 };
    struct buffer source = buffer_with_most(8192), want = buffer_with_most(8192);
    size_t n = 0;

    while (n < COUNT(column) && bytes_cut(&rest, ';', &column[n])) {
        column[n] = bytes_trim(column[n]);
        n++;
    }
    if (n >= 5) {
        struct bytes unicode = column[1].n > 0 ? column[1] : column[0];
        struct bytes ascii = column[3].n > 0 ? column[3] : unicode;
        struct bytes status = column[4].n > 0 ? column[4] : column[2];
        put_column(&source, column[0]);
        put_column(&want, ascii);
        judge(suite, buffer_bytes(&source), buffer_bytes(&want),
            status.n == 0 || bytes_equal(status, BYTES("[]")));
    }
    buffer_done(&source);
    buffer_done(&want);
}

static void idna(void **state)
{
    struct suite suite = { .name = "addr/idna", .exceptions = SUITE_EXCEPTIONS };

    suite_lines(&suite, "IdnaTestV2-15.1.0.txt", idna_line);
    print_message("# %u of %u valid names equal, %u of %u invalid ones refused\n", equal, valid,
        refused, invalid);
    suite_end(&suite);
    assert_true(equal * 100 >= valid * 80);
    assert_true(refused * 100 >= invalid * 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(idna) };

    if (suites_absent())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
