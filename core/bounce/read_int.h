/* SPDX-License-Identifier: ISC
 *
 * bounce/read_int.h: one reading under way. The message is walked once (part.c); what its parts
 * hold is gathered here, and judged when all of it is known (judge.c).
 */
#ifndef POSTERN_BOUNCE_READ_INT_H
#define POSTERN_BOUNCE_READ_INT_H

#include "bounce/head_int.h"
#include "bounce/rules_int.h"

enum {
    READ_LINES_MOST = 2000,     /* of the notice */
    READ_DEPTH_MOST = 4,        /* multiparts in multiparts */
    READ_NESTED_MOST = 3,       /* messages in messages */
    READ_PARTS_MOST = 200,
    READ_DIAGNOSTIC_MOST = 2000,
    READ_FIELD_MOST = 8000,     /* of a field of a status group that is looked at */
    LINE_NONE = UINT32_MAX,
    LINE_HOST = UINT32_MAX - 1, /* names of hosts: they are asked for, and decide nothing */
    OWNER_NONE = UINT16_MAX,
    FOUND_MOST = 4 * READ_RECIPIENTS_MOST,
};

/* What is known of a recipient beside what the report shows. */
struct person {
    struct bounce_recipient out;
    struct bytes extra;         /* more words of its group */
    uint32_t line;              /* of the notice, where it stands; LINE_NONE */
    bool group;                 /* it came from a group of a delivery-status part */
    bool codes_known;           /* its words were asked for codes already */
};

/* An address in the notice. */
enum shape { SHAPE_NONE, SHAPE_SENTENCE, SHAPE_LABEL, SHAPE_FIRST };
struct found {
    struct bytes address;
    uint32_t line;
    enum shape shape;
};

struct notice_line {
    struct bytes text;          /* UTF-8 */
    uint16_t owner;             /* the person it speaks of, or OWNER_NONE */
};

/* What a message told, before it is judged. */
struct gathered {
    struct head head, original;
    struct bytes nested;        /* the first message in it, whole */
    struct bytes reporting_mta, arrival, feedback_type, feedback_recipient;
    struct bytes charset;       /* of the notice */
    bool original_seen, status_seen, feedback_seen, receipt_seen, report;
    bool notice_over;
    unsigned parts;
};

struct bounce_reader {
    const struct rules *rules;
    struct arena arena;
    struct gathered got;
    struct match notice, said;
    struct notice_line *lines;
    uint32_t lines_n;
    size_t notice_octets;
    struct person *people;
    uint32_t people_n, people_room;
    uint64_t people_all;
    struct found *found;        /* FOUND_MOST of them */
    struct bounce_recipient *out;
    uint32_t out_room;
    uint8_t marks[MARK_COUNT];  /* how often each was met in the notice, at most 255 */
    bool cut;
};

/* part.c: walk a message: its header, then its parts. */
void message_walk(struct bounce_reader *reader, struct bytes message);
/* decode.c: the text of a part as UTF-8 without markup; borrows, or lies in the arena. */
struct bytes part_text(struct bounce_reader *reader, struct bytes body, struct bytes coding,
                       struct bytes charset, bool html);
/* The value of a parameter of a Content-Type, in the arena; empty when it has none. */
struct bytes content_value(struct bounce_reader *reader, struct bytes field, const char *name);
/* An unstructured field's text for people, encoded words read, as UTF-8. */
struct bytes field_text(struct bounce_reader *reader, struct bytes body);

/* notice.c: the text for people. */
void notice_take(struct bounce_reader *reader, struct bytes text);
/* Do the marks of the notice's n-th line, or of any, hold this one? */
bool notice_marked(const struct bounce_reader *reader, enum rule_mark mark);
/* people.c: who failed, by the words of the notice. */
void people_find(struct bounce_reader *reader);
/* Does the notice name anybody who may be a recipient? */
bool people_any(struct bounce_reader *reader);
/* Give each line to the one it speaks of. */
void people_own(struct bounce_reader *reader);
/* One more, or NULL: no more can be listed (it was counted). */
struct person *person_add(struct bounce_reader *reader, struct bytes address);
struct person *person_of(struct bounce_reader *reader, struct bytes address);

/* group.c: a delivery-status part, or lines like it; returns how many groups named somebody. */
unsigned groups_take(struct bounce_reader *reader, struct bytes text);
void feedback_take(struct bounce_reader *reader, struct bytes text);
/* The header of the letter it is about, and perhaps the letter. */
void original_take(struct bounce_reader *reader, struct bytes text);

/* kind.c */
enum bounce_kind kind_of(struct bounce_reader *reader);

/* judge.c: the cause of one person; `kind` is the report's so far. */
void judge(struct bounce_reader *reader, struct person *person, enum bounce_kind kind);
/* The cause that a code alone names, and how surely (0: not at all). */
enum cause_category code_category(struct status_code code, unsigned *ret_weight);
enum cause_category reply_category(uint16_t reply, unsigned *ret_weight);

#endif
