/* SPDX-License-Identifier: ISC
 *
 * bounce/rules.h: which words, tokens and codes mean which cause. Stands on base and mail.
 *
 * The rules are lines of a text; the program's own are rules.txt, an operator may add a file. All
 * patterns of all rules are one automaton: a text is walked once, whatever their number.
 *
 *   CATEGORY  WEIGHT  PATTERN  [| OPTION ...]
 *
 * rules.txt tells the format whole.
 */
#ifndef POSTERN_BOUNCE_RULES_H
#define POSTERN_BOUNCE_RULES_H

#include "base/bytes.h"

struct rules;

/* The program's own rules, made once; NULL: no memory. Freed as any others. */
MUST_USE struct rules *rules_builtin(void);

enum { RULES_ERROR_MOST = 128, RULES_OPERATOR = 1 << 20 };
struct rules_error {
    uint32_t line;              /* 0: no memory */
    char text[RULES_ERROR_MOST];
};
/* The program's own and those of the text, which win when both match as strongly; a line's number
   in the evidence is RULES_OPERATOR + line. NULL: reterr_error says what is wrong where. */
MUST_USE struct rules *rules_with(struct bytes text, struct rules_error *reterr_error);
void rules_free(struct rules *rules);

#endif
