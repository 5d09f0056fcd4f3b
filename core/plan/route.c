/* SPDX-License-Identifier: ISC */
#include "plan/route.h"

#include "base/hash.h"
#include "base/reader.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "plan/route_int.h"

#include <string.h>

/* ---- the table */

static size_t place_of(const struct route_row *rows, size_t room, struct bytes key)
{
    static const uint8_t fixed[16] = "postern:routes.";     /* the owner chooses the keys */
    size_t at = siphash(fixed, key) & (room - 1);

    while (rows[at].key.at != NULL && !bytes_equal(rows[at].key, key))
        at = (at + 1) & (room - 1);
    return at;
}

struct route_row *routes_find(const struct routes *routes, struct bytes key)
{
    struct route_row *row = &routes->rows[place_of(routes->rows, routes->room, key)];

    return row->key.at == NULL ? NULL : row;
}

static bool grow(struct routes *routes)
{
    size_t room = routes->room == 0 ? 64 : routes->room * 2;
    struct route_row *rows = mem_new(room * sizeof(*rows));

    if (rows == NULL)
        return false;
    for (size_t i = 0; i < routes->room; i++)
        if (routes->rows[i].key.at != NULL)
            rows[place_of(rows, room, routes->rows[i].key)] = routes->rows[i];
    mem_free(routes->rows);
    routes->rows = rows;
    routes->room = room;
    return true;
}

bool routes_add(struct routes *routes, struct bytes key, struct bytes targets, bool *ret_twice)
{
    *ret_twice = false;
    if (routes->n * 2 >= routes->room && !grow(routes))
        return false;
    struct route_row *row = &routes->rows[place_of(routes->rows, routes->room, key)];
    if (row->key.at != NULL)
        return *ret_twice = true, false;
    struct route_row added = { arena_copy(&routes->arena, key),
                               arena_copy(&routes->arena, targets) };
    if (added.key.at == NULL || added.targets.at == NULL)
        return false;
    *row = added;
    routes->n++;
    return true;
}

/* ---- keys */

static void put_lower(struct buffer *to, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        buffer_put_char(to, to_lower(text.at[i]));
}

bool routes_key(const struct routes *routes, struct bytes text, struct buffer *to)
{
    struct buffer normal = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    struct address address;
    bool parses = address_parse(text, true, &address, NULL);

    if (parses) {
        address_put_normal(&normal, address);
        put_lower(to, buffer_bytes(&normal));
    } else if (routes->conf->domains.n > 0 && bytes_find(text, '@') == text.n) {
        buffer_put(&normal, text);
        buffer_put_char(&normal, '@');
        buffer_put(&normal, routes->conf->domains.list[0]);
        parses = address_parse(buffer_bytes(&normal), true, &address, NULL);
        struct buffer whole = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
        if (parses)
            address_put_normal(&whole, address);
        put_lower(to, buffer_bytes(&whole));
        to->bad = to->bad || whole.bad;
        buffer_done(&whole);
    }
    to->bad = to->bad || normal.bad;
    buffer_done(&normal);
    return parses && !to->bad;
}

static struct bytes domain_of(struct bytes key)
{
    return bytes_skip(key, bytes_find_last(key, '@') + 1);
}

static struct bytes local_of(struct bytes key)
{
    return bytes_first(key, bytes_find_last(key, '@'));
}

/* The row that says where the domain is kept; NULL: it is not ours. */
static const struct route_row *domain_row(const struct routes *routes, struct bytes domain)
{
    struct buffer key = buffer_with_most(LIMIT_PATH);

    buffer_put(&key, domain);
    buffer_put_char(&key, '@');
    const struct route_row *row = key.bad ? NULL : routes_find(routes, buffer_bytes(&key));
    buffer_done(&key);
    return row;
}

/* In a domain's row, where the name of a server would stand; none reads like that. */
static const struct bytes system_users = BYTES_INIT("system-users");

enum route_place routes_place(const struct routes *routes, struct bytes address,
                              struct conf_route *ret_lmtp)
{
    struct buffer key = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    const struct route_row *row = NULL;
    struct conf_route route;
    enum route_place place = ROUTE_ELSEWHERE;

