/* SPDX-License-Identifier: ISC */
#include "base/charset.h"

#include "base/charset_int.h"
#include "base/utf8.h"

enum { GUESS_MOST = 512 };
enum kind { UTF_8, ASCII, SINGLE, SJIS, EUC_JP, ISO_2022, GB, BIG5, EUC_KR, UTF_7 };

struct charset {
    struct bytes name;          /* in lower case */
    enum kind kind;
    enum charset_table table;   /* of a SINGLE one */
};

#define N(name, kind, table) { BYTES_INIT(name), kind, table }
static const struct charset charsets[] = {
    N("utf-8", UTF_8, 0), N("utf8", UTF_8, 0), N("unicode-1-1-utf-8", UTF_8, 0),
    N("us-ascii", ASCII, 0), N("ascii", ASCII, 0), N("ansi_x3.4-1968", ASCII, 0),
    N("ansi-x3.4-1968", ASCII, 0), N("iso646-us", ASCII, 0),
    N("iso-8859-1", SINGLE, TABLE_8859_1), N("latin1", SINGLE, TABLE_8859_1),
    N("l1", SINGLE, TABLE_8859_1), N("iso-8859-2", SINGLE, TABLE_8859_2),
    N("latin2", SINGLE, TABLE_8859_2), N("iso-8859-3", SINGLE, TABLE_8859_3),
    N("iso-8859-4", SINGLE, TABLE_8859_4), N("iso-8859-5", SINGLE, TABLE_8859_5),
    N("iso-8859-6", SINGLE, TABLE_8859_6), N("iso-8859-7", SINGLE, TABLE_8859_7),
    N("iso-8859-8", SINGLE, TABLE_8859_8), N("iso-8859-8-i", SINGLE, TABLE_8859_8),
    N("iso-8859-9", SINGLE, TABLE_8859_9), N("iso-8859-10", SINGLE, TABLE_8859_10),
    N("iso-8859-11", SINGLE, TABLE_8859_11), N("iso-8859-13", SINGLE, TABLE_8859_13),
    N("iso-8859-14", SINGLE, TABLE_8859_14), N("iso-8859-15", SINGLE, TABLE_8859_15),
    N("latin9", SINGLE, TABLE_8859_15), N("iso-8859-16", SINGLE, TABLE_8859_16),
    N("windows-1250", SINGLE, TABLE_1250), N("windows-1251", SINGLE, TABLE_1251),
    N("windows-1252", SINGLE, TABLE_1252), N("windows-1253", SINGLE, TABLE_1253),
    N("windows-1254", SINGLE, TABLE_1254), N("windows-1255", SINGLE, TABLE_1255),
    N("windows-1256", SINGLE, TABLE_1256), N("windows-1257", SINGLE, TABLE_1257),
    N("windows-1258", SINGLE, TABLE_1258), N("windows-874", SINGLE, TABLE_874),
    N("tis-620", SINGLE, TABLE_874), N("koi8-r", SINGLE, TABLE_KOI8_R),
    N("koi8r", SINGLE, TABLE_KOI8_R), N("koi8-u", SINGLE, TABLE_KOI8_U),
    N("ibm866", SINGLE, TABLE_866), N("ibm437", SINGLE, TABLE_437),
    N("ibm850", SINGLE, TABLE_850), N("macintosh", SINGLE, TABLE_MAC_ROMAN),
    N("mac", SINGLE, TABLE_MAC_ROMAN), N("x-mac-roman", SINGLE, TABLE_MAC_ROMAN),
    N("x-mac-cyrillic", SINGLE, TABLE_MAC_CYRILLIC),
    N("shift_jis", SJIS, 0), N("shift-jis", SJIS, 0), N("sjis", SJIS, 0), N("x-sjis", SJIS, 0),
    N("ms_kanji", SJIS, 0), N("windows-31j", SJIS, 0), N("cp932", SJIS, 0),
    N("euc-jp", EUC_JP, 0), N("eucjp", EUC_JP, 0), N("x-euc-jp", EUC_JP, 0),
    N("iso-2022-jp", ISO_2022, 0), N("iso-2022-jp-1", ISO_2022, 0),
    N("iso-2022-jp-2", ISO_2022, 0), N("iso-2022-jp-ms", ISO_2022, 0),
    N("cp50221", ISO_2022, 0), N("iso-2022-kr", ISO_2022, 0),
    N("gb18030", GB, 0), N("gbk", GB, 0), N("gb2312", GB, 0), N("cp936", GB, 0),
    N("euc-cn", GB, 0), N("gb_2312-80", GB, 0), N("x-gbk", GB, 0), N("windows-936", GB, 0),
    N("big5", BIG5, 0), N("big-5", BIG5, 0), N("big5-hkscs", BIG5, 0), N("cp950", BIG5, 0),
    N("x-x-big5", BIG5, 0), N("euc-kr", EUC_KR, 0), N("euckr", EUC_KR, 0),
    N("ks_c_5601-1987", EUC_KR, 0), N("ks_c_5601", EUC_KR, 0), N("ksc5601", EUC_KR, 0),
    N("cp949", EUC_KR, 0), N("uhc", EUC_KR, 0), N("korean", EUC_KR, 0),
    N("utf-7", UTF_7, 0), N("unicode-1-1-utf-7", UTF_7, 0),
};
#undef N

