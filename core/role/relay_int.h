/* SPDX-License-Identifier: ISC
 *
 * role/relay_int.h: what the files of relay share. Nobody else includes it.
 *
 *   relay.c           the role: frames, events, time
 *   relay_place.c     destinations: found, made, forgotten; who waits there
 *   relay_held.c      destinations that are suspended
 *   relay_dest.c      of a destination elsewhere: its hosts and their addresses, as the DNS says
 *   relay_names.c     questions to the role names
 *   relay_sts.c       MTA-STS policies, asked of names and of the role fetch
 *   relay_channel.c   what a connection to a host must be, for that letter; the next one to dial
 *   relay_memo.c      what is remembered of hosts and addresses (relay_memo_int.h)
 *   relay_job.c       letters on their way
 *   relay_tell.c      what the store is told of them
 *   relay_ask.c       questions whether a mailbox is there
 *   relay_link.c      connections: spoken on, kept, given up
 *   relay_stall.c     who is silent, and for how long
 *   relay_dial.c      new connections, and letters for those that are free
 *   relay_tls.c       TLS on a connection
 *   relay_present.c   our certificate, for a server that asks (relay_present_int.h)
 *   relay_quirk.c     what a server does not bear is learned
 *   relay_memory.c    what must not be forgotten, kept by the store; the best TLS ever seen
 *   relay_tlsrpt.c    how TLS went, counted to be told (RFC 8460)
 *   relay_tlsrpt_send.c  those reports on their way
 *   relay_convert.c   letters made anew for a server that does not take them as they are
 *   relay_raw.c       lossless binary: letters without their base64
 */
#ifndef POSTERN_ROLE_RELAY_INT_H
#define POSTERN_ROLE_RELAY_INT_H

#include "base/effects.h"
#include "base/limits.h"
#include "crypt/tls_client.h"
#include "dns/channel.h"
#include "dns/ledger.h"
#include "dns/mx.h"
#include "dns/sts_cache.h"
#include "dns/tlsrpt.h"
#include "mail/envelope.h"
#include "plan/route.h"
#include "role/relay_present_int.h"
#include "role/wire.h"
#include "smtp/client.h"

enum {
    RELAY_LINKS = 256,              /* connections of one relay */
    RELAY_PLACES = 4096,            /* destinations that are remembered */
    RELAY_HELD = 256,               /* of those that are suspended */
    RELAY_QUESTIONS = 1024,         /* to names, under way */
    RELAY_FETCHES = 1024,           /* of the role fetch, under way */
    RELAY_MEMOS = 4096, RELAY_MEMO_WAYS = 8,
    RELAY_KNOWN = 8192,
    RELAY_ASKS = 1024,              /* questions under way; more are answered with "not now" */
    RELAY_HOST_ADDRESSES = 5,       /* of a host, of each family */
    RELAY_BEGIN_BYTES = 128 * 1024, /* a letter is begun when so much of it is here, or all */
    RELAY_AHEAD = 256 * 1024,       /* octets on their way to a server that has not drained them */
    RELAY_PIECE = 60 * 1024,
    RELAY_TEXT_MOST = LIMIT_LETTER_CREDIT + 16 * 1024,
    RELAY_DIAL_MS = 30 * 1000,
    RELAY_REPLY_MS = 5 * 60 * 1000,     /* RFC 5321, 4.5.3.2 */
    RELAY_END_MS = 10 * 60 * 1000,      /* 4.5.3.2.6 */
    RELAY_STALL_MS = 5 * 1000,          /* a server so long silent takes no more than its share */
    RELAY_HASTE_MS = 500,               /* the same where there are few deliveries left, for one
                                           of which nothing was heard yet */
    RELAY_IDLE_MS = 20 * 1000,          /* a connection without a letter is ended */
    RELAY_REST_MS = 1000,               /* after a server could not be reached; doubled up to */
    RELAY_REST_MOST_MS = 60 * 1000,
    /* An address elsewhere that failed: so long it is dialled after all others; doubled up to */
    RELAY_AWAY_REST_MS = 30 * 1000,
    RELAY_AWAY_REST_MOST_MS = 10 * 60 * 1000,
    RELAY_MOMENT_MS = 20 * 1000,        /* and so long for no other letter; more than JOB_BUSY_MS */
    RELAY_BROKEN_MS = 60 * 60 * 1000,   /* TLS failed there: in clear, where nothing asks for it */
    RELAY_UNFIT_MS = 5 * 60 * 1000,     /* TLS failed, and it must be: other hosts first */
    RELAY_QUIRK_MS = 24 * 60 * 60 * 1000,
    RELAY_STRIKES = 2,                  /* so often in a row it broke: a quirk */
    RELAY_FAILED_MS = 10 * 1000,        /* an answer of the DNS that failed is kept so long */
    RELAY_CONFIRM_MS = 3 * 60 * 1000,   /* a second "no" so much later confirms the first */
    RELAY_WIDTH = 2,                    /* connections that a destination begins with */
    RELAY_STOP_MS = 3 * 1000,
    RELAY_WHOLE_MOST = 256 * 1024 * 1024,   /* octets of letters held whole, to be converted */
    RELAY_RAW_MOST = 128 * 1024 * 1024,     /* ... above which none is held that need not be */
    RELAY_CONVERT_MOST = 96 * 1024 * 1024,  /* octets of one */
};

