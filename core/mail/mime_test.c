/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define MULTI "Content-Type: multipart/mixed; boundary=b\n\n"

/* `want`: each part as dots for its depth, its type, and a leaf's body between bars. */
static const struct { const char *name, *text, *want; unsigned flaws; } rows[] = {
    { "plain", "Subject: x\n\nbody\n", "text/plain|body\n|", 0 },
    { "nothing", "", "text/plain||", 0 },
    { "no header", "just text\n", "text/plain|just text\n|", MIME_BAD_HEADER },
    { "two parts", MULTI "--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\n",
      "multipart/mixed.text/plain|one|.text/html|two|", 0 },
    { "CRLF", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
      "multipart/mixed.text/plain|one|", 0 },
    { "MIM-026 preamble and epilogue", MULTI "pre\n--b\n\none\n--b--\nepi\n--b\nX: y\n\nno part\n",
      "multipart/mixed.text/plain|one|", 0 },
    { "white space behind a boundary", MULTI "--b \t\n\none\n--b--  \n",
      "multipart/mixed.text/plain|one|", 0 },
    { "longer than the boundary", MULTI "--b\n\n--bb\n--b-\n--b--x\n --b\n--b--",
      "multipart/mixed.text/plain|--bb\n--b-\n--b--x\n --b|", 0 },
    { "empty line end belongs to the boundary", MULTI "--b\n\none\n\n--b--\n",
      "multipart/mixed.text/plain|one\n|", 0 },
    { "empty part", MULTI "--b\n--b--\n", "multipart/mixed.text/plain||", 0 },
    { "header without body", MULTI "--b\nX: y\n--b--\n", "multipart/mixed.text/plain||", 0 },
    { "not closed", MULTI "--b\n\none", "multipart/mixed.text/plain|one|", MIME_NOT_CLOSED },
    { "boundary at the very end", MULTI "--b\n\none\n--b\n", "multipart/mixed.text/plain|one|",
      MIME_NOT_CLOSED },
    { "no boundary comes", MULTI "text\n", "multipart/mixed", MIME_NOT_CLOSED | MIME_NO_PARTS },
    { "closed at once", MULTI "--b--\n", "multipart/mixed", MIME_NO_PARTS },
    { "no boundary parameter", "Content-Type: multipart/mixed\n\n--b\n",
      "multipart/mixed|--b\n|", MIME_NO_BOUNDARY },
    { "nested", MULTI "--b\nContent-Type: multipart/alternative; boundary=\"c d\"\n\n"
      "--c d\n\none\n--c d--\n--b\n\ntwo\n--b--\n",
      "multipart/mixed.multipart/alternative..text/plain|one|.text/plain|two|", 0 },
    { "outer boundary closes the inner", MULTI "--b\nContent-Type: multipart/mixed; boundary=c\n\n"
      "--c\n\none\n--b\n\ntwo\n--b--\n",
      "multipart/mixed.multipart/mixed..text/plain|one|.text/plain|two|", MIME_NOT_CLOSED },
    { "boundary in a header", MULTI "--b\nContent-Type: multipart/mixed; boundary=c\n--c\n\none\n"
      "--c--\n--b--\n", "multipart/mixed.multipart/mixed..text/plain|one|", MIME_BAD_HEADER },
    { "message", "Content-Type: message/rfc822\n\nSubject: x\n\ninner\n",
      "message/rfc822.text/plain|inner\n|", 0 },
    { "message in a part", MULTI "--b\nContent-Type: message/rfc822\n\nContent-Type: text/html\n\n"
      "inner\n--b--\n", "multipart/mixed.message/rfc822..text/html|inner|", 0 },
    { "message with an mbox line for a header", MULTI "--b\nContent-Type: message/rfc822\n"
      "From x\nContent-Type: text/html\n\ninner\n--b--\n",
      "multipart/mixed.message/rfc822..text/html|inner|", MIME_BAD_HEADER },
    { "digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ninner\n--b--\n",
      "multipart/digest.message/rfc822..text/plain|inner|", 0 },
    { "MIM-022 message/partial", "Content-Type: message/partial; id=x; number=1\n\nSubject: y\n\n",
      "message/partial|Subject: y\n\n|", 0 },
    { "MIM-022 message/external-body", "Content-Type: message/external-body; access-type=x\n\n"
      "A: b\n",
      "message/external-body|A: b\n|", 0 },
    { "MIM-005 two Content-Type", "Content-Type: text/html\nContent-Type: text/plain\n\n",
      "text/html||", MIME_TWO_TYPES },
    { "MIM-005 two boundaries", "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n"
      "--c\n\none\n--b\n\ntwo\n--b--\n", "multipart/mixed.text/plain|two|", MIME_TWO_BOUNDARIES },
    { "MIM-005 boundary in sections", "Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\n"
      "\n"
      "--bc\n\none\n--bc--\n", "multipart/mixed.text/plain|one|", 0 },
    { "MIM-005 boundary both ways", "Content-Type: multipart/mixed; boundary=x; boundary*0=b\n\n"
      "--x\n\none\n--b\n\ntwo\n--b--\n", "multipart/mixed.text/plain|two|", MIME_TWO_BOUNDARIES },
    { "MIM-006 two codings", "Content-Transfer-Encoding: base64\n"
      "Content-Transfer-Encoding: 7bit\n\n",
      "text/plain||", MIME_TWO_CODINGS },
    { "MIM-006 unknown coding", "Content-Transfer-Encoding: rot13\n\n", "text/plain||",
      MIME_UNKNOWN_CODING },
    { "MIM-006 base64 multipart", "Content-Type: multipart/mixed; boundary=b\n"
      "Content-Transfer-Encoding: base64\n\n--b\n\none\n--b--\n",
      "multipart/mixed|--b\n\none\n--b--\n|", MIME_CODED_COMPOSITE },
    { "MIM-006 base64 message", "Content-Type: message/rfc822\n"
      "Content-Transfer-Encoding: base64\n\n"
      "U3ViamVjdDogeA==\n", "message/rfc822|U3ViamVjdDogeA==\n|", MIME_CODED_COMPOSITE },
    { "MIM-012 uuencode is text", "X: y\n\nbegin 644 x\n#0V%T\n`\nend\n",
      "text/plain|begin 644 x\n#0V%T\n`\nend\n|", 0 },
    { "bad type", "Content-Type: gibberish\n\nx", "text/plain|x|", MIME_BAD_TYPE },
    { "empty type", "Content-Type:\n\nx", "text/plain|x|", MIME_BAD_TYPE },
    { "type in capitals", "CONTENT-TYPE: TEXT/HTML\n\nx", "text/html|x|", 0 },
    { "line of hyphens", MULTI "--b\n\n-\n--\n---\n-- \n--b--",
      "multipart/mixed.text/plain|-\n--\n---\n-- |", 0 },
};