/* Other ways to write the beginning of a name. */
static const struct { struct bytes written, meant; } prefixes[] = {
    { BYTES_INIT("cp"), BYTES_INIT("windows-") }, { BYTES_INIT("win"), BYTES_INIT("windows-") },
    { BYTES_INIT("x-cp"), BYTES_INIT("windows-") }, { BYTES_INIT("cp"), BYTES_INIT("ibm") },
    { BYTES_INIT("iso8859-"), BYTES_INIT("iso-8859-") },
    { BYTES_INIT("iso_8859-"), BYTES_INIT("iso-8859-") },
    { BYTES_INIT("csiso2022jp"), BYTES_INIT("iso-2022-jp") },
};

static const struct charset *find(struct bytes prefix, struct bytes rest)
{
    for (size_t i = 0; i < COUNT(charsets); i++) {
        struct bytes name = charsets[i].name;
        if (name.n == prefix.n + rest.n && bytes_begins_nocase(name, prefix)
            && bytes_equal_nocase(bytes_skip(name, prefix.n), rest))
            return &charsets[i];
    }
    return NULL;
}

const struct charset *charset_find(struct bytes name)
{
    name = bytes_trim(name);
    while (name.n > 0 && (name.at[0] == '"' || name.at[0] == '\''))
        name = bytes_skip(name, 1);
    while (name.n > 0 && (name.at[name.n - 1] == '"' || name.at[name.n - 1] == '\''))
        name.n--;
    const struct charset *found = name.n == 0 ? NULL : find(name, BYTES_NONE);
    for (size_t i = 0; found == NULL && i < COUNT(prefixes); i++) {
        if (bytes_begins_nocase(name, prefixes[i].written))
            found = find(prefixes[i].meant, bytes_skip(name, prefixes[i].written.n));
    }
    return found;
}

bool charset_is_8bit(const struct charset *charset)
{
    return charset->kind != ASCII && charset->kind != ISO_2022 && charset->kind != UTF_7;
}

bool charset_needs_decoding(const struct charset *charset)
{
    return charset != NULL && (charset->kind == ISO_2022 || charset->kind == UTF_7);
}

