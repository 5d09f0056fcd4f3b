/* SPDX-License-Identifier: ISC
 *
 * A domain that is down for two days: when it is tried, and when its sender hears of it, to the
 * millisecond of virtual time. The roles are all as they are; no fault falls. */
#include "base/plant.h"
#include "mail/envelope.h"
#include "role/wire.h"
#include "sim/asker.h"
#include "sim/net.h"
#include "sim/world.h"
#include "sim/zone.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum plant planted_fault = PLANT_none;

enum { TRIES_MOST = 200, SLACK_MS = 50, DISK_MS = 1000, JITTER = 10 };
enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

/* One letter, and what is seen of it. */
static struct {
    struct world *world;
    struct conn *conn;
    size_t said;                /* lines of the client's */
    uint64_t taken_ms;          /* the 250 */
    uint64_t begins_ms[TRIES_MOST], ends_ms[TRIES_MOST];
    size_t begins_n, ends_n, dials;
    uint64_t delayed_ms, failed_ms;
    unsigned reports;
} seen;

static uint64_t now_ms(void)
{
    return world_now_us(seen.world) / 1000;
}

static bool settings(const struct world_plan *plan, uint64_t n, struct arena *arena,
                     struct conf *ret_conf)
{
    struct conf_flaw flaw;

    return conf_read(BYTES("host mx.example.org\ndomain example.org\nmailboxes /mail\n"
                           "spool /spool\nspace-reserve 1M\nrelay-from 192.0.2.0/24 ::/0\n"),
                     BYTES("/"), arena, ret_conf, &flaw);
}

/* ---- the client: one line for each reply */

static void on_opened(void *client)
{
    (void)client;
}

static void on_closed(void *client)
{
    (void)client;
}

static void on_bytes(void *client, struct bytes bytes)
{
    static const char *const lines[] = {
        "HELO client.example\r\n", "MAIL FROM:<reports@example.org>\r\n",
        "RCPT TO:<ann@plain.example>\r\n", "DATA\r\n", "Subject: two days\r\n\r\nx\r\n.\r\n",
        "QUIT\r\n",
    };

    (void)client;
    if (!bytes_ends(bytes, BYTES("\r\n")) || seen.said == COUNT(lines))
        return;
    if (seen.said == COUNT(lines) - 1)
        seen.taken_ms = bytes_begins(bytes, BYTES("250")) ? now_ms() : 0;
    net_send(seen.conn, bytes_of(lines[seen.said++]));
}

/* ---- what is overheard */

static void on_report(struct bytes text)
{
    bool delayed = bytes_search(text, BYTES("\nAction: delayed\r\n")) < text.n;

    seen.reports++;
    *(delayed ? &seen.delayed_ms : &seen.failed_ms) = now_ms();
}

static void on_frame(void *ctx, struct role_name from, struct role_name to, struct bytes frame)
{
    struct wire_job_begin begin;
    struct wire_job_part part;
    struct wire_job_result result;

    (void)ctx;
    if (to.kind == ROLE_RELAY && wire_read_job_begin(frame, &begin) && seen.begins_n < TRIES_MOST)
        seen.begins_ms[seen.begins_n++] = now_ms();
    if (from.kind == ROLE_RELAY && wire_read_job_result(frame, &result)
        && seen.ends_n < TRIES_MOST)
        seen.ends_ms[seen.ends_n++] = now_ms();
    if (to.kind == ROLE_LOCAL && wire_read_job_part(frame, &part))
        on_report(part.text);
}

static void *on_dial(void *ctx, struct conn *conn, const struct net_address *at,
                     const struct net_client **ret_ops)
{
    (void)ctx;
    (void)conn;
    (void)at;
    (void)ret_ops;
    seen.dials++;
    return NULL;
}

/* ---- */

static void make_folders(void *ctx)
{
    struct disk *disk = world_disk(seen.world);

    (void)ctx;
    assert_int_equal(disk_mkdir(disk, IN_MAIL, BYTES("example.org")), OK);
    assert_int_equal(disk_mkdir(disk, IN_MAIL, BYTES("example.org/reports")), OK);
}

