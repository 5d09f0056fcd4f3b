/* SPDX-License-Identifier: ISC */
#include "mail/recipe.h"

#include "base/arena.h"
#include "base/base64.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROOM = 64 << 20 };

#define CTE "Content-Transfer-Encoding: base64\r\n"
#define RAW "Content-Transfer-Encoding: binary\r\n"
#define TYPE "Content-Type: application/pdf\r\n"

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* So many octets, every value among them. */
static void put_octets(struct buffer *to, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        buffer_put_char(to, (char)draw(&seed));
}

/* As an encoder writes them: `line` 0 is one line. */
static void put_coded(struct buffer *to, struct bytes octets, size_t line, const char *end,
                      unsigned breaks)
{
    struct buffer coded = buffer_with_most(ROOM);

    base64_encode(&coded, octets);
    struct bytes rest = buffer_bytes(&coded);
    while (rest.n > 0) {
        struct bytes part = line == 0 ? rest : bytes_first(rest, line);
        buffer_put(to, part);
        rest = bytes_skip(rest, part.n);
        if (rest.n > 0)
            buffer_put_text(to, end);
    }
    for (unsigned i = 0; i < breaks; i++)
        buffer_put_text(to, end);
    buffer_done(&coded);
}

/* The original from the raw form, which comes in pieces of that size. */
static void assert_comes_back(struct bytes letter, const struct buffer *recipe,
                              const struct buffer *raw, size_t piece)
{
    struct buffer back = buffer_with_most(ROOM);
    struct bytes rest = buffer_bytes(raw);
    struct recipe read;

    assert_true(recipe_read(buffer_bytes(recipe), &read));
    assert_int_equal(read.size, letter.n);
    assert_int_equal(read.raw_size, raw->n);
    struct recipe_work work = recipe_begin(&read);
    while (rest.n > 0) {
        struct bytes in = bytes_first(rest, piece);
        size_t before = in.n;
        while (in.n > 0) {
            size_t had = back.n;
            assert_false(recipe_is_done(&work));
            assert_true(recipe_step(&work, &in, &back));
            assert_true(back.n - had <= RECIPE_STEP_MOST);
        }
        rest = bytes_skip(rest, before);
    }
    assert_true(recipe_is_done(&work));
    assert_true(bytes_equal(buffer_bytes(&back), letter));
    buffer_done(&back);
}

/* What recipe_make says of it; when it made something, that comes back. */
static bool makes(struct bytes letter, struct buffer *raw)
{
    struct buffer recipe = buffer_with_most(RECIPE_MOST);
    bool made = recipe_make(letter, BODY_7BIT, &recipe, raw);

    if (made) {
        assert_true(raw->n + recipe.n < letter.n);
        assert_comes_back(letter, &recipe, raw, 1);
        assert_comes_back(letter, &recipe, raw, 777);
        assert_comes_back(letter, &recipe, raw, SIZE_MAX);
    } else {
        assert_int_equal(raw->n + recipe.n, 0);
    }
    buffer_done(&recipe);
    return made;
}

/* ---- bodies */