/* What `text` of a letter is: itself, its raw form, or a recipe and its raw form. */
enum relay_form { FORM_PLAIN, FORM_RAW, FORM_RECIPE };

/* One recipient of a letter, or who asks. */
struct relay_rcpt {
    uint32_t number;                /* the store's job; of a question its token */
    uint32_t recipient, attempt;
    bool told;
    char *entry;                    /* what its struct recipient borrows from */
};

/* A letter for recipients at one destination, or a question. */
struct relay_job {
    struct relay_job *next;         /* of the place's, in the order they came */
    uint32_t lead;                  /* the job of the store's that its text comes with */
    bool ask;
    struct place *place;
    struct link *link;              /* NULL: it waits for one */
    uint64_t letter;
    struct relay_rcpt *rcpts;
    struct recipient *to;           /* beside them, as the client machine takes them */
    size_t n, room, left;           /* left: those not told */
    size_t said;                    /* of the transaction under way: the first so many */
    struct buffer kept;             /* the envelope's head */
    struct envelope envelope;       /* borrows from it */
    enum body_kind body;
    bool smtputf8, require_tls, tls_optional;
    struct buffer sender;           /* envelope.sender as it was made ASCII; else empty */
    bool gathers;                   /* all of it is to be here before it is begun */
    bool whole;                     /* it was gathered: all of it is held */
    bool tried;                     /* it was converted, or cannot be */
    const char *cannot;             /* why it cannot; NULL: it can, or nobody asked */
    bool made;                      /* what we put on top is in its text */
    bool looked;                    /* its header was looked at */
    bool ended;
    uint64_t came_ms;               /* an address that failed since is not dialled for it again */
    uint64_t lacks[MX_HOSTS_MOST];  /* hosts that do not take it as it is: hashes */
    size_t lacks_n;
    bool settles;                   /* all were asked: what the next one lacks ends it */
    uint64_t size;
    struct buffer text;             /* come and not yet handed on; `from` of it is */
    size_t from;
    size_t handed;                  /* the most that `from` was: credit was given up to there */
    bool cut;                       /* what was handed on is forgotten: it cannot begin anew */
    size_t added;                   /* octets at its front that are ours */
    uint8_t form;                   /* enum relay_form, of the text */
    bool plain;                     /* no other form any more */
    bool counts;                    /* `saves` is to be told with the next who takes it */
    struct buffer recipe;           /* of the raw form */
    enum body_kind plain_body;      /* body and size of the letter as it is */
    uint64_t plain_size, saves;
};

/* ---- destinations elsewhere */

enum fact_state { FACT_NONE, FACT_ASKED, FACT_KNOWN };
struct fact {
    uint8_t state;                  /* enum fact_state */
    uint8_t verdict;                /* KNOWN: enum dns_verdict */
    bool proved;
    uint64_t until_ms;              /* KNOWN: and it counts as known until then */
};

