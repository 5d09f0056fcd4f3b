/* SPDX-License-Identifier: ISC
 *
 * role/front_int.h: what the files of front share. Nobody else includes it.
 *
 *   front.c           the role: events in, the store's answers, flushing
 *   front_session.c   one client: what the machine of smtp/server.h says, and what follows
 *   front_letter.c    a letter's text on its way to the store
 *   front_ways.c      letters that the store has not answered for yet
 *   front_manners.c   who may come in, from whom a connection is, how long it is borne with
 *   front_header.c    what is read of a letter's header
 *   front_alias.c     which recipients a letter has, when all aliases are followed
 *   front_rcpt.c      may this recipient? Domains, the cache of answers, the questions under way
 *   front_clock.c     a deadline for each session
 *   front_tls.c       TLS before the machine, certificates and signatures from keys
 *   front_log.c       the lines of the log
 *   front_count.c     the figures
 */
#ifndef POSTERN_ROLE_FRONT_INT_H
#define POSTERN_ROLE_FRONT_INT_H

#include "base/effects.h"
#include "base/limits.h"
#include "crypt/tls.h"
#include "mail/scan.h"
#include "plan/conf.h"
#include "plan/limit.h"
#include "plan/net.h"
#include "plan/route.h"
#include "role/wire.h"
#include "smtp/proxy.h"
#include "smtp/server.h"
#include "web/figures.h"

enum {
    FRONT_SMALL_TEXT = 48 * 1024,       /* up to here a letter goes as one frame */
    FRONT_PART_BYTES = 32 * 1024,       /* text is gathered up to here before a part is sent */
    FRONT_TEXT_MOST = 8 * 1024 * 1024,  /* of one letter: what one reading can bring */
    FRONT_PENDING_MOST = 8 * 1024 * 1024,
    FRONT_PAUSE_BYTES = 64 * 1024,      /* input that waits, above which a client is read no more */
    FRONT_UNREAD_MOST = 128 * 1024,     /* replies that a client may leave unread (SRV-072) */
    FRONT_DRAIN_MS = 60 * 1000,         /* ... and how long */
    FRONT_GRACE_MS = 60 * 1000,         /* of a text's beginning (SRV-074) */
    FRONT_MS_PER_OCTET = 2,             /* after it: 500 octets a second */
    FRONT_HOLD_BACK_MS = 1000,          /* replies after LIMIT_SOFT_ERRORS refused commands */
    FRONT_HANDSHAKE_MS = 60 * 1000,     /* of TLS, from the 220 or the first octet on */
    FRONT_STOP_MS = 10 * 1000,          /* how long EV_STOP lets letters end */
    FRONT_LAST_MS = 2 * 1000,           /* ... and then the 421 reach who did not */
    FRONT_CACHE_YES_MS = 10 * 1000,
    FRONT_CACHE_NO_MS = 1000,
    FRONT_PEER_MOST = 48,
    FRONT_RECIPIENTS_LOGGED = 3,
};

#define FRONT_NEVER UINT64_MAX

/* ---- a letter whose text is coming in */
struct letter {
    struct letter *next_spare;
    struct bytes whole;         /* the text so far, while it is one slice of the input in hand */
    struct buffer text;         /* else; of a begun letter what has not been told to the store */
    uint64_t size;              /* octets of text so far, told or not */
    uint64_t credit;            /* octets that may be told */
    uint32_t token;             /* of the wire, when begun */
    bool begun;                 /* LETTER_BEGIN was told */
    bool ended;                 /* it is whole; `head` is what LETTER_END tells */
    enum smtp_verdict verdict;  /* SMTP_YES, or why it is thrown away */
    struct buffer head;
    uint64_t begun_ms, octet_ms;    /* monotonic: first and last octets */
    struct header_scan header;
    struct digest *sum;         /* of the text so far, when it is made by a recipe; else NULL */
};

/* ---- one client */