static unsigned describe(struct buffer *to, struct bytes text, size_t first, size_t size)
{
    struct mime mime;
    size_t n = first;

    assert_true(mime_init(&mime));
    for (struct bytes rest = text; rest.n > 0; n = size) {
        mime_feed(&mime, bytes_first(rest, n));
        rest = bytes_skip(rest, n);
    }
    mime_finish(&mime);
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *part = &mime.parts[i];
        buffer_put_chars(to, '.', part->depth);
        buffer_put(to, part->type);
        buffer_put_char(to, '/');
        buffer_put(to, part->subtype);
        if (part->kind != MIME_LEAF)
            continue;
        buffer_put_char(to, '|');
        assert_true(part->header_at <= part->body_at && part->body_at <= part->end);
        assert_true(part->end <= text.n);
        buffer_put(to, bytes_first(bytes_skip(text, part->body_at), part->end - part->body_at));
        buffer_put_char(to, '|');
    }
    unsigned flaws = mime_flaws(&mime);
    mime_done(&mime);
    return flaws;
}

static void trees_are_read(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer to = buffer_with_most(4096);
        struct bytes text = bytes_of(rows[i].text);
        unsigned flaws = describe(&to, text, text.n, text.n);

        if (flaws != rows[i].flaws || !bytes_equal(buffer_bytes(&to), bytes_of(rows[i].want)))
            fail_msg("%s: %.*s, flaws %x", rows[i].name, (int)to.n, to.at, flaws);
        buffer_done(&to);
    }
}

