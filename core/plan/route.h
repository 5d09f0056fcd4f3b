/* SPDX-License-Identifier: ISC
 *
 * plan/route.h: where a recipient's mail goes: aliases, and the place of each domain.
 *
 * Stands on base and mail. Pure: the texts of the alias files come in the configuration, and
 * whether a mailbox is there somebody else has to ask. Made once from a configuration; the same
 * address always has the same answer.
 *
 *   aliases: *( blank / comment / NAME ":" ADDRESS *( "," ADDRESS ) ), for all our domains
 *   virtual: *( blank / comment / ( ADDRESS / "@" DOMAIN ) 1*( BLANKS / "," ) ADDRESS ... )
 *
 * In both a line that begins with a blank goes on with the one before, "#" at a line's beginning
 * makes it a comment, and an address without a domain is one of the first domain. Programs, files
 * and :include: are refused by name.
 */
#ifndef POSTERN_PLAN_ROUTE_H
#define POSTERN_PLAN_ROUTE_H

#include "plan/conf.h"

enum {
    ROUTE_EXPANDED_MOST = 10000,    /* addresses looked at for one recipient (CFG-007) */
    ROUTE_DEPTH_MOST = 32,          /* aliases of aliases */
};

struct routes;

/* What is wrong with a file of aliases, in words for its owner. */
struct route_flaw {
    struct bytes file;          /* its path; empty: memory is short */
    unsigned line;
    const char *words;
};

/* `conf` outlives it. NULL: a flaw, or no memory. */
MUST_USE struct routes *routes_new(const struct conf *conf, struct route_flaw *ret_flaw);
void routes_free(struct routes *routes);

enum route_place {
    ROUTE_ELSEWHERE,            /* not a domain of ours */
    ROUTE_MAILBOX,              /* a folder below `mailboxes` */
    ROUTE_LMTP,
    ROUTE_SYSTEM,               /* ~/Maildir of the system user of that name */
};
/* Where an address (any that parses, else ROUTE_ELSEWHERE) is kept when no alias changes it;
   *ret_lmtp (may be NULL) only for ROUTE_LMTP: which server. */
enum route_place routes_place(const struct routes *routes, struct bytes address,
                              struct conf_route *ret_lmtp);

enum route_verdict {
    ROUTES_SAME,                /* no alias: the address stands for itself */
    ROUTES_CHANGED,             /* it stands for those that were put */
    ROUTES_LOOP,                /* it leads back to itself, or is nested too deep: 5.4.6 */
    ROUTES_MANY,                /* more than ROUTE_EXPANDED_MOST */
    ROUTES_NO_MEMORY,
};
/* What an address of ours stands for: blocks (u32 length, address) behind what `to` holds, only
   for ROUTES_CHANGED; the same may come twice. `missing`: its mailbox is known not to be
   there, so that the catch-all of its domain, and for postmaster and abuse the setting, count. An
   alias that names itself means the mailbox of that name. */
enum route_verdict routes_expand(const struct routes *routes, struct bytes address, bool missing,
                                 struct buffer *to);

/* The system user an address of such a domain means, in lower case: "anna" of Anna@example.org.
   False: no user can have that name, or the address's domain is not of that kind. */
MUST_USE bool routes_user(const struct routes *routes, struct bytes address, struct buffer *to);

/* The address without its detail (anna+shop@example.org: anna@example.org) behind what `to` holds;
   false: it has none, or no sign divides. */
MUST_USE bool routes_base(const struct routes *routes, struct bytes address, struct buffer *to);

/* Does anybody read what comes for postmaster, as far as the tables say? For `postern check`. */
bool routes_know_postmaster(const struct routes *routes);

#endif
