/* SPDX-License-Identifier: ISC
 *
 * plan/conf.h: the configuration file, read whole or refused whole.
 *
 *   file    = [ BOM ] *( line LF )               ; the last LF may be missing
 *   line    = [ blanks ] [ word 1*( blanks value ) ] [ blanks ] [ "#" comment ] [ CR ]
 *   word    = 1*( %x61-7A / "-" )
 *   value   = bare / DQUOTE *( %x20-21 / %x23-5B / %x5D-7E / UTF8-non-ascii / escape ) DQUOTE
 *   bare    = 1*( %x21 / %x24-5B / %x5D-7E / UTF8-non-ascii )
 *   escape  = "\" ( "\" / DQUOTE )
 *   blanks  = 1*( SP / HTAB )
 */
#ifndef POSTERN_PLAN_CONF_H
#define POSTERN_PLAN_CONF_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/event.h"
#include "base/limits.h"

struct conf_texts {
    const struct bytes *list;
    size_t n;
};

/* The times of a schedule, in milliseconds. */
enum { CONF_SPANS = 32 };
struct conf_spans {
    uint64_t ms[CONF_SPANS];
    size_t n;
};

#define CONF_FIELD_name(field) struct bytes field;
#define CONF_FIELD_names(field) struct conf_texts field;
#define CONF_FIELD_path(field) struct bytes field;
#define CONF_FIELD_count(field) uint64_t field;
#define CONF_FIELD_size(field) uint64_t field;
#define CONF_FIELD_span(field) uint64_t field;
#define CONF_FIELD_flag(field) bool field;
#define CONF_FIELD_listens(field) struct conf_texts field;
#define CONF_FIELD_spans(field) struct conf_spans field;
#define CONF_FIELD_routes(field) struct conf_texts field;
#define CONF_FIELD_sign(field) struct bytes field;
#define CONF_FIELD_mail(field) struct bytes field;
#define CONF_FIELD_nets(field) struct conf_texts field;
#define CONF_FIELD_webs(field) struct conf_texts field;
#define CONF_FIELD_servers(field) struct conf_texts field;
#define CONF_FIELD_hops(field) struct conf_texts field;
#define CONF_FIELD_policies(field) struct conf_texts field;
#define CONF_FIELD_fors(field) struct conf_texts field;

#include "plan/conf.def"

/* Every setting; all slices live in the arena given to conf_read. Paths are absolute. */
struct conf {
#define C(kind, field, ...) CONF_FIELD_##kind(field)
    CONF_LIST(C)
#undef C
    /* Host and domains once more, in lower case as A-labels (RFC 5890), to compare with and to
       greet with. */
    struct bytes host_ascii;
    struct conf_texts domains_ascii;
    /* What stands in the files of `aliases` and `virtual`: whoever read the configuration reads
       them too, for no file is looked at here. Empty: no such file. */
    struct bytes aliases_text, virtual_text;
    /* The same of `ca-file` (or the system's authorities) and of `smarthost-login`: a secret. */
    struct bytes authorities_text, login_text;
    /* The users of this machine, a line each: uid, space, login name. */
    struct bytes accounts_text;
    /* Bit i: TLS from the first octet on listen.list[i]. */
    uint64_t listen_tls;
};

/* Why a file was refused, in words for its owner. */
struct conf_flaw {
    unsigned line, column;      /* from 1, columns in characters; line 0: the file as a whole */
    const char *expected;       /* what should stand there; lives in the arena */
    struct bytes found;         /* what does; borrowed from the text; empty: the line ends */
    const char *nearest;        /* the known word most like it, or NULL */
};

/* Read a whole file; an arena of LIMIT_CONF_MEMORY holds any. `folder` is the file's
   folder, for relative paths. False: ret_conf is untouched and ret_flaw says why. No file is
   looked at: same text, same answer. */
MUST_USE bool conf_read(struct bytes text, struct bytes folder, struct arena *arena,
                        struct conf *ret_conf, struct conf_flaw *ret_flaw);

/* "postern.conf:3:1: expected a setting, found "hots"; did you mean "host"?", without a line end.
   */
void conf_flaw_put(struct buffer *to, struct bytes file, const struct conf_flaw *flaw);

/* How many clients one front may have: `connections`, and its share of `connections-total`, at
   least one. `fronts` is the number there are. */
uint64_t conf_connections(const struct conf *conf);

/* One of conf.listen, taken apart. `any`: the family is not told ("*"), take both. */
struct conf_listen {
    struct net_address at;
    bool any;
};

/* Does that entry of conf.listen begin with TLS? */
bool conf_listen_is_tls(const struct conf *conf, uint32_t entry);
/* *:PORT, IPV4:PORT or [IPV6]:PORT, all of the text; port 1 to 65535. */
MUST_USE bool conf_listen_parse(struct bytes text, struct conf_listen *ret_listen);