static void mim_029_any_split_gives_the_same_tree(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer whole = buffer_with_most(4096), split = buffer_with_most(4096);
        struct bytes text = bytes_of(rows[i].text);
        unsigned flaws = describe(&whole, text, text.n, text.n);

        for (size_t at = 1; at < text.n; at++) {
            buffer_clear(&split);
            unsigned others = describe(&split, text, at, at % 2 == 0 ? 1 : text.n);
            if (others != flaws || !bytes_equal(buffer_bytes(&whole), buffer_bytes(&split)))
                fail_msg("%s, cut at %zu: %.*s", rows[i].name, at, (int)split.n, split.at);
        }
        buffer_done(&whole);
        buffer_done(&split);
    }
}

static unsigned feed_all(struct mime *mime, const struct buffer *text)
{
    assert_false(text->bad);
    assert_true(mime_init(mime));
    mime_feed(mime, buffer_bytes(text));
    mime_finish(mime);
    return mime_flaws(mime);
}

static void mim_001_nesting_is_bounded(void **state)
{
    static const unsigned levels[] = { 10, 64, 65, 1000, 100000 };

    for (size_t i = 0; i < COUNT(levels); i++) {
        struct buffer text = buffer_with_most(1 << 24);
        struct mime mime;
        char line[128];

        buffer_put_text(&text, "Content-Type: multipart/mixed; boundary=0\n\n");
        for (unsigned level = 1; level <= levels[i]; level++) {
            snprintf(line, sizeof(line), "--%u\nContent-Type: multipart/mixed; boundary=%u\n\n",
                level - 1, level);
            buffer_put_text(&text, line);
        }
        unsigned flaws = feed_all(&mime, &text);
        assert_true(mime.n <= LIMIT_MIME_DEPTH + 1);
        assert_int_equal((flaws & MIME_TOO_DEEP) != 0, levels[i] >= LIMIT_MIME_DEPTH);
        mime_done(&mime);
        buffer_done(&text);
    }
}

static void mim_003_parts_are_bounded(void **state)
{
    struct buffer text = buffer_with_most(1 << 24);
    struct mime mime;

    buffer_put_text(&text, MULTI);
    for (unsigned i = 0; i < 100000; i++)
        buffer_put_text(&text, "--b\n\nx\n");
    assert_true((feed_all(&mime, &text) & MIME_TOO_MANY) != 0);
    assert_int_equal(mime.n, LIMIT_MIME_PARTS);
    mime_done(&mime);
    buffer_done(&text);
}

static void memory_that_fails_leaves_the_rest_opaque(void **state)
{
    struct bytes text = bytes_of(rows[15].text);

    for (unsigned n = 1; n < 40; n++) {
        struct mime mime;
        mem_fail_at(n);
        if (mime_init(&mime)) {
            mime_feed(&mime, text);
            mime_finish(&mime);
        }
        mem_fail_at(0);
        mime_done(&mime);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_read),
        cmocka_unit_test(mim_029_any_split_gives_the_same_tree),
        cmocka_unit_test(mim_001_nesting_is_bounded),
        cmocka_unit_test(mim_003_parts_are_bounded),
        cmocka_unit_test(memory_that_fails_leaves_the_rest_opaque),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
