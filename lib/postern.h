/* SPDX-License-Identifier: ISC
 *
 * lib/postern.h: libpostern, which tells in plain words what became of a message.
 *
 * Give it what came back (a bounce, a delay notice, an answer of a server, a code) and it says what
 * happened, who must act, what to do, and whether the message is still tried: as text, as HTML, as
 * JSON, or value by value. It opens no file and no connection, keeps no state outside the struct,
 * and may be used from several threads with a struct for each.
 */
#ifndef POSTERN_H
#define POSTERN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct postern;

/* NULL when there is no memory. Takes some megabytes; make one and use it often. */
struct postern *postern_new(void);
void postern_free(struct postern *postern);

/* The language of the words: "de", "pt-BR", or a list as in Accept-Language; NULL or "" for that of
   the message. What is not known is English. Returns 0, or -1 when none of them is known. */
int postern_set_language(struct postern *postern, const char *language);
/* The moment that "another 3 days" is counted from, seconds since 1970, and the zone in which
   moments are said, minutes east of UTC. 0 and 0 from the start: nothing is counted. */
void postern_set_time(struct postern *postern, int64_t now, int zone_minutes);

/* Read n octets: a whole message (LF, CRLF or CR), an answer of a server, a line of a log, or a
   code. Returns how many recipients it names (0 when it is no report), or -1 when there is no
   memory. The octets must stay until the next call or postern_free. */
int postern_read(struct postern *postern, const void *octets, size_t n);

enum postern_form { POSTERN_TEXT, POSTERN_HTML, POSTERN_JSON };

/* What was read last, in UTF-8, ended by NUL; *ret_n, unless NULL, is its length without that. It
   lives until the next call. HTML is a whole document; the JSON is described in explain-json.md.
   NULL when there is no memory. Whatever the message holds, the text is safe to show where it
   belongs. */
const char *postern_show(struct postern *postern, enum postern_form form, size_t *ret_n);

/* The page of a status code, "5.1.1", "X.7.1" or "550"; NULL when it is no code. As above. */
const char *postern_code(struct postern *postern, const char *code, enum postern_form form,
                         size_t *ret_n);

/* Values of what was read last. Names are those of the JSON. */
const char *postern_kind(const struct postern *postern);        /* "bounce", "delay", ... */

enum postern_field {
    POSTERN_RECIPIENT, POSTERN_ORIGINAL_RECIPIENT, POSTERN_ACTION, POSTERN_STATUS,
    POSTERN_CATEGORY, POSTERN_FAMILY, POSTERN_WHO, POSTERN_HEADLINE, POSTERN_SUMMARY,
    POSTERN_RETRY, POSTERN_REMOTE_MTA, POSTERN_DIAGNOSTIC
};
/* Of the i-th recipient, at most the first 1000 being there; NULL past the last; "" when the report
   does not say. These are a message's own octets where they come from it, unescaped. A text lives
   until the next call of this function for the same struct, or of any above. */
const char *postern_field(struct postern *postern, size_t i, enum postern_field field);

enum postern_answer_to { POSTERN_OVER, POSTERN_RETRY_WOULD_HELP, POSTERN_ADDRESS_BAD };
/* 1: yes, 0: no, -1: not known. */
int postern_answer(const struct postern *postern, size_t i, enum postern_answer_to question);

/* "0.1.0" */
const char *postern_version(void);

#ifdef __cplusplus
}
#endif

#endif
