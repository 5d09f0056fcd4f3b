/* SPDX-License-Identifier: ISC
 *
 * bounce/rules_int.h: the rules as the reader uses them.
 */
#ifndef POSTERN_BOUNCE_RULES_INT_H
#define POSTERN_BOUNCE_RULES_INT_H

#include "base/arena.h"
#include "bounce/match_int.h"
#include "bounce/read.h"

/* What a rule says beside causes: what kind of message it is, where its parts are, which command
   failed. In a file of rules: "@" and the name. */
#define RULE_MARK_LIST(M) \
    M(NOTICE, "notice")         /* words that only a report opens with */ \
    M(MAYBE, "maybe")           /* words of reports that people use too */ \
    M(SUBJECT, "subject")       /* a subject that reports have */ \
    M(DAEMON, "daemon")         /* a From field that reports have */ \
    M(FAILED, "failed") M(DELAY, "delay") M(DELIVERED, "delivered") M(RELAYED, "relayed") \
    M(AUTOREPLY, "autoreply") M(CHALLENGE, "challenge") \
    M(COMPLAINT, "complaint") \
    M(NOTHING, "nothing")       /* words that say nothing: they outrank what is in them */ \
    M(ORIGINAL, "original")     /* the letter it is about begins behind this line */ \
    M(CONNECT, "connect") M(HELO, "helo") M(STARTTLS, "starttls") M(AUTH, "auth") \
    M(MAIL, "mail") M(RCPT, "rcpt") M(DATA, "data") M(TEXT, "text") \
    M(LANGUAGE, "language")     /* a word of one language: lang= says which */ \
    M(WITH, "with")             /* a word that other rules ask for */

#define RULE_MARK_NAME_(NAME, text) MARK_##NAME,
enum rule_mark { MARK_NONE, RULE_MARK_LIST(RULE_MARK_NAME_) MARK_COUNT };
#undef RULE_MARK_NAME_

enum { RULE_TOKEN_WEIGHT = 85, RULE_SURE_WEIGHT = 60, RULE_WEIGHT_MOST = 100 };

struct rule {
    enum cause_category category;       /* CAUSE_NONE: a mark */
    enum rule_mark mark;
    uint8_t weight;
    uint8_t parts;
    uint16_t letters;                   /* of its pattern: the longer of two is the surer */
    uint32_t line;
    uint16_t reply;                     /* only with this reply code; 0: any */
    uint8_t class;                      /* only with this class of code; 0: any */
    enum bounce_command command;        /* only if that command failed */
    uint16_t with, without;             /* 1 + the rule whose words must stand there, or must not */
    char lang[3];                       /* "de", of a mark of language */
    bool has_who, has_retry, has_address, has_lasts;
    enum cause_who who;
    enum cause_answer retry, address;
    enum cause_permanence lasts;
};

struct rules {
    struct rule *rules;
    size_t n, room;
    struct literal *literals;           /* the automaton's, once it is made */
    size_t literals_n, literals_room;
    struct arena texts;
    struct automaton automaton;
    bool made;
};

/* rules.txt, as the build put it in. */
extern const char rules_text[];
extern const size_t rules_text_n;

#endif
