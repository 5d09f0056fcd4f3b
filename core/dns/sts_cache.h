/* SPDX-License-Identifier: ISC
 *
 * dns/sts_cache.h: the MTA-STS policies that are held, and what must be asked to know which holds
 * for a domain now (RFC 8461, 3.3 and 5.1).
 *
 * Stands on base. Asks nobody: the caller asks what sts_cache_look wants, and tells what came. A
 * policy that is held counts until its max_age is over, whatever becomes of its record and of its
 * server meanwhile; a new one takes its place at once and whole. Bounded: beyond STS_DOMAINS_MOST
 * domains or STS_OCTETS_MOST octets those without a policy are forgotten first, then those longest
 * not asked for. Held in memory; the caller may keep them elsewhere (sts_cache_next) and bring them
 * back, for a policy must outlive whoever fetched it (5.1).
 */
#ifndef POSTERN_DNS_STS_CACHE_H
#define POSTERN_DNS_STS_CACHE_H

#include "dns/fetch.h"
#include "dns/sts.h"

struct sts_cache;

enum {
    STS_DOMAINS_MOST = 20000,
    STS_OCTETS_MOST = 32 * 1024 * 1024,     /* of texts of policies */
    STS_URL_MOST = 320,
    STS_RETRY_MS = 5 * 60 * 1000,           /* after a failure, as 3.3 advises */
};

enum sts_want {
    STS_WANT_NOTHING,
    STS_WANT_RECORD,        /* the TXT records of _mta-sts.DOMAIN; then look again */
    STS_WANT_POLICY,        /* the document at sts_url_put; then look again */
};

struct sts_view {
    enum sts_want want;     /* NOTHING: `mode` holds. Else it holds if nobody waits for what is
                               wanted: the policy held before, or none */
    bool must_wait;         /* what is wanted may change how a letter goes that goes now: there is
                               no policy yet; with NOTHING wanted: it cannot be asked for just now,
                               for want of our own. False: ask, but let the letter go meanwhile */
    bool unsure;            /* `mode` is STS_NONE only since it could not be found out whether there
                               is a policy, or what it says */
    enum sts_mode mode;     /* in force */
    const struct sts_policy *policy;    /* NULL: none. Lives until the next call on the cache */
    struct bytes text;      /* the policy, as it was fetched; lives as long */
    const char *failure;    /* why the newest policy could not be had, as RFC 8460, 4.3 calls it;
                               "": it was had, or there is none */
};

/* `key`: of chance, for its table. NULL: memory is short. */
MUST_USE struct sts_cache *sts_cache_new(const uint8_t key[static 16]);
void sts_cache_free(struct sts_cache *cache);

/* What holds for the domain (A-labels, lower case), and what is to be asked. `now_ms`: any clock
   that never steps back, the same in all calls. When a want was asked for and its answer did not
   come yet, the same want is returned: who asks keeps account of what is under way. */
struct sts_view sts_cache_look(struct sts_cache *cache, uint64_t now_ms, struct bytes domain);

/* The answer to the TXT question. What could not be found out is no news: it is asked again after
   STS_RETRY_MS. */
void sts_cache_record(struct sts_cache *cache, uint64_t now_ms, struct bytes domain,
                      const struct dns_answer *txt);
/* The document, or how it failed (`body` is looked at for FETCH_WELL only). Returns the flaw of a
   document that came and is no policy; words NULL: there is none. */
struct sts_flaw sts_cache_fetched(struct sts_cache *cache, uint64_t now_ms, struct bytes domain,
                                  enum fetch_result result, struct bytes body);

/* How many domains are known. */
size_t sts_cache_count(const struct sts_cache *cache);

/* A policy that is held. */
struct sts_kept {
    struct bytes domain, id, text;
    uint64_t left_ms;       /* so long it still counts */
};
/* All that are held, those last asked for first. `*cursor`: NULL at first. False: that was the
   last. The cache must not change meanwhile. */
bool sts_cache_next(const struct sts_cache *cache, uint64_t now_ms, const void **cursor,
                    struct sts_kept *ret_kept);
/* One that was held before, unless there is a newer one. Its record is asked for anew all the
   same. */
void sts_cache_restore(struct sts_cache *cache, uint64_t now_ms, const struct sts_kept *kept);

/* Where the policy of a domain lies: https://mta-sts.DOMAIN/.well-known/mta-sts.txt */
void sts_url_put(struct buffer *to, struct bytes domain);

#endif