struct dest_host {
    char name[DNS_NAME_MOST];
    uint8_t n;                      /* 0: the address alone is known */
    struct fact a, aaaa;
    /* TLSA records, at the name that stands at the end of its CNAMEs, and at its own (RFC 7672,
       2.2.2). */
    char alias[DNS_NAME_MOST];
    uint8_t alias_n;                /* 0: it has no CNAME, or one that is not signed */
    struct dest_tlsa { struct fact fact; struct buffer records; } by_alias, by_name;
    uint8_t ips[2][RELAY_HOST_ADDRESSES][16];   /* IPv6, IPv4 */
    uint8_t ips_n[2];
    bool sts_allows;                /* by the policy that dest_sts found */
};

/* The records that count, and the name they stand at (the TLSA base domain). */
struct dest_proof {
    enum dns_verdict verdict;
    struct bytes records;           /* as blocks */
    struct bytes base;
};

struct dest {
    uint16_t port;
    bool routed;                    /* its host is the configuration's word */
    bool signs_in;                  /* the smart host, with a password */
    bool secure;                    /* the hosts' names came from a secure answer, or from us */
    bool implicit;                  /* no MX: the domain is its own host */
    struct fact mx;
    struct status_code flaw;        /* class not 0: it has no hosts, and that is why */
    const char *flaw_words;
    uint64_t no_since_ms;           /* when an answer first said, unproved, that nothing is there */
    struct dest_host *hosts;
    size_t hosts_n;
    uint16_t age;                   /* another when the hosts are others */
    enum sts_mode sts;              /* in force, by dest_sts */
    bool sts_unsure;                /* none, since it could not be found out */
    bool sts_asks;                  /* its record or its policy is on the way */
};

/* Who asked names for what. */
enum question_kind { ASK_MX, ASK_A, ASK_AAAA, ASK_TLSA, ASK_TLSA_ALIAS, ASK_STS, ASK_REPORT };
struct question {
    bool waits;
    uint16_t turn;
    uint8_t kind;                   /* enum question_kind */
    uint8_t host;
    uint16_t age;                   /* of the destination's hosts */
    struct place *place;            /* NULL: for a report */
    uint32_t token;                 /* of that */
};

/* For whom a policy is being fetched, or a report brought. */
struct fetching {
    bool waits;
    uint16_t turn;
    struct place *place;            /* NULL: a report */
    uint32_t token;                 /* of that */
};

/* ---- places */

/* A destination: a server that keeps mailboxes of ours, or one elsewhere. */
struct place {
    struct place *next_busy;
    bool busy;                      /* it is in the list of those that have jobs */
    struct conf_route route;        /* a server of ours; else `dest` */
    struct dest *dest;
    struct bytes name;              /* as the configuration writes it; elsewhere: its one name */
    struct relay_job *jobs, **jobs_end;
    size_t letters;                 /* of those that are no questions */
    struct link *first;             /* its connections, of whatever state */
    size_t links;                   /* how many */
    size_t questions;               /* to names and fetch, for it */
    uint64_t asked_ms;              /* the last of them */
    uint64_t rests_until_ms;        /* it could not be reached: not before then */
    unsigned failures;              /* in a row */
    struct buffer why;              /* the last one */
    struct buffer kept;             /* what `route` and `name` borrow from */
    size_t width;                   /* connections it may have */
    uint64_t used_ms;
    uint64_t minute_ms;             /* letters since then, for destination-rate */
    uint64_t minute_n;
};

/* ---- what is remembered of a host, or of an address */

enum tls_level {
    LEVEL_UNKNOWN = LEDGER_UNKNOWN, LEVEL_CLEAR = LEDGER_CLEAR, LEVEL_TLS = LEDGER_TLS,
    LEVEL_NAME = LEDGER_NAME, LEVEL_DANE = LEDGER_DANE,
};
struct memo {
    uint64_t key;                   /* 0: free */
    uint64_t used_ms;
    uint64_t bad_until_ms;          /* it could not be reached; or its TLS will not do */
    unsigned failures;              /* those at the same time are one */
    uint64_t failed_ms;             /* the last of them; 0: none since it last went well */
    uint64_t failed_for;            /* the letter for which it was dialled, in which attempt */
    uint32_t failed_attempt;
    struct status_code code;        /* of that */
    struct buffer why;
    uint64_t minute_ms, minute_n;   /* of a host: letters since then, for host-rate */
    uint64_t broken_until_ms;       /* TLS breaks there */
    uint64_t bare_until_ms;         /* it broke with our certificate: without */
    uint64_t quirk_until_ms;
    unsigned avoid;                 /* enum client_extension */
    bool helo;
    uint8_t strikes;
    struct buffer ticket;
    uint64_t ticket_key;
};

