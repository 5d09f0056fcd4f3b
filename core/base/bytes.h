/* SPDX-License-Identifier: ISC
 *
 * base/bytes.h: text and octets as a slice, a pointer and a length.
 *
 * No NUL ends anything here: a slice can hold a NUL that a stranger sent, a C string would hide it.
 * A slice borrows; each function that returns one says from whom.
 */
#ifndef POSTERN_BASE_BYTES_H
#define POSTERN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MUST_USE __attribute__((warn_unused_result))

struct bytes {
    const char *at;
    size_t n;
};

/* A slice of a string literal, without its NUL. */
#define BYTES(literal) ((struct bytes){ "" literal, sizeof(literal) - 1 })
/* The same for static initialisers, where a compound literal is not a constant. */
#define BYTES_INIT(literal) { "" literal, sizeof(literal) - 1 }
#define BYTES_NONE ((struct bytes){ "", 0 })

/* A slice of a C string; for program arguments and names from .def files only. */
static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){ text, strlen(text) };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}
/* Equal when A-Z and a-z are taken as the same. ASCII only, on purpose: no locale. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
static inline bool bytes_begins(struct bytes text, struct bytes start)
{
    return text.n >= start.n && (start.n == 0 || memcmp(text.at, start.at, start.n) == 0);
}
bool bytes_begins_nocase(struct bytes text, struct bytes start);
bool bytes_ends(struct bytes text, struct bytes end);
/* Less than, equal to or greater than zero as a sorts before, with or after b, octet by octet. */
int bytes_compare(struct bytes a, struct bytes b);

/* The index of the first `c` (or of the first `part`), or text.n when there is none. */
static inline size_t bytes_find(struct bytes text, char c)
{
    const char *at = text.n == 0 ? NULL : (const char *)memchr(text.at, c, text.n);

    return at == NULL ? text.n : (size_t)(at - text.at);
}
size_t bytes_find_last(struct bytes text, char c);
size_t bytes_search(struct bytes text, struct bytes part);

/* The first n octets, and all after them; n beyond the end is taken as the end. Both borrow. */
static inline struct bytes bytes_first(struct bytes text, size_t n)
{
    return (struct bytes){ text.at, n < text.n ? n : text.n };
}
static inline struct bytes bytes_skip(struct bytes text, size_t n)
{
    size_t skip = n < text.n ? n : text.n;

    return (struct bytes){ text.at + skip, text.n - skip };
}
/* What stands before the first `stop` (all, when it is absent). Borrows. */
static inline struct bytes bytes_upto(struct bytes text, char stop)
{
    return bytes_first(text, bytes_find(text, stop));
}
/* Without spaces, tabs, CR and LF at either end. Borrows. */
struct bytes bytes_trim(struct bytes text);

/* Cut the text before the first `stop` from *rest and step over the stop; false when *rest is
   empty. A text without a stop is one last piece. Borrows from *rest. */
bool bytes_cut(struct bytes *rest, char stop, struct bytes *ret_piece);

/* ASCII classes, without a locale. */
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
static inline bool is_space(char c) { return c == ' ' || c == '\t'; }
static inline char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static inline char to_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }
static inline uint8_t octet(char c) { return (uint8_t)c; }

#endif
