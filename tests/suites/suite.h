/* SPDX-License-Identifier: ISC
 *
 * tests/suites/suite.h: for tests that run the tables of other projects, which lie below
 * POSTERN_SHARED/suites and are never copied here. A suite that is absent is skipped, and says so.
 *
 * A row whose verdict is not ours stands in a file of exceptions: its id, then the sentence that
 * decides. An exception for a row that passes is an error too, so that the list stays true.
 */
#ifndef POSTERN_TESTS_SUITES_SUITE_H
#define POSTERN_TESTS_SUITES_SUITE_H

#include "base/buffer.h"

#include <jansson.h>

struct suite {
    const char *name;           /* folder or file below POSTERN_SHARED/suites */
    const char *exceptions;     /* a file of this repository */
    unsigned rows;              /* judged */
    unsigned excepted, failed;
    unsigned passed_over;       /* about things that are not ours to do */
};

/* The path of suite->name and `file`; false when it is not there. */
bool suite_path(const struct suite *suite, const char *file, char *ret_path, size_t n);
/* Each row of a .jsonl file, or each element of the array in a .json file. False when it is
   absent. */
bool suite_rows(struct suite *suite, const char *file, void (*row)(struct suite *, const json_t *));
/* Each line of a text file, without its line end, with its number from 1. */
bool suite_lines(struct suite *suite, const char *file,
                 void (*line)(struct suite *, unsigned, struct bytes));
/* All of a file; false when it is absent. */
bool suite_read(const char *path, struct buffer *ret_text);

/* One row's verdict. */
void suite_judge(struct suite *suite, const char *id, bool well, const char *detail);
/* The member of that name as text, or "". */
const char *suite_word(const json_t *row, const char *name);
/* A text of a table: a string, {"s": string}, {"hex": digits}, or an array of them, put behind
   what `to` holds. False for what cannot be read (the name of a macro, say). */
bool suite_text(const json_t *value, struct buffer *to);
/* Nothing is below POSTERN_SHARED/suites: this has said so in TAP, and main returns at once. */
int suites_absent(void);
/* Print the sums, and fail the test when a row failed. */
void suite_end(const struct suite *suite);

#endif