/* A suspended destination, or domain. */
struct relay_held {
    struct bytes name, reason;
    char *kept;                     /* both lie there */
};

/* ---- connections */

enum link_state { LINK_FREE, LINK_DIALS, LINK_OPEN, LINK_CLOSES };
/* What a connection must be for a letter: by REQUIRETLS, and by TLS-Required: no. */
enum { LETTER_PLAIN, LETTER_OPTIONAL, LETTER_REQUIRES, LETTER_BOTH, LETTER_WISHES };

struct link {
    enum link_state state;
    struct place *place;
    struct link *next;              /* of the place */
    uint32_t conn;
    struct smtp_client *client;     /* OPEN */
    struct relay_job *job;
    size_t ahead;                   /* octets sent since it was drained */
    uint64_t since_ms;              /* of the last thing that happened */
    uint64_t due_ms;
    size_t letters;                 /* that went over it */
    bool heard;                     /* the server said something since its letter began */
    bool taken;                     /* it took something of the letter in hand */
    bool greeted;                   /* the server has said what it can */
    bool spoke;                     /* the server said anything */
    bool gone;                      /* EV_CLOSED came: nothing may be asked of it */
    bool late;                      /* DIALS: given up; what comes of it is closed */
    /* elsewhere */
    uint64_t dialled_ms, dialled_for;   /* when, for which letter */
    uint32_t dialled_attempt;
    struct buffer host;             /* its name; empty: an address alone */
    struct net_address at;
    struct channel channel;
    enum channel_need needs[LETTER_WISHES];
    struct buffer tlsa;             /* records, as blocks */
    struct buffer base;             /* the name they stand at */
    uint8_t policy;                 /* enum tlsrpt_policy: what the channel is held to */
    bool counts;                    /* for reports of TLS */
    bool allowed;                   /* MTA-STS: the policy names its host */
    uint8_t from_ip[16];            /* ours; zero: not known */
    struct tls *tls;
    bool shaking;                   /* the handshake is under way */
    struct link_present present;
    uint8_t level;                  /* enum tls_level, when greeted */
};

/* What the store keeps for us. */
struct relay_memory {
    bool told;                      /* it told us */
    bool over;                      /* we told it for the last time */
    uint64_t due_ms;                /* it is to be told then; 0: it knows all */
    uint64_t saved_ms;
    size_t saved_n;
    struct buffer comes;
};

struct relay_reports;               /* relay_tlsrpt_int.h */

struct relay {
    const struct conf *conf;
    struct routes *routes;
    struct tls_context *tls;        /* NULL: memory was short */
    struct relay_present present;
    struct place *places[RELAY_PLACES];
    uint64_t hashes[RELAY_PLACES];  /* of their names */
    size_t places_n;
    struct place *busy;
    struct relay_held held[RELAY_HELD];
    size_t held_n;
    struct question questions[RELAY_QUESTIONS];
    struct fetching fetches[RELAY_FETCHES];
    struct sts_cache *sts;          /* made when first needed */
    struct memo *memos;             /* RELAY_MEMOS, made when first needed */
    struct relay_reports *reports;  /* NULL: no session yet */
    struct ledger *ledger;          /* made when first needed */
    struct relay_memory memory;
    struct link links[RELAY_LINKS];
    uint8_t hints[RELAY_LINKS];     /* by connection: where its link may be */
    size_t asks;
    size_t letters;                 /* of all places, that are no questions */
    uint8_t key[16];
    uint64_t known[RELAY_KNOWN];    /* hashes of addresses whose mailbox was there */
    struct moment now;
    struct effects *fx;             /* of the step in hand */
    uint64_t alarm_ms, stop_ms, windows, numbers;
    bool names, fetch;              /* those roles are there */
    bool stopping, over;
};

/* ---- relay_place.c */