/* Before SESSION_OPEN the machine is not greeted and takes no input. */
enum session_stage {
    SESSION_PROXY,              /* until the PROXY header is there */
    SESSION_DELAY,              /* until the greeting is due */
    SESSION_OPEN,
};

/* As what a recipient is taken, in the order in which it is tried. */
enum how {
    HOW_ALIAS,                  /* a table says for whom it stands */
    HOW_SELF,                   /* its mailbox is there */
    HOW_BASE,                   /* that of the address without its detail is */
    HOW_MISSING,                /* no mailbox, but somebody gets what has none */
    HOW_NONE,
};

struct session {
    struct smtp_server *smtp;
    struct smtp_settings settings;  /* front's, but for what depends on who it is */
    struct net_address remote;  /* whom it is from, as far as we know by now */
    enum session_stage stage;
    uint64_t stage_ms;          /* when a stage before SESSION_OPEN is over */
    bool trusted;               /* no limit per address or network binds it */
    bool relays;                /* it may send to domains that are not ours */
    bool counted;               /* in manners.limits */
    struct tls *tls;            /* NULL: in clear */
    uint64_t number;            /* from 1, never used again: tells sessions apart */
    uint32_t conn;
    uint32_t listener;
    uint32_t unsettled;         /* letters the store has not answered for */
    size_t ahead;               /* octets of text of those that went as one frame */
    struct letter *letter;      /* coming in; or whole and waiting for credit */
    struct session *next_dirty, *next_asking;
    uint32_t ask;               /* when asking */
    struct address rcpt;        /* the recipient in question, until it is answered for */
    enum how how;               /* what of it is being tried */
    struct buffer hows;         /* an octet for each recipient that was taken: enum how */
    size_t targets;             /* for how many they stand */
    uint32_t clock_at;          /* 1 + place in the heap, or 0 */
    uint64_t clock_ms;          /* when it is looked at next; not later than its deadline */
    uint64_t command_ms;        /* monotonic: when the last command was complete */
    uint64_t mail_ms;           /* wall clock: when MAIL was taken */
    size_t unread;              /* octets sent since all was drained */
    uint64_t unread_ms;
    size_t held;                /* its share of front->held */
    struct buffer pending;      /* input that must wait, from pending_at on */
    size_t pending_at;
    struct buffer story;        /* the transaction for the log: sender, recipients */
    uint32_t story_recipients, story_chunks;
    struct session **dirty_at;  /* what points to it in the list of the dirty; NULL: it is clean */
    bool asking;
    bool paused;                /* the world reads no more of it */
    bool stuck;                 /* its letter waits for credit, since stuck_ms */
    bool starved;               /* no memory for the letter coming in */
    bool ended, ended_told;     /* the client will send no more; the machine was told */
    bool over;                  /* what the machine has put is sent, then it closes */
    bool quit;
    bool implicit;              /* TLS from the first octet */
    bool shaking;               /* the handshake is under way: nothing plain goes in or out */
    bool tls_over;              /* it failed */
    uint64_t stuck_ms;
    uint64_t held_back_ms;      /* replies to a client who errs too often leave then; 0: now */
    uint8_t peer_n;
    char peer[FRONT_PEER_MOST];
};

/* ---- a letter that the store has not answered for: the wire's token is its place and its turn */
struct way {
    bool used, open;            /* open: its end was not told yet */
    uint16_t turn;
    uint32_t next_spare;
    uint32_t conn;
    uint64_t session;           /* the session's number */
    uint32_t token;             /* the machine's name for the letter */
    uint64_t size;
    size_t held;                /* its share of front->on_way */
    size_t ahead;               /* its share of session->ahead */
    struct buffer story;
};

struct ways {
    struct way *list;
    uint32_t n, room, spare;    /* spare: 1 + the first, or 0 */
};