    if (routes_key(routes, address, &key))
        row = domain_row(routes, domain_of(buffer_bytes(&key)));
    if (row != NULL)
        place = row->targets.n == 0 ? ROUTE_MAILBOX
              : bytes_equal(row->targets, system_users) ? ROUTE_SYSTEM : ROUTE_LMTP;
    if (place == ROUTE_LMTP && ret_lmtp != NULL && conf_route_parse(row->targets, &route))
        *ret_lmtp = route;
    buffer_done(&key);
    return place;
}

/* useradd(8): small letters, digits, "_", "-" and dots, and no "-" or dot first. */
static bool is_user_name(struct bytes name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && !is_digit(name.at[i])
            && name.at[i] != '_' && (i == 0 || (name.at[i] != '-' && name.at[i] != '.')))
            return false;
    return name.n > 0 && name.n <= LIMIT_USER_NAME;
}

bool routes_user(const struct routes *routes, struct bytes address, struct buffer *to)
{
    struct buffer key = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    bool there = routes_place(routes, address, NULL) == ROUTE_SYSTEM
              && routes_key(routes, address, &key) && is_user_name(local_of(buffer_bytes(&key)));

    if (there)
        buffer_put(to, local_of(buffer_bytes(&key)));
    buffer_done(&key);
    return there && !to->bad;
}

bool routes_base(const struct routes *routes, struct bytes address, struct buffer *to)
{
    struct bytes local = local_of(address), sign = routes->conf->subaddress;
    size_t at = sign.n == 0 ? local.n : bytes_find(local, sign.at[0]);

    if (at == 0 || at == local.n || local.at[0] == '"')
        return false;
    buffer_put(to, bytes_first(local, at));
    buffer_put(to, bytes_skip(address, local.n));
    return true;
}

/* ---- expansion */

struct walk {
    const struct routes *routes;
    struct buffer *to;
    struct bytes path[ROUTE_DEPTH_MOST];    /* keys from the first address to the one in hand */
    size_t depth, looked;
    bool missing;
    enum route_verdict verdict;
};

static const struct route_row *find_alias(const struct routes *routes, struct bytes key)
{
    const struct route_row *row = routes_find(routes, key);

    return row != NULL ? row : routes_find(routes, local_of(key));
}

static const struct route_row *alias_of(const struct routes *routes, struct bytes key)
{
    struct buffer base = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    const struct route_row *row = NULL;

    if (domain_row(routes, domain_of(key)) == NULL)
        return NULL;
    row = find_alias(routes, key);
    if (row == NULL && routes_base(routes, key, &base))
        row = find_alias(routes, buffer_bytes(&base));
    buffer_done(&base);
    return row;
}

/* For a mailbox that is not there. */
static const struct route_row *catch_all(const struct routes *routes, struct bytes key)
{
    return routes_find(routes, bytes_skip(key, bytes_find_last(key, '@')));
}

static bool is_duty(struct bytes key)
{
    return bytes_equal(local_of(key), BYTES("postmaster"))
        || bytes_equal(local_of(key), BYTES("abuse"));
}

static void walk_targets(struct walk *walk, struct bytes targets, struct bytes from);

/* One address that an alias names. */
static void walk_one(struct walk *walk, struct bytes address, struct bytes from)
{
    struct buffer key = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    const struct route_row *row = NULL;

    if (++walk->looked > ROUTE_EXPANDED_MOST)
        walk->verdict = ROUTES_MANY;
    else if (!routes_key(walk->routes, address, &key))
        walk->verdict = ROUTES_NO_MEMORY;       /* those that do not parse were refused before */
    else if (!bytes_equal(buffer_bytes(&key), from))
        row = alias_of(walk->routes, buffer_bytes(&key));
    if (walk->verdict == ROUTES_CHANGED && row == NULL)
        buffer_put_block(walk->to, address);
    else if (walk->verdict == ROUTES_CHANGED)
        walk_targets(walk, row->targets, buffer_bytes(&key));
    buffer_done(&key);
}