/* The server of ours at that route; NULL: there is none. */
struct place *relay_place_ours(struct relay *relay, const struct conf_route *route);
/* The destination of an address elsewhere; NULL, *ret_known false: it has none; true: no memory. */
struct place *relay_place_away(struct relay *relay, struct bytes address, bool *ret_known);
/* Those of the settings, from now on. False: no memory. */
MUST_USE bool relay_places_make(struct relay *relay);
/* The settings are others: what borrows from them is copied, or forgotten. */
MUST_USE bool relay_places_reload(struct relay *relay);
void relay_places_done(struct relay *relay);
/* It has a job: it gets its turn. */
void relay_place_is_busy(struct relay *relay, struct place *place);
/* A turn for each that has jobs. */
void relay_places_turn(struct relay *relay);
/* A server of ours could not be reached. */
void relay_place_rest(struct relay *relay, struct place *place, struct status_code code,
                      struct bytes words);
/* Do all destinations that are silent hold more than half of `jobs` together? They may not. */
bool relay_is_choked(const struct relay *relay);
/* How many letters a server that is silent may hold. */
size_t relay_share(const struct relay *relay, const struct place *place);
/* What the settings say of it: by its domain, of a hop by its host. */
void relay_place_settings(const struct relay *relay, const struct place *place,
                          struct conf_for *ret_for);
/* May it have one more letter now, as far as destination-rate goes? Counts it. */
bool relay_place_paces(struct relay *relay, struct place *place);

/* ---- relay_held.c */

/* Suspended, or not any more: what waits for a connection goes back to the store. */
void relay_hold(struct relay *relay, const struct wire_destination_hold *hold);
/* Is mail for that address suspended, by its domain or by the place where it goes? Then words
   that say so. */
bool relay_is_held(struct relay *relay, const struct place *place, struct bytes address,
                   struct bytes *ret_words);
void relay_held_done(struct relay *relay);

/* ---- relay_dest.c */

MUST_USE struct dest *dest_new(struct relay *relay, struct bytes name);
void dest_free(struct dest *dest);
enum dest_state { DEST_READY, DEST_ASKS, DEST_FLAWED };
/* Are its hosts known? Asks when they are not. */
enum dest_state dest_hosts(struct relay *relay, struct place *place);
/* And the addresses of that host? READY also when there is none. */
enum dest_state dest_addresses(struct relay *relay, struct place *place, size_t host);
/* And its TLSA records? *ret_proof borrows from the host, only for READY. */
enum dest_state dest_tlsa(struct relay *relay, struct place *place, size_t host,
                          struct dest_proof *ret_proof);
/* An answer came. */
void dest_answer(struct relay *relay, const struct question *question,
                 const struct dns_answer *answer);

/* ---- relay_sts.c */

/* Which MTA-STS policy holds: dest->sts, and sts_allows of each host. FLAWED: it cannot be asked
   for now. */
enum dest_state dest_sts(struct relay *relay, struct place *place);
void relay_sts_record(struct relay *relay, struct place *place, const struct dns_answer *answer);
/* A document came, or why it did not. False: that is no answer of fetch. */
bool relay_sts_fetched(struct relay *relay, const struct wire_fetch_is *is);
/* The role fetch is there, or is gone: what was asked of it has failed. */
void relay_sts_peer(struct relay *relay, bool up);

/* Bring a report there; relay_tlsrpt_taken says how it went. False: not now. */
bool relay_fetch_report(struct relay *relay, uint32_t token, struct bytes url, struct bytes body);

/* ---- relay_names.c */

/* Ask; false: not now, and it counts as failed. */
bool relay_names_ask(struct relay *relay, struct place *place, enum question_kind kind,
                     size_t host, struct bytes name);
/* The TXT records of that name, for relay_tlsrpt_record. */
bool relay_names_ask_report(struct relay *relay, uint32_t token, struct bytes name);
void relay_names_is(struct relay *relay, const struct wire_name_is *is);
/* The role is there, or is gone: what was asked of it has failed. */
void relay_names_peer(struct relay *relay, bool up);

/* ---- relay_channel.c */