/* ---- questions about recipients */
struct ask {
    bool used;
    uint64_t hash;
    struct session *waiting;
    uint32_t next;              /* spare or bucket: 1 + the next, or 0 */
};

struct answer {
    uint64_t hash, until_ms;
    bool yes;
};

enum { ASK_BUCKETS = 256, CACHE_WAYS = 4, CACHE_SETS = LIMIT_MAILBOX_CACHE / CACHE_WAYS };

struct recipients {
    struct bytes *domains;      /* by hash, open addressing; at == NULL: empty */
    size_t domains_room;        /* a power of two */
    struct arena memory;        /* of the domains' texts */
    struct answer *cache;       /* CACHE_SETS times CACHE_WAYS; NULL until first used */
    struct ask *asks;
    uint32_t asks_n, asks_room, spare;
    uint32_t buckets[ASK_BUCKETS];
};

struct manners {
    struct limits *limits;
    struct nets trust, xclient_from, proxy_from, relay_from;
    struct arena memory;        /* of these */
    bool stressed;              /* nearly full */
};

/* ---- TLS: what keys told */
struct front_tls {
    struct tls_context *context, *next;     /* next: being told */
    bool keys_up;
    uint8_t ticket_now_n, ticket_before_n;
    char ticket_now[TLS_TICKET_SECRET], ticket_before[TLS_TICKET_SECRET];
};

struct front {
    const struct conf *conf;
    struct manners manners;
    struct routes *routes;
    struct smtp_settings settings;
    struct moment now;
    struct effects *fx;         /* of the step in hand */
    struct bytes input;         /* the octets of the event in hand, or none */
    struct session **sessions;  /* by connection; NULL: none, or closing */
    size_t sessions_room;
    size_t sessions_n;
    size_t connected;           /* accepted and not yet closed */
    uint64_t numbers;
    enum store_state store;     /* STORE_CLOSED too while its channel is down */
    bool stopping, last_said, over;
    uint64_t stop_ms;
    uint8_t key[16];
    size_t held, on_way;        /* octets in here; of text not yet answered for */
    struct session *dirty;
    struct letter *spare;       /* letters to use again */
    size_t spare_n;
    struct ways ways;
    struct recipients recipients;
    struct front_tls tls;
    struct web_front_figures figures;
    struct session **clock;     /* a heap, the earliest first */
    size_t clock_n, clock_room;
    uint64_t alarm_ms;          /* asked for; FRONT_NEVER: none */
    struct buffer planted;      /* for the planted fault texts_crossed only */
    uint64_t planted_of, planted_n;
    struct buffer head, to, address;    /* scratch */
    struct buffer expanded, targets;    /* the same: a letter's recipients as blocks; an alias's */
    struct buffer hashes;               /* of the addresses in `expanded` */
};

extern const struct role_name front_to_store;

/* ---- front.c */

/* It must be looked at when this instant's events are through: go on with what waits, send
   replies. */
void front_mark(struct front *front, struct session *session);
void front_unmark(struct front *front, struct session *session);
struct session *front_session(const struct front *front, uint32_t conn, uint64_t number);

/* ---- front_session.c */

void session_accept(struct front *front, const struct event *event);
/* Octets from the network; and plain ones, which are the same where there is no TLS. */
void session_bytes(struct front *front, struct session *session, struct bytes bytes);
void session_plain(struct front *front, struct session *session, struct bytes bytes);
void session_end(struct front *front, struct session *session);
void session_drained(struct front *front, struct session *session);
/* The connection is gone: the session too. */
void session_closed(struct front *front, struct session *session);
/* Its deadline may have come. */
void session_late(struct front *front, struct session *session);
/* Go on with what waits and send what may be sent; the session may be gone after. */
void session_turn(struct front *front, struct session *session);
void session_stop(struct front *front, struct session *session);
/* Whatever is under way: 421 4.3.2, and the end. */
void session_stop_now(struct front *front, struct session *session);
/* The deadline of what it is doing, or FRONT_NEVER. */
uint64_t session_due(const struct session *session, uint64_t idle_ms);
void session_forget(struct front *front, struct session *session);