static void run_hours(uint64_t hours)
{
    static const struct net_client ops = { on_opened, on_bytes, on_closed };
    struct world_plan plan = {
        .seed = 1, .settings = settings, .fronts = 1, .odds = odds_none(), .order = DISK_JOURNAL,
        .cast = { [ROLE_FRONT] = &front_ops, [ROLE_STORE] = &store_ops, [ROLE_LOCAL] = &local_ops,
                  [ROLE_ADMIN] = &asker_ops, [ROLE_RELAY] = &relay_ops,
                  [ROLE_NAMES] = &names_ops, [ROLE_FETCH] = &fetch_ops } };

    memset(&seen, 0, sizeof(seen));
    seen.world = world_new(&plan);
    struct zone *zone = zone_new(seen.world);
    world_watch(seen.world, (struct world_watch){ .power = make_folders, .frame = on_frame });
    net_serve(seen.world, NET_ADDRESSES, (struct net_server){ on_dial, NULL });
    world_boot(seen.world);
    seen.conn = NULL;
    uint64_t until_ms = now_ms() + hours * HOUR;
    while (now_ms() < until_ms && world_next(seen.world))
        if (seen.conn == NULL && now_ms() > until_ms - hours * HOUR + 2000)
            seen.conn = net_dial(seen.world, 0, &ops, &seen);
    if (world_broken(seen.world) != NULL)
        fail_msg("%s", world_broken(seen.world));
    world_free(seen.world);
    zone_free(zone);
}

static void assert_about(const char *what, size_t n, uint64_t is_ms, uint64_t least_ms,
                         uint64_t most_ms)
{
    if (is_ms < least_ms || is_ms > most_ms + SLACK_MS)
        fail_msg("%s %zu: %.3f s, wanted %.3f to %.3f", what, n, (double)is_ms / 1e3,
                 (double)least_ms / 1e3, (double)most_ms / 1e3);
}

static void two_days_and_no_more(void **state)
{
    static const uint64_t first[] = { MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE };
    const uint64_t late_ms = 4 * HOUR, end_ms = 48 * (uint64_t)HOUR;

    (void)state;
    run_hours(60);
    assert_true(seen.taken_ms > 0);
    assert_int_equal(seen.begins_n, seen.ends_n);
    assert_true(seen.begins_n >= 46 && seen.begins_n <= 60);
    assert_true(seen.dials >= 2 * seen.begins_n);       /* each try dials, whatever rests */
    for (size_t i = 1; i < seen.begins_n; i++) {
        uint64_t wait_ms = seen.begins_ms[i] - seen.ends_ms[i - 1];
        uint64_t age_ms = seen.begins_ms[i] - seen.taken_ms;
        bool cut = i + 1 == seen.begins_n
                || (age_ms >= late_ms - SLACK_MS && age_ms <= late_ms + SLACK_MS);
        if (i <= COUNT(first))
            assert_about("retry", i, wait_ms, first[i - 1], first[i - 1]);
        else
            assert_about("retry", i, wait_ms, cut ? 0 : HOUR - HOUR / 100 * JITTER,
                         HOUR + HOUR / 100 * JITTER);
    }
    assert_about("last try", seen.begins_n, seen.begins_ms[seen.begins_n - 1] - seen.taken_ms,
                 end_ms - SLACK_MS, end_ms);
    assert_about("delay report", 1, seen.delayed_ms - seen.taken_ms, late_ms - SLACK_MS,
                 late_ms + DISK_MS);
    assert_about("final report", 1, seen.failed_ms - seen.taken_ms, end_ms - SLACK_MS,
                 end_ms + DISK_MS);
    assert_int_equal(seen.reports, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_days_and_no_more),
    };

    return cmocka_run_group_tests_name("sim/patience", tests, NULL, NULL);
}