struct target {
    size_t host;
    struct net_address at;
    struct channel channel;
    enum channel_need needs[LETTER_WISHES];
    struct dest_proof proof;        /* borrows from the host */
    enum tlsrpt_policy policy;      /* that it comes from */
    /* A host that was passed over for what its channel must be; `shunned_result` as RFC 8460, 4.3
       calls it, NULL: none was. Also when no other was found. */
    size_t shunned;
    enum tlsrpt_policy shunned_policy;
    const char *shunned_result, *shunned_why;
};
enum target_state {
    TARGET_FOUND, TARGET_ASKS,
    TARGET_SETTLES,             /* no host takes it as it is: the next one is to say so */
    TARGET_WAITS,               /* a host has all the connections it may: one of them ends soon */
    TARGET_PACED,               /* a host had all the letters it may have in this minute */
    TARGET_NONE,                /* as things stand; *ret_result says why */
};
/* Where to dial next for that letter. */
enum target_state relay_target(struct relay *relay, struct place *place, struct relay_job *job,
                               struct target *ret_target, struct client_result *ret_result);
/* Does that host not take it as it is? Both by relay_host_key. */
bool relay_lacks(const struct relay_job *job, uint64_t host);
uint64_t relay_host_key(const struct relay *relay, struct bytes host);
/* May that connection's host have one more letter, as far as host-rate goes? */
bool relay_host_paces(struct relay *relay, const struct link *link);
/* Will that connection do for it? */
bool relay_link_suits(const struct link *link, const struct relay_job *job);
unsigned relay_wishes(const struct relay_job *job);

/* ---- relay_job.c */

void relay_job_begin(struct relay *relay, const struct wire_job_begin *begin);
void relay_job_also(struct relay *relay, const struct wire_job_also *also);
void relay_job_part(struct relay *relay, const struct wire_job_part *part);
void relay_job_end(struct relay *relay, uint32_t number);
void relay_job_drop(struct relay *relay, uint32_t number);
/* The store died: nobody waits for anything. */
void relay_forget_all(struct relay *relay);
/* A new one at the end of the place's list, without a recipient; NULL: no memory. */
struct relay_job *relay_job_new(struct relay *relay, struct place *place);
MUST_USE bool relay_job_add(struct relay_job *job, const struct relay_rcpt *rcpt,
                            struct bytes entry);
/* Out of its place's list, and freed. */
void relay_job_free(struct relay *relay, struct relay_job *job);
/* Can it be begun, as soon as there is a connection? */
bool relay_job_is_ready(struct relay_job *job);
/* Those recipients that are not told, and nobody else: the next transaction is theirs. */
void relay_job_rest(struct relay_job *job);
/* Credit for what was handed on since. */
/* All that is here counts as handed on, so that the rest comes. */
void relay_job_gather(struct relay *relay, struct relay_job *job);
void relay_job_credit(struct relay *relay, struct relay_job *job, size_t handed);

/* ---- relay_tell.c */

/* Words before anything was made of it. */
void relay_tell(struct relay *relay, uint32_t number, enum job_outcome outcome,
                struct status_code code, struct bytes words);
/* The i-th recipient's result; once. `link` may be NULL. */
void relay_job_result(struct relay *relay, struct relay_job *job, const struct link *link, size_t i,
                      const struct client_result *result);
/* The same for all that have none. */
void relay_job_results(struct relay *relay, struct relay_job *job,
                       const struct client_result *result);
/* Back to the store: this was no attempt. Frees it. */
void relay_job_again(struct relay *relay, struct relay_job *job);

/* ---- relay_ask.c */

void relay_ask(struct relay *relay, const struct wire_mailbox_ask *ask);
void relay_ask_result(struct relay *relay, struct relay_job *job,
                      const struct client_result *result);
/* What was known of it before. */
void relay_ask_guess(struct relay *relay, struct relay_job *job);

/* ---- relay_convert.c */

/* Does that server take the letter, as it is or made anew just now? False: not now, for the rest of
   its text is waited for; or it does not, and other hosts are to be asked first; or nobody is left,
   and the job is freed. */
bool relay_converts(struct relay *relay, const struct link *link, struct relay_job *job);
/* Let all of it come before it is begun; false: with it, letters held whole would be more octets
   than that. */