/* ---- front_letter.c */

/* More text of the letter in hand, a slice of the input in hand. */
void letter_text(struct front *front, struct session *session, struct bytes text);
/* The input goes away: keep what only lies in it. */
void letter_keep(struct front *front, struct session *session);
/* It is whole: give it to the store, or settle it at once. */
void letter_end(struct front *front, struct session *session, uint32_t token);
/* Credit came, or room: tell more of it. */
void letter_go_on(struct front *front, struct session *session);
void letter_drop(struct front *front, struct session *session);
/* Must the client wait, since the store takes no more of it now? */
bool letter_waits(const struct front *front, const struct session *session);
/* The store wants no more of it: what comes is thrown away, and its end is answered thus. */
void letter_refuse(struct session *session, enum smtp_verdict verdict);
/* The store has it all, or is done with it: no more of it is in here. */
void letter_release(struct front *front, struct session *session);
void letters_done(struct front *front);

/* ---- front_ways.c */

/* A place for one more letter of this session; false: no memory, or too many. */
MUST_USE bool way_new(struct front *front, struct session *session, uint32_t *ret_token);
/* The letter's place, or NULL when the token is none of ours, or not any more. */
struct way *way_of(struct front *front, uint32_t token);
void way_free(struct front *front, struct way *way);
/* More, or less, of its text is on the way. */
void way_hold(struct front *front, struct way *way, size_t octets);
void way_let(struct front *front, struct way *way, size_t octets);
void way_taken(struct front *front, const struct wire_letter_taken *taken);
void way_refused(struct front *front, const struct wire_letter_refused *refused);
void way_credit(struct front *front, const struct wire_credit *credit);
/* The store died: nothing it had is certain. */
void ways_lost(struct front *front);
void ways_done(struct front *front);

/* ---- front_manners.c */

MUST_USE bool manners_make(struct front *front);
/* Other settings: rules and networks. False: no memory. */
MUST_USE bool manners_reload(struct front *front);
void manners_done(struct front *front);
/* The number of connections changed: is the front nearly full, or not any more? */
void manners_look(struct front *front);
/* How long this session may be silent. */
uint64_t manners_idle_ms(const struct front *front, const struct session *session);
/* A new session: whom it is from, its settings. Then, when it is in the tables: greet it, turn it
   away, or wait for what must come first. */
void manners_begin(struct front *front, struct session *session, const struct net_address *remote);
void manners_come(struct front *front, struct session *session);
/* It leaves: it counts no more. */
void manners_leave(struct front *front, struct session *session);
/* Octets before SESSION_OPEN; what is not used waits in `pending`. False: cut it off. */
MUST_USE bool manners_in(struct front *front, struct session *session, struct bytes bytes);
/* The time of a stage is over. False: cut it off. */
MUST_USE bool manners_late(struct front *front, struct session *session);
/* A word of welcome, unless there is a reason against it. */
void manners_greet(struct front *front, struct session *session);
void manners_stop(struct front *front, struct session *session);
/* It spoke XCLIENT. */
void manners_xclient(struct front *front, struct session *session);
/* Answer the recipient it asked for; those that do not exist are counted. */
void manners_answer(struct front *front, struct session *session, enum smtp_verdict verdict);

/* ---- front_header.c */

/* The text ended. SMTP_YES, or why the letter is refused. */
enum smtp_verdict header_verdict(struct front *front, struct letter *letter,
                                const struct session *session);
/* ---- front_alias.c */

/* Does a table decide (HOW_ALIAS, HOW_MISSING)? True with the verdict; false: it says nothing. */
MUST_USE bool alias_decides(struct front *front, struct session *session,
                            enum smtp_verdict *ret_verdict);