static void lines_of_one_length(void **state)
{
    static const struct { size_t line; const char *end; unsigned breaks; bool made; } rows[] = {
        { 60, "\r\n", 1, true }, { 64, "\r\n", 1, true }, { 72, "\r\n", 1, true },
        { 76, "\r\n", 1, true }, { 76, "\r\n", 0, true }, { 76, "\r\n", 2, true },
        { 76, "\r\n", 16, true }, { 76, "\r\n", 17, false },
        { 76, "\n", 1, true }, { 76, "\n", 0, true }, { 64, "\n", 3, true },
        { 4, "\r\n", 1, true }, { 0, "\r\n", 1, true }, { 0, "\r\n", 0, true },
        { 996, "\r\n", 1, true }, { 398, "\r\n", 1, false }, { 75, "\r\n", 1, false },
        { 76, "\r", 1, false }, { 76, "\r\n ", 1, false }, { 76, "\r\n\r\n", 1, false },
        { 76, " \r\n", 1, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t n = 600; n < 604; n++) {
            struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
            struct buffer octets = buffer_with_most(ROOM), wanted = buffer_with_most(ROOM);
            put_octets(&octets, n, (uint32_t)n);
            buffer_put_text(&letter, "Subject: a\r\n" CTE TYPE "\r\n");
            put_coded(&letter, buffer_bytes(&octets), rows[i].line, rows[i].end, rows[i].breaks);
            assert_int_equal(makes(buffer_bytes(&letter), &raw), rows[i].made);
            buffer_put_text(&wanted, "Subject: a\r\n" RAW TYPE "\r\n");
            buffer_put(&wanted, buffer_bytes(&octets));
            assert_true(!rows[i].made || bytes_equal(buffer_bytes(&raw), buffer_bytes(&wanted)));
            buffer_done(&letter);
            buffer_done(&raw);
            buffer_done(&octets);
            buffer_done(&wanted);
        }
}

/* A body of 1000 lines of AAAA..., in which something is put in place of something. */
static void flaws_of_a_body(void **state)
{
    static const struct { const char *what; size_t at, take; const char *put; bool made; } rows[] =
    {
        { "none", 0, 0, "", true },
        { "an empty line before it", 0, 0, "\r\n", false },
        { "a short line", 100, 4, "", false },
        { "a long line", 100, 0, "AAAA", false },
        { "a blank", 100, 1, " ", false },
        { "a tab more", 100, 0, "\t", false },
        { "a CR more", 100, 0, "\r", false },
        { "a stray octet", 100, 1, "*", false },
        { "a NUL", 100, 1, "\x01", false },
        { "padding in the middle", 98, 2, "==", false },
        { "another line end", 76, 2, "\n", false },
        { "a line end too many", 76, 0, "\r\n", false },
        { "a comment behind it", 7800, 0, "(end)", false },
        { "bits that are no octet's", 7794, 4, "AB==", false },
        { "bits of an octet", 7794, 4, "AQ==", true },
        { "padding of one", 7794, 4, "AAE=", true },
        { "too much padding", 7794, 4, "A===", false },
        { "no padding", 7794, 4, "AQ", false },
        { "no padding of one", 7794, 4, "AAE", false },
        { "padding in a line of its own", 7796, 2, "\r\n==", false },
        { "text behind the padding", 7794, 4, "AQ==AAAA", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
        struct buffer body = buffer_with_most(ROOM);
        for (unsigned k = 0; k < 100; k++) {
            buffer_put_chars(&body, 'A', 76);
            buffer_put_text(&body, "\r\n");
        }
        struct bytes text = bytes_first(buffer_bytes(&body), 7798);
        assert_true(rows[i].at + rows[i].take <= 7800);
        buffer_put_text(&letter, CTE "\r\n");
        buffer_put(&letter, bytes_first(text, rows[i].at));
        buffer_put_text(&letter, rows[i].put);
        buffer_put(&letter, bytes_skip(text, rows[i].at + rows[i].take));
        buffer_put_text(&letter, "\r\n");
        if (makes(buffer_bytes(&letter), &raw) != rows[i].made)
            fail_msg("%s", rows[i].what);
        buffer_done(&letter);
        buffer_done(&raw);
        buffer_done(&body);
    }
}

/* ---- fields */

static void fields_come_back_as_they_stood(void **state)
{
    static const struct { const char *header; bool made; } rows[] = {
        { "Content-Transfer-Encoding: base64\r\n", true },
        { "content-TRANSFER-encoding:BASE64\r\n", true },
        { "Content-Transfer-Encoding:\r\n base64\r\n", true },
        { "Content-Transfer-Encoding: (so it is)\r\n\t(coded) Base64 (with care)\r\n", true },
        { "Content-Transfer-Encoding : base64  \r\n", true },
        { "Content-Transfer-Encoding: base64\nX: y\r\n", true },
        { "A: b\r\nContent-Transfer-Encoding: base64\r\nC: d\r\n", true },
        { "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n", false },
        { "Content-Transfer-Encoding: x-base64\r\n", false },
        { "Content-Transfer-Encoding: quoted-printable\r\n", false },
        { "Subject: base64\r\n", false },
        { CTE "Content-Type: message/rfc822\r\n", false },
        { CTE "Content-Type: multipart/mixed; boundary=b\r\n", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
        struct buffer octets = buffer_with_most(ROOM);
        put_octets(&octets, 1000, 5);
        buffer_put_text(&letter, rows[i].header);
        buffer_put_text(&letter, "\r\n");
        put_coded(&letter, buffer_bytes(&octets), 76, "\r\n", 1);
        if (makes(buffer_bytes(&letter), &raw) != rows[i].made)
            fail_msg("%s", rows[i].header);
        assert_true(!rows[i].made || bytes_ends(buffer_bytes(&raw), buffer_bytes(&octets)));
        buffer_done(&letter);
        buffer_done(&raw);
        buffer_done(&octets);
    }
}

/* A field of some length, and what is too short to be worth it. */
static void what_costs_more_than_it_saves_stays(void **state)
{
    static const struct { size_t octets, comment; bool made; } rows[] = {
        { 0, 0, false }, { 3, 0, false }, { 300, 0, false }, { 400, 0, true },
        { 400, 300, false }, { 2000, 300, true }, { 6000, 1100, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
        struct buffer octets = buffer_with_most(ROOM);
        put_octets(&octets, rows[i].octets, 5);
        buffer_put_text(&letter, "Content-Transfer-Encoding: (");
        buffer_put_chars(&letter, 'c', rows[i].comment);
        buffer_put_text(&letter, ") base64\r\n\r\n");
        put_coded(&letter, buffer_bytes(&octets), 76, "\r\n", 1);
        assert_int_equal(makes(buffer_bytes(&letter), &raw), rows[i].made);
        buffer_done(&letter);
        buffer_done(&raw);
        buffer_done(&octets);
    }
}

/* ---- parts */

static void put_part(struct buffer *to, const char *boundary, size_t octets, size_t line)
{
    struct buffer content = buffer_with_most(ROOM);

    put_octets(&content, octets, (uint32_t)octets);
    buffer_put_text(to, "\r\n--");
    buffer_put_text(to, boundary);
    buffer_put_text(to, "\r\n" TYPE CTE "\r\n");
    put_coded(to, buffer_bytes(&content), line, "\r\n", octets % 3 == 0 ? 1 : 0);
    buffer_done(&content);
}

/* Parts in parts, in a letter in a letter; between them some that stay. */
static void put_nested(struct buffer *to)
{
    buffer_put_text(to, "DKIM-Signature: v=1; a=rsa-sha256; b=AAAA\r\n"
                        "Content-Type: multipart/mixed; boundary=outer\r\n\r\npreamble\r\n"
                        "--outer\r\nContent-Type: multipart/signed; boundary=inner\r\n\r\n");
    put_part(to, "inner", 3000, 76);
    put_part(to, "inner", 700, 64);
    put_part(to, "inner", 901, 75);         /* no encoder's */
    buffer_put_text(to, "\r\n--inner--\r\nepilogue\r\n--outer\r\n"
                        "Content-Type: message/rfc822\r\n\r\nSubject: inside\r\n"
                        "Content-Type: multipart/x; boundary=\"in side\"\r\n\r\n");
    put_part(to, "in side", 2000, 0);
    put_part(to, "in side", 5, 76);
    put_part(to, "in side", 600, 72);
    buffer_put_text(to, "\r\n--in side--\r\n--outer\r\n\r\nplain text\r\n");
    put_part(to, "outer", 1500, 60);
    buffer_put_text(to, "\r\n--outer--\r\n");
}

static void parts_in_parts(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
    struct buffer octets = buffer_with_most(ROOM);

    (void)state;
    put_nested(&letter);
    assert_true(makes(buffer_bytes(&letter), &raw));
    put_octets(&octets, 3000, 3000);
    assert_true(bytes_search(buffer_bytes(&raw), buffer_bytes(&octets)) < raw.n);
    for (size_t i = 0; i < 5; i++) {
        static const size_t sizes[] = { 700, 2000, 600, 1500, 901 };
        buffer_clear(&octets);
        put_octets(&octets, sizes[i], (uint32_t)sizes[i]);
        bool there = bytes_search(buffer_bytes(&raw), buffer_bytes(&octets)) < raw.n;
        assert_int_equal(there, sizes[i] != 901);
    }
    buffer_done(&letter);
    buffer_done(&raw);
    buffer_done(&octets);
}

/* Octets that read as a boundary would make other parts of it: it stays as it is. */
static void a_boundary_in_the_octets(void **state)
{
    static const struct { const char *octets; bool made; } rows[] = {
        { "\r\n--b\r\n\r\nanother part", false }, { "\r\n--b--\r\n", false },
        { "\n--b\n", false }, { "--b\r\n", true }, { "\r\n--c\r\n", true },
        { "\r\n--b--\r\n--b\r\n" TYPE "\r\n", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
        struct buffer octets = buffer_with_most(ROOM);
        buffer_put_chars(&octets, 'x', 900);
        buffer_put_text(&octets, rows[i].octets);
        buffer_put_chars(&octets, 'x', 900);
        buffer_put_text(&letter, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" CTE
                                 "\r\n");
        put_coded(&letter, buffer_bytes(&octets), 76, "\r\n", 0);
        buffer_put_text(&letter, "\r\n--b--\r\n");
        if (makes(buffer_bytes(&letter), &raw) != rows[i].made)
            fail_msg("%s", rows[i].octets);
        buffer_done(&letter);
        buffer_done(&raw);
        buffer_done(&octets);
    }
}

static void more_parts_than_a_recipe_holds(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);

    (void)state;
    buffer_put_text(&letter, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (size_t i = 0; i < RECIPE_LEAVES + 20; i++)
        put_part(&letter, "b", 600, 76);
    buffer_put_text(&letter, "\r\n--b--\r\n");
    assert_true(makes(buffer_bytes(&letter), &raw));
    buffer_done(&letter);
    buffer_done(&raw);
}

static void ten_megabytes(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
    struct buffer octets = buffer_with_most(ROOM), recipe = buffer_with_most(RECIPE_MOST);

    (void)state;
    put_octets(&octets, 10 << 20, 1);
    buffer_put_text(&letter, TYPE CTE "\r\n");
    put_coded(&letter, buffer_bytes(&octets), 76, "\r\n", 1);
    assert_true(recipe_make(buffer_bytes(&letter), BODY_8BITMIME, &recipe, &raw));
    assert_true(raw.n * 136 < letter.n * 100);
    assert_comes_back(buffer_bytes(&letter), &recipe, &raw, 8191);
    buffer_done(&letter);
    buffer_done(&raw);
    buffer_done(&octets);
    buffer_done(&recipe);
}

/* ---- any letter */

/* Pieces of letters, put together without sense. */
static void put_any(struct buffer *to, uint32_t *seed)
{
    static const char *const pieces[] = {
        "Content-Type: multipart/mixed; boundary=b\r\n", CTE, CTE, TYPE, "\r\n", "\r\n", "\n",
        "--b\r\n", "\r\n--b\r\n", "--b--\r\n", "Content-Type: message/rfc822\r\n", "=", "AAAA",
        "Content-Transfer-Encoding: (a)\r\n base64\r\n", " ", "\r",
    };
    static const size_t lines[] = { 0, 4, 60, 72, 74, 76 };

    for (uint32_t n = 1 + draw(seed) % 30; n > 0; n--) {
        struct buffer octets = buffer_with_most(ROOM);
        put_octets(&octets, draw(seed) % 2000, draw(seed));
        if (draw(seed) % 3 == 0)
            put_coded(to, buffer_bytes(&octets), lines[draw(seed) % COUNT(lines)],
                      draw(seed) % 4 == 0 ? "\n" : "\r\n", draw(seed) % 3);
        else
            buffer_put_text(to, pieces[draw(seed) % COUNT(pieces)]);
        buffer_done(&octets);
    }
}

/* Its first part is as it should be. */
static void put_begun(struct buffer *to, uint32_t *seed)
{
    buffer_put_text(to, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    put_part(to, "b", 500 + draw(seed) % 1000, 64 + draw(seed) % 4 * 4);
    buffer_put_text(to, "\r\n--b\r\n");
}

static void whatever_is_made_comes_back(void **state)
{
    uint32_t seed = 11;
    unsigned made = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
        struct buffer recipe = buffer_with_most(RECIPE_MOST);
        if (i % 2 == 0)
            put_begun(&letter, &seed);
        put_any(&letter, &seed);
        if (recipe_make(buffer_bytes(&letter), BODY_7BIT, &recipe, &raw)) {
            assert_comes_back(buffer_bytes(&letter), &recipe, &raw, 1 + draw(&seed) % 5000);
            made++;
        }
        buffer_done(&letter);
        buffer_done(&raw);
        buffer_done(&recipe);
    }
    assert_true(made > 500);
}

/* ---- strangers' recipes */

static void a_strangers_recipe(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
    struct buffer recipe = buffer_with_most(RECIPE_MOST), changed = buffer_with_most(RECIPE_MOST);
    struct buffer back = buffer_with_most(ROOM);
    struct recipe read;

    (void)state;
    put_nested(&letter);
    assert_true(recipe_make(buffer_bytes(&letter), BODY_7BIT, &recipe, &raw));
    for (size_t n = 0; n < recipe.n; n++)
        assert_false(recipe_read(bytes_first(buffer_bytes(&recipe), n), &read));
    for (size_t i = 0; i < recipe.n * 8; i++) {
        buffer_clear(&changed);
        buffer_clear(&back);
        buffer_put(&changed, buffer_bytes(&recipe));
        changed.at[i / 8] = (char)(changed.at[i / 8] ^ (1 << i % 8));
        if (!recipe_read(buffer_bytes(&changed), &read))
            continue;
        assert_true(read.raw_size == raw.n);
        if (recipe_apply(buffer_bytes(&raw), &read, &back))
            assert_int_equal(back.n, read.size);
        else
            assert_int_equal(back.n, 0);
    }
    buffer_put_char(&recipe, '\0');
    assert_false(recipe_read(buffer_bytes(&recipe), &read));
    buffer_done(&letter);
    buffer_done(&raw);
    buffer_done(&recipe);
    buffer_done(&changed);
    buffer_done(&back);
}

/* One leaf, as a stranger may state it. */
static void numbers_of_a_stranger(void **state)
{
    static const struct {
        const char *what;
        uint8_t version, body;
        uint64_t size, raw_size;
        uint16_t leaves;
        uint64_t before, between, octets;
        uint32_t line;
        uint8_t end, breaks;
        bool well;
    } rows[] = {
        { "well", 1, 0, 4, 38, 1, 0, 0, 3, 0, 0, 0, true },
        { "in lines of 4", 1, 0, 16, 44, 1, 0, 0, 9, 4, 0, 0, true },
        { "a version of later", 2, 0, 4, 38, 1, 0, 0, 3, 0, 0, 0, false },
        { "no BODY", 1, 3, 4, 38, 1, 0, 0, 3, 0, 0, 0, false },
        { "another size", 1, 0, 5, 38, 1, 0, 0, 3, 0, 0, 0, false },
        { "a raw form too short", 1, 0, 4, 37, 1, 0, 0, 3, 0, 0, 0, false },
        { "no leaf", 1, 0, 4, 38, 0, 0, 0, 3, 0, 0, 0, false },
        { "two leaves", 1, 0, 4, 38, 2, 0, 0, 3, 0, 0, 0, false },
        { "nothing in it", 1, 0, 0, 35, 1, 0, 0, 0, 0, 0, 0, false },
        { "lines of 3", 1, 0, 6, 38, 1, 0, 0, 3, 3, 0, 0, false },
        { "lines without end", 1, 0, 4, 38, 1, 0, 0, 3, 0xFFFFFFFC, 0, 0, false },
        { "no line end", 1, 0, 4, 38, 1, 0, 0, 3, 0, 2, 0, false },
        { "line ends", 1, 0, 4 + 32, 38, 1, 0, 0, 3, 0, 0, 16, true },
        { "line ends without end", 1, 0, 4 + 510, 38, 1, 0, 0, 3, 0, 0, 255, false },
        { "all that there is", 1, 0, UINT64_MAX, UINT64_MAX, 1, 0, 0, UINT64_MAX, 0, 0, 0, false },
        { "sums that go round", 1, 0, 3, 37, 1, UINT64_MAX, 0, 3, 0, 0, 0, false },
        { "and with another", 1, 0, 4, 38, 1, UINT64_MAX, 1, 3, 0, 0, 0, false },
        { "large, and true", 1, 0, 4ULL << 30, (3ULL << 30) + 35, 1, 0, 0, 3ULL << 30, 0, 0, 0,
          true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer recipe = buffer_with_most(RECIPE_MOST);
        struct recipe read;
        buffer_put_u8(&recipe, rows[i].version);
        buffer_put_u8(&recipe, rows[i].body);
        buffer_put_u64(&recipe, rows[i].size);
        buffer_put_u64(&recipe, rows[i].raw_size);
        buffer_put_chars(&recipe, 's', RECIPE_SUM);
        buffer_put_u16(&recipe, rows[i].leaves);
        buffer_put_u64(&recipe, rows[i].before);
        buffer_put_block(&recipe, BYTES_NONE);
        buffer_put_u64(&recipe, rows[i].between);
        buffer_put_u64(&recipe, rows[i].octets);
        buffer_put_u32(&recipe, rows[i].line);
        buffer_put_u8(&recipe, rows[i].end);
        buffer_put_u8(&recipe, rows[i].breaks);
        if (recipe_read(buffer_bytes(&recipe), &read) != rows[i].well)
            fail_msg("%s", rows[i].what);
        buffer_done(&recipe);
    }
}

/* A raw form that is cut, longer, or another one. */
static void another_raw_form(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
    struct buffer recipe = buffer_with_most(RECIPE_MOST), back = buffer_with_most(ROOM);
    struct recipe read;

    (void)state;
    put_nested(&letter);
    assert_true(recipe_make(buffer_bytes(&letter), BODY_7BIT, &recipe, &raw));
    assert_true(recipe_read(buffer_bytes(&recipe), &read));
    for (size_t n = 0; n < raw.n; n += 7)
        assert_false(recipe_apply(bytes_first(buffer_bytes(&raw), n), &read, &back));
    size_t field = bytes_search(buffer_bytes(&raw), BYTES(RAW));
    raw.at[field + 3] = '!';
    assert_false(recipe_apply(buffer_bytes(&raw), &read, &back));
    raw.at[field + 3] = 't';
    buffer_put_char(&raw, '\n');
    assert_false(recipe_apply(buffer_bytes(&raw), &read, &back));
    assert_int_equal(back.n, 0);
    buffer_done(&letter);
    buffer_done(&raw);
    buffer_done(&recipe);
    buffer_done(&back);
}

static void the_sum_is_kept(void **state)
{
    uint8_t sum[RECIPE_SUM];
    struct buffer letter = buffer_with_most(ROOM), raw = buffer_with_most(ROOM);
    struct buffer recipe = buffer_with_most(RECIPE_MOST);
    struct recipe read;

    (void)state;
    for (size_t i = 0; i < RECIPE_SUM; i++)
        sum[i] = (uint8_t)(i + 1);
    put_nested(&letter);
    assert_true(recipe_make(buffer_bytes(&letter), BODY_8BITMIME, &recipe, &raw));
    recipe_set_sum(&recipe, sum);
    assert_true(recipe_read(buffer_bytes(&recipe), &read));
    assert_true(bytes_equal(read.sum, (struct bytes){ (const char *)sum, RECIPE_SUM }));
    assert_int_equal(read.body, BODY_8BITMIME);
    buffer_done(&letter);
    buffer_done(&raw);
    buffer_done(&recipe);
}

static void short_memory_is_said(void **state)
{
    struct buffer letter = buffer_with_most(ROOM);

    (void)state;
    put_nested(&letter);
    for (uint64_t at = 1; at < 40; at++) {
        struct buffer raw = buffer_with_most(ROOM), recipe = buffer_with_most(RECIPE_MOST);
        mem_fail_at(at);
        bool made = recipe_make(buffer_bytes(&letter), BODY_7BIT, &recipe, &raw);
        mem_fail_at(0);
        assert_true(made || raw.n + recipe.n == 0);
        buffer_done(&raw);
        buffer_done(&recipe);
    }
    struct buffer little = buffer_with_most(100), recipe = buffer_with_most(RECIPE_MOST);
    assert_false(recipe_make(buffer_bytes(&letter), BODY_7BIT, &recipe, &little));
    assert_int_equal(little.n + recipe.n, 0);
    buffer_done(&little);
    buffer_done(&recipe);
    buffer_done(&letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_one_length), cmocka_unit_test(flaws_of_a_body),
        cmocka_unit_test(fields_come_back_as_they_stood),
        cmocka_unit_test(what_costs_more_than_it_saves_stays), cmocka_unit_test(parts_in_parts),
        cmocka_unit_test(a_boundary_in_the_octets),
        cmocka_unit_test(more_parts_than_a_recipe_holds), cmocka_unit_test(ten_megabytes),
        cmocka_unit_test(whatever_is_made_comes_back), cmocka_unit_test(a_strangers_recipe),
        cmocka_unit_test(numbers_of_a_stranger), cmocka_unit_test(another_raw_form),
        cmocka_unit_test(the_sum_is_kept), cmocka_unit_test(short_memory_is_said),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