bool relay_gathers(struct relay *relay, struct relay_job *job, uint64_t most);

/* ---- relay_quirk.c */

/* The connection broke: it hung up at EHLO, or in the middle of what left in one flight. If it does
   so again, it is spoken to more simply. */
void relay_quirk_suspect(struct relay *relay, struct link *link);
/* A letter is over: of what the server offered some may have turned out unknown to it. */
void relay_quirk_lies(struct relay *relay, struct link *link);
/* A letter went well: what it broke off before was not in a row. */
void relay_quirk_well(struct relay *relay, struct link *link);

/* ---- relay_raw.c */

/* Is it in another form than its own already, and right for that server? */
bool relay_raw_suits(struct relay *relay, const struct link *link, const struct relay_job *job);
/* Its own form again. False: that cannot be; it goes back to the store and is freed. */
MUST_USE bool relay_raw_back(struct relay *relay, struct relay_job *job);
/* The form in which it goes to that server, all of it being here. True: the rest is waited for. */
bool relay_raw_waits(struct relay *relay, const struct link *link, struct relay_job *job);
/* Was it perhaps refused for its form? Then this is no result: it goes anew, as it is. */
bool relay_raw_refused(struct relay *relay, const struct link *link, struct relay_job *job,
                       const struct client_result *result);
/* Octets that were saved with this result; once in a transaction. */
uint64_t relay_raw_saved(struct relay_job *job, const struct client_result *result);

/* ---- relay_link.c */

void relay_connected(struct relay *relay, const struct event *event);
void relay_bytes(struct relay *relay, uint32_t conn, struct bytes bytes);
void relay_drained(struct relay *relay, uint32_t conn);
void relay_closed(struct relay *relay, uint32_t conn, bool end);
/* Octets of the server, plain by now; then all that comes of them. */
void relay_link_step(struct relay *relay, struct link *link, struct bytes in);
/* Go on with its letter, and send. */
void relay_link_go(struct relay *relay, struct link *link);
/* What is left of the time that its sender set (RFC 2852, 4.1.3). */
void relay_letter_by(const struct relay *relay, const struct relay_job *job,
                     struct client_letter *letter);
void relay_link_begin(struct relay *relay, struct link *link, struct relay_job *job);
/* Break it off: what its letter's fate is was told, or nobody asks. */
void relay_link_abort(struct relay *relay, struct link *link);
/* The same, without a word about why: that is known. */
void relay_link_drop(struct relay *relay, struct link *link);
void relay_link_touch(struct relay *relay, struct link *link);
void relay_link_free(struct link *link);
/* Those whose time is over. */
void relay_links_late(struct relay *relay);
/* No letter is under way on any. */
bool relay_is_quiet(const struct relay *relay);
void relay_links_done(struct relay *relay);

/* ---- relay_stall.c */

/* The next time at which somebody's time is over, or he has stalled. */
uint64_t relay_links_due(const struct relay *relay);
/* Has it been silent so long, with something to say, that it takes no more than its share? */
bool relay_is_stalled(const struct relay *relay, const struct place *place);

/* ---- relay_dial.c */

/* Begin what can be begun: letters on idle connections, new connections. */
void relay_place_turn(struct relay *relay, struct place *place);
/* The next letter for that connection; NULL: none. */
struct relay_job *relay_next_for(struct relay *relay, const struct link *link);

/* ---- relay_tls.c */

void relay_tls_begin(struct relay *relay, struct link *link);
void relay_tls_bytes(struct relay *relay, struct link *link, struct bytes bytes);
/* False: it has failed. */
MUST_USE bool relay_tls_send(struct relay *relay, struct link *link, struct bytes plain);
/* The server cannot give what must be: remembered of the host. `result`: as RFC 8460, 4.3 calls it;
   "": it is no fault of theirs. */
void relay_tls_lacks(struct relay *relay, struct link *link, const char *result,
                     struct bytes words);
/* The handshake does not come to its end: the same, unless it is for our own certificate's sake. */
void relay_tls_stuck(struct relay *relay, struct link *link, const char *result,
                     struct bytes words);
/* It is greeted: how good is it, and was it better before? */
void relay_tls_note(struct relay *relay, struct link *link);

#endif
