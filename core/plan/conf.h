/* SPDX-License-Identifier: ISC
 *
 * plan/conf.h: the configuration file, read whole or refused whole.
 *
 *   file    = *( [ word 1*( blank value ) ] [ "#" comment ] newline )
 *   value   = bare / DQUOTE *( %x20-21 / %x23-5B / %x5D-7E / "\" char ) DQUOTE
 */
#ifndef POSTERN_PLAN_CONF_H
#define POSTERN_PLAN_CONF_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/limits.h"

struct conf_texts {
    const struct bytes *list;
    size_t n;
};

#define CONF_FIELD_text(field) struct bytes field;
#define CONF_FIELD_path(field) struct bytes field;
#define CONF_FIELD_count(field) uint64_t field;
#define CONF_FIELD_size(field) uint64_t field;
#define CONF_FIELD_span(field) uint64_t field;
#define CONF_FIELD_flag(field) bool field;
#define CONF_FIELD_texts(field) struct conf_texts field;

#include "plan/conf.def"

/* Every setting; all slices live in the arena given to conf_read. Paths are absolute. */
struct conf {
#define C(kind, field, ...) CONF_FIELD_##kind(field)
    CONF_LIST(C)
#undef C
};

/* Why a file was refused, in words for its owner. */
struct conf_flaw {
    unsigned line, column;      /* from 1; line 0: the file as a whole */
    const char *expected;       /* what should stand there */
    struct bytes found;         /* what does; borrowed from the text */
    const char *nearest;        /* the known word most like it, or NULL */
};

/* Read a whole file. `folder` is the folder of the file, for relative paths. False: ret_conf is untouched and
   ret_flaw says why. Same text, same answer: no file is looked at. */
MUST_USE bool conf_read(struct bytes text, struct bytes folder, struct arena *arena,
                        struct conf *ret_conf, struct conf_flaw *ret_flaw);

#endif