/* One of conf.lmtp, taken apart. Slices borrow. */
struct conf_route {
    struct bytes domain;            /* as written; empty: all domains */
    struct bytes path;              /* of a unix socket; empty: `at` */
    struct net_address at;
};

/* [DOMAIN "="] ( "unix:" PATH / IPV4 ":" PORT / "[" IPV6 "]:" PORT ), all of the text; an absolute
   path of at most 107 octets. */
MUST_USE bool conf_route_parse(struct bytes text, struct conf_route *ret_route);

/* One of conf.route or conf.smarthost, taken apart. Slices borrow. */
struct conf_hop {
    struct bytes domain;            /* as A-labels; empty: all domains */
    struct bytes host;              /* as A-labels; empty: `at` says the address */
    struct net_address at;          /* its port counts always */
};

/* [DOMAIN "="] ( NAME / IPV4 / "[" IPV6 "]" ) [ ":" PORT ], all of the text; port 25 when none is
   said. */
MUST_USE bool conf_hop_parse(struct bytes text, struct conf_hop *ret_hop);
/* Where mail for that domain (as A-labels, any case) goes: its route, or the smart host. False: by
   the DNS. */
MUST_USE bool conf_hop_find(const struct conf *conf, struct bytes domain_ascii,
                            struct conf_hop *ret_hop);

/* The one name of the destination that an address not of ours has, behind what `to` holds: "=" and
   a hop, a domain as A-labels in lower case, or an address literal. False: it has none, or, when
   to->bad, memory is short. */
MUST_USE bool conf_destination_put(const struct conf *conf, struct bytes address,
                                   struct buffer *to);
/* That name as people read it: a hop without its "=". */
struct bytes conf_destination_shown(struct bytes name);

/* What a connection to a destination must be (dns/channel.h). */
enum conf_tls { CONF_TLS_MAY, CONF_TLS_ENCRYPT, CONF_TLS_VERIFY, CONF_TLS_DANE, CONF_TLS_NONE };
/* [DOMAIN "="] POLICY, all of the text; *ret_domain borrows, empty: all. */
MUST_USE bool conf_tls_parse(struct bytes text, struct bytes *ret_domain,
                             enum conf_tls *ret_policy);
/* That of the domain (as A-labels), or the one for all. */
enum conf_tls conf_tls_of(const struct conf *conf, struct bytes domain_ascii);

/* What holds for mail to one domain: what for-domain says of it, and else what all have. */
struct conf_for {
    struct conf_spans retry;
    uint64_t give_up_ms, delay_report_ms;
    uint64_t destination_most, destination_rate, connection_letters;
};
void conf_for_domain(const struct conf *conf, struct bytes domain_ascii, struct conf_for *ret_for);
/* The same by an address, in whatever form. */
void conf_for_address(const struct conf *conf, struct bytes address, struct conf_for *ret_for);

/* One of conf.web, taken apart: a unix socket when `path` is not empty, else `at`, an address of
   this machine alone. Slices borrow. */
struct conf_web {
    bool off;                       /* "no": nothing is listened on */
    struct bytes path;
    struct net_address at;
};

/* "no" / "unix:" PATH / a loopback IPV4 ":" PORT / "[::1]:" PORT, all of the text. */
MUST_USE bool conf_web_parse(struct bytes text, struct conf_web *ret_web);

/* Is this domain (as A-labels, any case) one whose mail is received here? */
bool conf_serves(const struct conf *conf, struct bytes domain_ascii);

/* May this user of the machine hand in mail with that sender (no brackets; empty: the null sender,
   which anybody may be)? Root and `submit-trust` may have any; others their login name at `host`
   or at a domain of ours. */
bool conf_may_send_as(const struct conf *conf, uint32_t uid, struct bytes sender);
/* The path of the socket `submit`. */
void conf_submit_put(struct buffer *to, const struct conf *conf);
/* The login name of that user; empty: it has none. Borrows. */
struct bytes conf_login_of(const struct conf *conf, uint32_t uid);

/* A row of conf.def, for the manual. All texts are constant. */
struct conf_about {
    const char *word;       /* "size-limit" */
    const char *value;      /* what to write behind it: "SIZE" */
    const char *preset;     /* its default, or "" */
    const char *about;      /* sentences */
    bool needed;            /* a file without it is refused */
    bool many;              /* may be given more than once */
};
/* The i-th row; false past the last. */
MUST_USE bool conf_about(size_t i, struct conf_about *ret_about);
/* The bounds of its value: "from 1 to 64", "at least 64K"; nothing when there are none. */
void conf_put_bounds(struct buffer *to, size_t i);

#endif