static void put_point(struct buffer *to, uint32_t point)
{
    if (point == 0 || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
        point = 0xfffd;
    if (point < 0x80) {
        buffer_put_char(to, (char)point);
        return;
    }
    if (point >= 0x10000) {
        buffer_put_char(to, (char)(uint8_t)(0xf0 | point >> 18));
        buffer_put_char(to, (char)(uint8_t)(0x80 | (point >> 12 & 63)));
    } else if (point >= 0x800) {
        buffer_put_char(to, (char)(uint8_t)(0xe0 | point >> 12));
    }
    if (point >= 0x800)
        buffer_put_char(to, (char)(uint8_t)(0x80 | (point >> 6 & 63)));
    else
        buffer_put_char(to, (char)(uint8_t)(0xc0 | point >> 6));
    buffer_put_char(to, (char)(uint8_t)(0x80 | (point & 63)));
}

static uint32_t sjis_point(unsigned a, unsigned b)
{
    return a >= 0x81 && a <= 0xfc && b >= 0x40 && b <= 0xfc
        ? charset_sjis[(a - 0x81) * SJIS_ROW + b - 0x40] : 0;
}

/* Row and cell of JIS X 0208, 0x21 .. 0x7e each, by way of where Shift_JIS has them. */
static uint32_t jis_point(unsigned a, unsigned b)
{
    if (a < 0x21 || a > 0x7e || b < 0x21 || b > 0x7e)
        return 0;
    unsigned lead = (a - 0x21) / 2 + (a < 0x5f ? 0x81 : 0xc1);
    unsigned trail = a % 2 == 0 ? b + 0x7e : b + 0x1f + (b >= 0x60);
    return sjis_point(lead, trail);
}

static uint32_t table_point(const uint16_t *table, unsigned row, unsigned first, unsigned a,
                            unsigned b)
{
    return a >= 0x81 && a <= 0xfe && b >= first && b <= 0xfe
        ? table[(a - 0x81) * row + b - first] : 0;
}

static uint32_t gb_four(const uint8_t *at)
{
    uint32_t linear = ((at[0] - 0x81u) * 10 + at[1] - 0x30u) * 1260 + (at[2] - 0x81u) * 10
        + at[3] - 0x30u;

    if (at[0] >= 0x90)          /* beyond the first plane they follow one by one */
        return 0x10000 + linear - ((0x90u - 0x81u) * 12600);
    for (size_t i = 0; i < charset_gb_runs_n; i++) {
        const struct charset_run *run = &charset_gb_runs[i];
        if (linear >= run->linear && linear < run->linear + run->n)
            return run->point + linear - run->linear;
    }
    return 0;
}

static size_t gb_take(const uint8_t *at, size_t n, uint32_t *ret_point)
{
    bool four = n >= 4 && at[1] >= 0x30 && at[1] <= 0x39 && at[0] >= 0x81 && at[0] <= 0xfe
        && at[2] >= 0x81 && at[2] <= 0xfe && at[3] >= 0x30 && at[3] <= 0x39;

    *ret_point = four ? gb_four(at)
        : n < 2 ? 0 : table_point(charset_gbk, GBK_ROW, 0x40, at[0], at[1]);
    return four ? 4 : *ret_point == 0 ? 1 : 2;
}

static size_t euc_jp_take(const uint8_t *at, size_t n, uint32_t *ret_point)
{
    if (at[0] == 0x8e && n > 1 && at[1] >= 0xa1 && at[1] <= 0xdf)
        return *ret_point = 0xff61 + at[1] - 0xa1u, 2;
    if (at[0] == 0x8f && n > 2)
        return *ret_point = 0, 3;       /* JIS X 0212 is not known here */
    *ret_point = n > 1 ? jis_point(at[0] & 0x7fu, at[1] & 0x7fu) : 0;
    return *ret_point == 0 ? 1 : 2;
}

static size_t sjis_take(const uint8_t *at, size_t n, uint32_t *ret_point)
{
    if (at[0] >= 0xa1 && at[0] <= 0xdf)
        return *ret_point = 0xff61 + at[0] - 0xa1u, 1;
    *ret_point = n > 1 ? sjis_point(at[0], at[1]) : 0;
    return *ret_point == 0 ? 1 : 2;
}

/* The character that the octets, the first above 127, begin with; returns how many it took. */
static size_t take(const struct charset *charset, struct bytes text, uint32_t *ret_point)
{
    const uint8_t *at = (const uint8_t *)text.at;
    size_t n = text.n;

    switch (charset->kind) {
    case UTF_8:
        if (utf8_take(text, ret_point) == 0)
            return *ret_point = 0, 1;
        return utf8_take(text, ret_point);
    case SINGLE:
        return *ret_point = charset_single[charset->table][at[0] - 0x80], 1;
    case SJIS:
        return sjis_take(at, n, ret_point);
    case EUC_JP:
        return euc_jp_take(at, n, ret_point);
    case GB:
        return gb_take(at, n, ret_point);
    case BIG5:
        *ret_point = n > 1 ? table_point(charset_big5, BIG5_ROW, 0x40, at[0], at[1]) : 0;
        return *ret_point == 0 ? 1 : 2;
    case EUC_KR:
        *ret_point = n > 1 ? table_point(charset_euckr, EUCKR_ROW, 0x41, at[0], at[1]) : 0;
        return *ret_point == 0 ? 1 : 2;
    case ASCII:
    case ISO_2022:
    case UTF_7:
        return *ret_point = 0, 1;
    }
    return *ret_point = 0, 1;
}

/* Which set the escape chooses: 'J' two octets of JIS, 'K' of Korea once shifted out, 'I' kana,
   'A' ASCII; 0: no escape that is known. */
static char escape_set(struct bytes text, size_t *ret_n)
{
    static const struct { const char *escape; char set; } escapes[] = {
        { "\033$B", 'J' }, { "\033$@", 'J' }, { "\033$(B", 'J' }, { "\033$(@", 'J' },
        { "\033(B", 'A' }, { "\033(J", 'A' }, { "\033(I", 'I' }, { "\033$)C", 'K' },
    };

    for (size_t i = 0; i < COUNT(escapes); i++) {
        if (bytes_begins(text, bytes_of(escapes[i].escape)))
            return *ret_n = bytes_of(escapes[i].escape).n, escapes[i].set;
    }
    return *ret_n = 1, 0;
}

/* How much of the text is ASCII without what ISO 2022 shifts by. */
static size_t unshifted(struct bytes text)
{
    size_t n = 0;

    while (n < text.n && octet(text.at[n]) - 1u < 0x7f && text.at[n] != 0x1b
           && text.at[n] != 0x0e && text.at[n] != 0x0f)
        n++;
    return n;
}

static void put_2022(struct buffer *to, struct bytes text)
{
    char set = 'A';
    bool shifted = false;
    size_t n;

    while (text.n > 0) {
        uint8_t a = octet(text.at[0]), b = text.n > 1 ? octet(text.at[1]) : 0;
        n = set == 'A' && !shifted ? unshifted(text) : 0;
        buffer_put(to, bytes_first(text, n));
        if (n > 0) {
            text = bytes_skip(text, n);
            continue;
        }
        n = 1;
        if (a == 0x1b) {
            char new = escape_set(text, &n);
            set = new != 0 ? new : set;
        } else if (a == 0x0e || a == 0x0f) {
            shifted = a == 0x0e;
        } else if (a == '\n' || a == '\r') {
            set = set == 'K' ? set : 'A';       /* a line ends in ASCII, whatever was forgotten */
            shifted = false;
            put_point(to, a);
        } else if (set == 'J' && a > ' ') {
            put_point(to, jis_point(a & 0x7fu, b & 0x7fu));
            n = 2;
        } else if (set == 'K' && shifted && a > ' ') {
            put_point(to, table_point(charset_euckr, EUCKR_ROW, 0x41, a | 0x80u, b | 0x80u));
            n = 2;
        } else if (set == 'I' && a >= 0x21 && a <= 0x5f) {
            put_point(to, 0xff61 + a - 0x21u);
        } else {
            put_point(to, a < 0x80 ? a : 0);
        }
        text = bytes_skip(text, n);
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 2152: "+" UTF-16 in base64, to "-" or the first octet that is none; returns its octets. */
static size_t utf7_run(struct buffer *to, struct bytes text)
{
    uint32_t bits = 0, high = 0;
    unsigned held = 0;
    size_t i = 1;

    for (; i < text.n && base64_value(text.at[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text.at[i]);
        held += 6;
        if (held < 16)
            continue;
        held -= 16;
        uint32_t unit = bits >> held & 0xffff;
        if (unit >= 0xd800 && unit < 0xdc00)
            high = unit;
        else if (unit >= 0xdc00 && unit < 0xe000 && high != 0)
            put_point(to, 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ff)));
        else
            put_point(to, unit);
        high = unit >= 0xd800 && unit < 0xdc00 ? high : 0;
    }
    if (i == 1 && i < text.n && text.at[i] == '-')
        put_point(to, '+');
    return i < text.n && text.at[i] == '-' ? i + 1 : i;
}

static void put_utf7(struct buffer *to, struct bytes text)
{
    while (text.n > 0) {
        size_t n = 1;
        if (text.at[0] == '+')
            n = utf7_run(to, text);
        else
            put_point(to, octet(text.at[0]) < 0x80 ? octet(text.at[0]) : 0);
        text = bytes_skip(text, n);
    }
}

void charset_put_text(struct buffer *to, const struct charset *charset, struct bytes text)
{
    if (charset->kind == ISO_2022) {
        put_2022(to, text);
        return;
    }
    if (charset->kind == UTF_7) {
        put_utf7(to, text);
        return;
    }
    while (text.n > 0) {
        size_t plain = utf8_ascii(text);
        plain = bytes_find(bytes_first(text, plain), '\0');
        buffer_put(to, bytes_first(text, plain));
        text = bytes_skip(text, plain);
        if (text.n == 0)
            break;
        uint32_t point = 0;
        size_t n = text.at[0] == '\0' ? 1 : take(charset, text, &point);
        put_point(to, point);
        text = bytes_skip(text, n);
    }
}

/* How well the text reads in it: characters of two octets that are there, and none that are not. */
static unsigned reads_as(const struct charset *charset, struct bytes text)
{
    unsigned good = 0, bad = 0;

    for (size_t i = 0, n; i < text.n; i += n) {
        uint32_t point = 0;
        n = 1;
        if (octet(text.at[i]) < 0x80)
            continue;
        n = take(charset, (struct bytes){ text.at + i, text.n - i }, &point);
        if (n == 2)
            good += point >= 0x3040 && point < 0xac00 ? 2 : 1;
        else
            bad += point == 0 ? 4 : 2;
    }
    return bad * 8 > good ? 0 : good;
}

const struct charset *charset_guess(struct bytes text)
{
    static const char *const names[] = { "gbk", "euc-jp", "shift_jis", "euc-kr", "big5" };
    const struct charset *best = charset_find(BYTES("windows-1252"));
    unsigned cyrillic = 0, octets = 0, most = 3;

    /* from where it begins to tell something */
    text = bytes_first(bytes_skip(text, utf8_ascii(text)), GUESS_MOST);
    for (size_t i = 0; i < text.n; i++) {
        octets += octet(text.at[i]) >= 0x80;
        cyrillic += octet(text.at[i]) >= 0xc0;
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct charset *charset = charset_find(bytes_of(names[i]));
        unsigned good = reads_as(charset, text);
        if (good > most) {
            most = good;
            best = charset;
        }
    }
    /* Words of such octets alone are Cyrillic; in Latin text they stand apart. */
    if (most == 3 && octets > 12 && cyrillic * 10 > octets * 9)
        return charset_find(BYTES("koi8-r"));
    return best;
}