/* The recipient in question is taken as session->how says. */
enum smtp_verdict alias_take(struct front *front, struct session *session, size_t targets);
/* All recipients of the letter, as blocks of entries in front->expanded, each address once.
   front->expanded.bad: no memory. */
void alias_expand(struct front *front, const struct session *session);
/* Does a Delivered-To of the header name one that a recipient stands for? Then a forward has come
   back. */
bool alias_was_here(struct front *front, const struct session *session,
                    const struct header_scan *scan);

/* ---- front_rcpt.c */

/* Learn the domains of front->conf, in place of those known. False: no memory. */
MUST_USE bool recipients_make(struct front *front);
void recipients_done(struct front *front);
/* May it? True with the answer; false: it is asked for, and the session will be answered. */
MUST_USE bool recipient_ask(struct front *front, struct session *session, struct address address,
                            enum smtp_verdict *ret_verdict);
void recipient_is(struct front *front, const struct wire_mailbox_is *is);
/* The store is gone: nobody answers any more. */
void recipients_lost(struct front *front);
/* The session is gone: it waits for no answer. */
void recipient_forget(struct front *front, struct session *session);

/* ---- front_clock.c */

/* Its deadline may be earlier than before (a later one is found out in time). */
void clock_touch(struct front *front, struct session *session);
void clock_forget(struct front *front, struct session *session);
/* The next session whose time has come, taken out; or NULL. */
struct session *clock_take(struct front *front);
/* Ask for the alarm that is needed, if it is not the one asked for already. */
void clock_ask(struct front *front);

/* ---- front_tls.c */

/* A frame of keys; false when it is none. */
MUST_USE bool front_tls_frame(struct front *front, struct bytes frame);
/* keys is there, or gone. */
void front_tls_peer(struct front *front, bool up);
void front_tls_done(struct front *front);
/* From here on the session's octets are TLS. False: it cannot be had now. */
MUST_USE bool session_secure(struct front *front, struct session *session);
/* Octets from the network of a session in TLS; also: go on after a signature came. */
void session_cipher(struct front *front, struct session *session, struct bytes bytes);
/* Send plain octets inside TLS. False: it has failed. */
MUST_USE bool session_send(struct front *front, struct session *session, struct bytes plain);
/* close_notify, before the connection is closed in order. */
void session_say_goodbye(struct front *front, struct session *session);

/* ---- front_count.c: what is counted, for admin */

void count_letter(struct front *front, unsigned reply, uint64_t octets);
void count_refusal(struct front *front, struct bytes verb, unsigned reply);
void count_tls(struct front *front, struct bytes version);
/* Why it was turned away, as in the log. */
void count_turned_away(struct front *front, const char *why);
void counts_tell(struct front *front, uint32_t token);

/* ---- front_log.c */

/* A command was dealt with: a line, or a piece of the letter's story. */
void log_note(struct front *front, struct session *session, const struct smtp_note *note);
/* A transaction came to nothing: what was said of it so far. */
void log_story_lost(struct front *front, struct session *session);
/* The story goes with the letter; the session begins another in the memory given in its place. */
void log_story_take(struct session *session, struct buffer *ret_story);
/* The letter is settled; `id` is empty unless it is taken. `session` NULL: the client is gone. */
void log_letter(struct front *front, const struct session *session, uint64_t number,
                const struct buffer *story, uint64_t size, enum smtp_verdict verdict,
                struct bytes id);
/* "connect", and "proxied", "xclient": from here on it is that client's. */
void log_client(struct front *front, const struct session *session, const char *how);
void log_turned_away(struct front *front, const struct session *session, const char *why);
/* It said so many octets before the greeting. */
void log_early(struct front *front, const struct session *session, size_t octets);
void log_stress(struct front *front, bool stressed);
void log_end(struct front *front, const struct session *session, const char *how);
/* What is known of its TLS. */
void log_tls(struct front *front, const struct session *session, const char *event);
void log_store(struct front *front, const char *what);

#endif
