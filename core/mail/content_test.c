/* SPDX-License-Identifier: ISC */
#include "mail/content.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct { const char *text, *type, *subtype, *name, *want; unsigned flaws; } rows[] = {
    { "text/plain", "text", "plain", "charset", NULL, 0 },
    { "text/plain; charset=utf-8", "text", "plain", "charset", "utf-8", 0 },
    { "Text/Plain;CHARSET=UTF-8", "Text", "Plain", "charset", "UTF-8", 0 },
    { "text/plain (a comment); charset = \"utf\\-8\" (another)", "text", "plain", "charset",
      "utf-8", 0 },
    { "text / plain ; charset=x", "text", "plain", "charset", "x", 0 },
    { "multipart/mixed; boundary=\"a;b=c\"; x=y", "multipart", "mixed", "boundary", "a;b=c", 0 },
    { "multipart/mixed; boundary=----=_Part", "multipart", "mixed", "boundary", "----=_Part", 0 },
    { "a/b; name=two words.txt; c=d", "a", "b", "name", "two words.txt", 0 },
    { "a/b; name=x (comment); c=d", "a", "b", "name", "x", 0 },
    { "a/b; name=\"open", "a", "b", "name", "open", CONTENT_OPEN_QUOTE },
    { "a/b; ; name=x;", "a", "b", "name", "x", 0 },
    { "a/b; rubbish; name=x", "a", "b", "name", "x", CONTENT_BAD_PARAMETER },
    { "inline", "inline", "", "name", NULL, CONTENT_BAD_TYPE },
    { "", "", "", "name", NULL, CONTENT_BAD_TYPE },
    { "/", "", "", "name", NULL, CONTENT_BAD_TYPE },
    { "attachment; filename*=utf-8'en'%e2%82%ac%20x", "attachment", "", "filename",
      "\xe2\x82\xac x", CONTENT_BAD_TYPE },
    { "a/b; name*=iso-8859-1''%FC", "a", "b", "name", "\xc3\xbc", 0 },
    { "a/b; name*=x-koi9-r''%D3", "a", "b", "name", "x-koi9-r''%D3", CONTENT_BAD_CHARSET },
    { "MIM-007/charset; name*=%41", "MIM-007", "charset", "name", "A", CONTENT_BAD_CHARSET },
    { "a/b; name*0=one; name*1=two", "a", "b", "name", "onetwo", 0 },
    { "a/b; name*1=two; name*0=one", "a", "b", "name", "onetwo", 0 },
    { "a/b; name*0*=utf-8''%e2%82; name*1*=%ac; name*2=\" %ac\"", "a", "b", "name",
      "\xe2\x82\xac %ac", 0 },
    { "MIM-007/gap; name*0=one; name*2=three", "MIM-007", "gap", "name", "one", CONTENT_GAP },
    { "MIM-008/sparse; name*1=two", "MIM-008", "sparse", "name", NULL, CONTENT_GAP },
    { "MIM-008/twice; name*0=one; name*0=other", "MIM-008", "twice", "name", "one",
      CONTENT_TWO_VALUES },
    { "MIM-008/far; name*0=one; name*99999999999=x", "MIM-008", "far", "name", "one",
      CONTENT_TOO_MANY },
    { "MIM-005/two; boundary=a; boundary=b", "MIM-005", "two", "boundary", "a",
      CONTENT_TWO_VALUES },
    { "MIM-005/ways; boundary=a; boundary*0=b; boundary*1=c", "MIM-005", "ways", "boundary", "bc",
      CONTENT_TWO_VALUES },
    { "a/b; name=\"x\ry\nz\"", "a", "b", "name", "xyz", 0 },
    { "a/b; name*=utf-8''%00%0d%0a", "a", "b", "name", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0 },
    { "a/b; x=((((((((((((((((((((((((; name=x", "a", "b", "name", "x", CONTENT_BAD_PARAMETER },
};

static void values_are_read(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct content content = content_parse(bytes_of(rows[i].text));
        struct buffer to = buffer_with_most(256);
        unsigned flaws = content.flaws;
        bool there = content_parameter(&content, rows[i].name, &to, &flaws);

        if (!bytes_equal(content.type, bytes_of(rows[i].type))
            || !bytes_equal(content.subtype, bytes_of(rows[i].subtype)))
            fail_msg("%s: another type", rows[i].text);
        if (there != (rows[i].want != NULL) || flaws != rows[i].flaws
            || (there && !bytes_equal(buffer_bytes(&to), bytes_of(rows[i].want))))
            fail_msg("%s: %d %.*s, flaws %x", rows[i].text, there, (int)to.n, to.at, flaws);
        buffer_done(&to);
    }
}

static void mim_008_ten_thousand_sections(void **state)
{
    struct buffer text = buffer_with_most(1 << 20), to = buffer_with_most(1 << 20);
    unsigned flaws = 0;

    buffer_put_text(&text, "a/b");
    for (unsigned i = 0; i < 10000; i++) {
        char part[32];
        snprintf(part, sizeof(part), "; name*%u=x", i);
        buffer_put_text(&text, part);
    }
    struct content content = content_parse(buffer_bytes(&text));
    assert_true(content_parameter(&content, "name", &to, &flaws));
    assert_int_equal(to.n, LIMIT_PARAMETER_SECTIONS);
    assert_int_equal(flaws, CONTENT_TOO_MANY);
    buffer_done(&text);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(mim_008_ten_thousand_sections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
