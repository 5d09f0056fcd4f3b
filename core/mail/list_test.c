/* SPDX-License-Identifier: ISC */
#include "mail/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* `want`: "group:" for a mailbox in a group, then "name|address;". */
static const struct { const char *text, *want; unsigned flaws; } rows[] = {
    { "", "", 0 },
    { " , ,", "", 0 },
    { "a@b.example", "|a@b.example;", 0 },
    { "a@b, c@d", "|a@b;|c@d;", 0 },
    { "A B <a@b>", "A B|a@b;", 0 },
    { "\"B, A\" <a@b>, c@d", "B, A|a@b;|c@d;", 0 },
    { "John Q. Public <a@b>", "John Q. Public|a@b;", 0 },
    { "a@b (Name)", "Name|a@b;", 0 },
    { "(c1) a (c2) @ (c3) b.example", "c1|a@b.example;", 0 },
    { "Name\r\n\t<a@b>", "Name|a@b;", 0 },
    { "<a@b>", "|a@b;", 0 },
    { "<>", "|;", 0 },
    { "\"a b\"@c", "|\"a b\"@c;", 0 },
    { "\"x@evil.example y\"@b", "|\"x@evil.example y\"@b;", 0 },
    { "\"x@evil.example\" <a@b>", "x@evil.example|a@b;", 0 },
    { "x@evil.example <a@b>", "x@evil.example|a@b;", 0 },
    { "a@[IPv6:2001:db8::1]", "|a@[IPv6:2001:db8::1];", 0 },
    { "N <@x,@y:a@b>", "N|a@b;", LIST_ROUTE },
    { "=?utf-8?q?a?= <=?utf-8?q?b?=@c>", "=?utf-8?q?a?=|=?utf-8?q?b?=@c;", 0 },   /* MIM-014 */
    { "G: a@b, N <c@d>; e@f", "G:|a@b;G:N|c@d;|e@f;", 0 },                         /* MIM-016 */
    { "Undisclosed:;", "Undisclosed:|;", 0 },
    { "G:;, H: ;a@b", "G:|;H:|;|a@b;", 0 },
    { "G:H:a@b;;", "G:|a@b;", LIST_NESTED_GROUP },
    { "G:a@b", "G:|a@b;", LIST_OPEN_GROUP },
    { "N <<a@b>>", "N|a@b;", LIST_STRAY },
    { "N <a@b", "N|a@b;", LIST_OPEN_ANGLE },
    { "<a@b> <c@d>", "|a@b;", LIST_STRAY },
    { "\"open <a@b>", "open <a@b>|;", LIST_OPEN_QUOTE },
    { "a@b (open", "|a@b;", LIST_BAD_COMMENT },
    { "\"a@b\"", "a@b|;", 0 },
    { "a@b NAME", "NAME|a@b;", LIST_STRAY },
    { "a@b c@d", "c@d|a@b;", LIST_STRAY },
    { "N a@b M", "N  M|a@b;", LIST_STRAY },
    { "Joe; a@b", "Joe|;|a@b;", 0 },
};

static unsigned read_all(struct buffer *to, struct bytes text)
{
    struct list_reader list = list_of(text);
    struct list_item item;

    while (list_next(&list, &item)) {
        buffer_put(to, item.group);
        buffer_put_text(to, item.in_group ? ":" : "");
        buffer_put(to, item.name);
        buffer_put_char(to, '|');
        buffer_put(to, item.address);
        buffer_put_char(to, ';');
    }
    unsigned flaws = list.flaws;
    list_done(&list);
    return flaws;
}

static void mailboxes_are_read(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer to = buffer_with_most(1024);
        unsigned flaws = read_all(&to, bytes_of(rows[i].text));

        if (flaws != rows[i].flaws || !bytes_equal(buffer_bytes(&to), bytes_of(rows[i].want)))
            fail_msg("%s: %.*s, flaws %x", rows[i].text, (int)to.n, to.at, flaws);
        buffer_done(&to);
    }
}

static void mim_016_comments_nested_a_thousand_deep(void **state)
{
    struct buffer text = buffer_with_most(4096), to = buffer_with_most(4096);

    buffer_put_text(&text, "a@b ");
    buffer_put_chars(&text, '(', 1000);
    buffer_put_chars(&text, ')', 1000);
    assert_int_equal(read_all(&to, buffer_bytes(&text)), LIST_BAD_COMMENT);
    assert_true(bytes_equal(buffer_bytes(&to), BYTES("|a@b;")));
    buffer_done(&text);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_read),
        cmocka_unit_test(mim_016_comments_nested_a_thousand_deep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
