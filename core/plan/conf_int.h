/* SPDX-License-Identifier: ISC
 *
 * plan/conf_int.h: what the files of the configuration reader share: a reading under way, one word
 * of a line, and the row of a setting.
 */
#ifndef POSTERN_PLAN_CONF_INT_H
#define POSTERN_PLAN_CONF_INT_H

#include "plan/conf.h"

enum conf_kind {
    CONF_name, CONF_names, CONF_path, CONF_listens, CONF_count, CONF_size, CONF_span, CONF_flag,
    CONF_spans, CONF_routes, CONF_sign, CONF_mail,
    CONF_nets, CONF_webs, CONF_servers, CONF_hops, CONF_policies, CONF_fors,
    CONF_KINDS
};

struct conf_setting {
    const char *word, *preset, *about;
    enum conf_kind kind;
    size_t field;               /* where it lies in struct conf */
    uint64_t least, most;
};

enum conf_index {
#define C(kind, field, ...) CONF_AT_##field,
    CONF_LIST(C)
#undef C
    CONF_SETTINGS
};

extern const struct conf_setting conf_settings[CONF_SETTINGS];

/* A value: its text with quotes and escapes undone, and the place it was read from. */
struct conf_word {
    struct bytes text;
    struct bytes written;       /* as it stands in the file */
};

enum { CONF_LISTEN_TLS_MOST = 64 };

struct conf_list {
    struct bytes *list;
    size_t n, room;
};

struct conf_reading {
    struct bytes folder;
    struct arena *arena;
    struct conf conf;
    struct conf_list lists[CONF_SETTINGS + 1];  /* by setting; last: domains_ascii */
    unsigned seen[CONF_SETTINGS];       /* the line a setting stands in; 0: not seen */
    unsigned line_number;
    struct bytes line;                  /* the line being read */
    size_t at;                          /* where in it */
    size_t at_value;                    /* how many values it had before this one */
    struct conf_flaw flaw;
};

/* Note the flaw that begins at `found`, a slice of the line. Always false, so that a reader can
   return it. */
bool conf_refuse(struct conf_reading *reading, struct bytes found, const char *expected,
                 const char *nearest);

enum conf_took { CONF_TOOK_WORD, CONF_TOOK_END, CONF_TOOK_FLAW };
/* The next word or value of the line. */
enum conf_took conf_take_word(struct conf_reading *reading, struct conf_word *ret_word);

/* Read one value into the setting's field of reading->conf; false: reading->flaw says why. */
bool conf_take_value(struct conf_reading *reading, const struct conf_setting *setting,
                     struct conf_word value);
/* Behind list `i` of the reading; the list as it is now in *ret_texts. False: memory is short. */
bool conf_put_in_list(struct conf_reading *reading, size_t i, struct bytes text,
                      struct conf_texts *ret_texts);
/* A number, a size, a time, within the setting's bounds. */
bool conf_take_amount(struct conf_reading *reading, const struct conf_setting *setting,
                      struct conf_word value, void *field);
/* The same without bounds; false: that kind has none, or it is none. */
bool conf_read_amount(enum conf_kind kind, struct bytes text, uint64_t *ret_amount);
/* conf_for.c: a word of a line of for-domain, and whether the line may end. */
bool conf_take_fors(struct conf_reading *reading, const struct conf_setting *setting,
                    struct conf_word value, void *field);
bool conf_for_is_whole(struct bytes line);
/* " from 1 to 64", ", at least 64K", or nothing: what a flaw and the manual say of a number. */
void conf_put_range(struct buffer *to, const struct conf_setting *setting);
/* May the setting be given more than once? */
bool conf_is_list(const struct conf_setting *setting);

/* The word of the list that the text most likely was meant to be, or NULL when none is near. */
const char *conf_nearest(struct bytes text, const char *const *words, size_t n);

/* A domain name in lower case as A-labels, in the arena. NULL `at`: it is none (or memory is
   short). */
struct bytes conf_domain_ascii(struct arena *arena, struct bytes name);

#endif
