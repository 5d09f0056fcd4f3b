/* SPDX-License-Identifier: ISC
 *
 * role/local_home.c: what follows from the state of a system user's home.
 */
#include "role/local_int.h"

/* A user whose home is not as it should be has a mailbox all the same: the mail waits. */
enum mailbox_is home_is(enum home_state home)
{
    return home == HOME_NO_USER || home == HOME_NOT_SERVED ? MAILBOX_NO
         : home == HOME_UNKNOWN || home == HOME_NOT_ROOT ? MAILBOX_UNKNOWN : MAILBOX_YES;
}

struct bytes home_words(enum home_state home, struct status_code *ret_code)
{
    static const struct { struct status_code code; struct bytes words; } rows[] = {
        [HOME_WELL] = { { 4, 3, 0 }, BYTES_INIT("") },
        [HOME_NO_USER] = { { 5, 1, 1 }, BYTES_INIT("the system has no user of that name") },
        [HOME_NOT_SERVED] = { { 5, 1, 1 }, BYTES_INIT("that user is an account of the system, "
                              "below system-uid-least, and gets no mail; an alias may name who "
                              "reads it") },
        [HOME_UNKNOWN] = { { 4, 3, 0 }, BYTES_INIT("the system's table of users could not be "
                           "read; the letter is tried again") },
        [HOME_NOT_ROOT] = { { 4, 3, 5 }, BYTES_INIT("a server that was not started as root "
                            "cannot deliver to system users") },
        [HOME_GONE] = { { 4, 2, 1 }, BYTES_INIT("the user's home is not there; make it, or mount "
                        "it, and the letter is delivered") },
        [HOME_FOREIGN] = { { 4, 2, 1 }, BYTES_INIT("the user's home belongs to somebody else; "
                           "give it to the user and the letter is delivered") },
        [HOME_OPEN] = { { 4, 2, 1 }, BYTES_INIT("the user's home may be written by others; take "
                        "that right away (chmod go-w) and the letter is delivered") },
    };
    _Static_assert(COUNT(rows) == HOME_STATES, "a state without a row");

    *ret_code = rows[home].code;
    return rows[home].words;
}