static void walk_targets(struct walk *walk, struct bytes targets, struct bytes from)
{
    struct reader in = reader_of(targets);

    for (size_t i = 0; i < walk->depth; i++)
        if (bytes_equal(walk->path[i], from))
            walk->verdict = ROUTES_LOOP;
    if (walk->depth == ROUTE_DEPTH_MOST)
        walk->verdict = ROUTES_LOOP;
    if (walk->verdict != ROUTES_CHANGED)
        return;
    walk->path[walk->depth++] = from;
    while (!reader_empty(&in) && walk->verdict == ROUTES_CHANGED)
        walk_one(walk, read_block(&in), from);
    walk->depth--;
}

enum route_verdict routes_expand(const struct routes *routes, struct bytes address, bool missing,
                                 struct buffer *to)
{
    struct buffer key = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    struct buffer setting = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    struct walk walk = { .routes = routes, .to = to, .verdict = ROUTES_CHANGED };
    struct bytes targets = BYTES_NONE;
    size_t start = to->n;

    if (!routes_key(routes, address, &key)) {
        bool bad = key.bad;
        buffer_done(&key);
        return bad ? ROUTES_NO_MEMORY : ROUTES_SAME;
    }
    const struct route_row *row = alias_of(routes, buffer_bytes(&key));
    if (row == NULL && missing && is_duty(buffer_bytes(&key)) && routes->conf->postmaster.n > 0)
        buffer_put_block(&setting, routes->conf->postmaster);
    else if (row == NULL && missing)
        row = catch_all(routes, buffer_bytes(&key));
    targets = row != NULL ? row->targets : buffer_bytes(&setting);
    if (targets.n > 0)
        walk_targets(&walk, targets, buffer_bytes(&key));
    else
        walk.verdict = ROUTES_SAME;
    if (to->bad && walk.verdict == ROUTES_CHANGED)
        walk.verdict = ROUTES_NO_MEMORY;
    if (walk.verdict != ROUTES_CHANGED)
        to->n = start;
    buffer_done(&key);
    buffer_done(&setting);
    return walk.verdict;
}

bool routes_know_postmaster(const struct routes *routes)
{
    return routes->conf->postmaster.n > 0 || routes_find(routes, BYTES("postmaster")) != NULL;
}

/* ---- made from a configuration */

static bool add_domain(struct routes *routes, struct bytes domain)
{
    const struct conf *conf = routes->conf;
    struct bytes server = BYTES_NONE;
    struct buffer key = buffer_with_most(LIMIT_PATH);
    struct conf_route route;
    bool twice;

    for (size_t i = 0; i < conf->lmtp.n; i++)
        if (conf_route_parse(conf->lmtp.list[i], &route)
            && (route.domain.n == 0 ? server.n == 0 : domain_equal(route.domain, domain)))
            server = conf->lmtp.list[i];
    domain_put_normal(domain, &key);
    for (size_t i = 0; i < conf->system_domains.n; i++)
        if (bytes_equal_nocase(conf->system_domains.list[i], buffer_bytes(&key)))
            server = system_users;
    buffer_put_char(&key, '@');
    bool added = !key.bad && (routes_add(routes, buffer_bytes(&key), server, &twice) || twice);
    buffer_done(&key);
    return added;
}

void routes_free(struct routes *routes)
{
    if (routes == NULL)
        return;
    mem_free(routes->rows);
    arena_done(&routes->arena);
    mem_free(routes);
}

struct routes *routes_new(const struct conf *conf, struct route_flaw *ret_flaw)
{
    struct routes *routes = mem_new(sizeof(*routes));
    bool well = routes != NULL;

    *ret_flaw = (struct route_flaw){ .words = "memory is short" };
    if (routes == NULL)
        return NULL;
    routes->conf = conf;
    routes->arena = arena_with_ceiling(ROUTE_MEMORY);
    well = grow(routes);
    for (size_t i = 0; well && i < conf->domains.n; i++)
        well = add_domain(routes, conf->domains.list[i]);
    if (well && routes_read_aliases(routes, ret_flaw) && routes_read_virtual(routes, ret_flaw))
        return routes;
    routes_free(routes);
    return NULL;
}
