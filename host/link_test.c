/* SPDX-License-Identifier: ISC */
#include "host/actor.h"
#include "host/channel.h"
#include "host/testing.h"
#include "host/testing_role.h"
#include "role/wire.h"

#include <sys/socket.h>

/* Channels and links between roles of this process; what a peer sends that is no role of ours is
   raw. */

struct ground {
    struct log_sink *sink;
    struct loop *loop;
    struct actor *store, *front;
    struct spawner spawner;
    unsigned flaws;
    struct role_name flawed;
};

static const struct conf conf = { .connections = 10 };

static void on_flaw(struct spawner *spawner, struct role_name role)
{
    struct ground *ground =
        (struct ground *)(void *)((char *)spawner - offsetof(struct ground, spawner));

    ground->flaws++;
    ground->flawed = role;
}

static struct actor *actor_of(struct ground *ground, enum role_kind kind, uint32_t index)
{
    struct actor *actor = actor_new(ground->loop, (struct role_name){ kind, index }, &testing_ops,
                                    &conf);

    assert_non_null(actor);
    return actor;
}

static int begin(void **state)
{
    struct ground *ground = test_calloc(1, sizeof(*ground));

    ground->sink = log_sink_new(bytes_of("/dev/null"));
    ground->loop = loop_new(ground->sink);
    ground->spawner.flaw = on_flaw;
    ground->loop->spawner = &ground->spawner;
    ground->store = actor_of(ground, ROLE_STORE, 0);
    ground->front = actor_of(ground, ROLE_FRONT, 3);
    *state = ground;
    return 0;
}

static int end(void **state)
{
    struct ground *ground = *state;

    loop_free(ground->loop);
    log_sink_free(ground->sink);
    test_free(ground);
    return 0;
}

static void turns(struct ground *ground, unsigned n)
{
    while (n-- > 0)
        loop_turn(ground->loop, 1);
}

static struct testing_role *role_of(struct actor *actor)
{
    return actor->role;
}

static void tell(struct actor *from, enum role_kind kind, uint32_t index, enum wire_kind what,
                 const char *text)
{
    char head = (char)what;

    link_tell(from, (struct role_name){ kind, index }, (struct bytes){ &head, 1 }, bytes_of(text));
}

static void joined_roles_hear_each_other(void **state)
{
    struct ground *ground = *state;

    link_join(ground->front, ground->store);
    turns(ground, 1);
    assert_string_equal(role_of(ground->store)->peers, "+1.3 ");
    assert_string_equal(role_of(ground->front)->peers, "+2.0 ");
    tell(ground->front, ROLE_STORE, 0, WIRE_LETTER_MESSAGE, "a");
    tell(ground->front, ROLE_STORE, 0, WIRE_LETTER_MESSAGE, "b");
    tell(ground->store, ROLE_FRONT, 3, WIRE_LETTER_TAKEN_MESSAGE, "c");
    tell(ground->store, ROLE_LOCAL, 0, WIRE_JOB_BEGIN_MESSAGE, "nobody there: lost");
    turns(ground, 1);
    assert_string_equal(role_of(ground->store)->told, "1.3:a 1.3:b ");
    assert_string_equal(role_of(ground->front)->told, "2.0:c ");
    actor_free(ground->front);
    turns(ground, 1);
    assert_string_equal(role_of(ground->store)->peers, "+1.3 -1.3 ");
    tell(ground->store, ROLE_FRONT, 3, WIRE_LETTER_TAKEN_MESSAGE, "lost");
    turns(ground, 1);
}

static void only_those_that_may_speak_are_joined(void **state)
{
    struct ground *ground = *state;
    struct actor *admin = actor_of(ground, ROLE_ADMIN, 0);

    link_join(ground->front, admin);
    turns(ground, 1);
    assert_string_equal(role_of(admin)->peers, "");
}

static void what_is_not_allowed_is_a_flaw(void **state)
{
    struct ground *ground = *state;

    link_join(ground->front, ground->store);
    turns(ground, 1);
    tell(ground->front, ROLE_STORE, 0, WIRE_LETTER_TAKEN_MESSAGE, "x");
    turns(ground, 1);
    assert_int_equal(ground->flaws, 1);
    assert_int_equal(ground->flawed.kind, ROLE_FRONT);
    assert_int_equal(ground->flawed.index, 3);
    assert_string_equal(role_of(ground->store)->told, "");
}

static int other_end(struct ground *ground, struct actor *actor, struct role_name peer)
{
    int ends[2];

    (void)ground;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    link_open(actor, peer, ends[0]);
    return ends[1];
}

static const struct role_name front_5 = { ROLE_FRONT, 5 };

static void a_channel_carries_frames_both_ways(void **state)
{
    struct ground *ground = *state;
    char got[16];
    int fd = other_end(ground, ground->store, front_5);
    char frame[] = { 3, 0, 0, 0, WIRE_LETTER_MESSAGE, 'h', 'i' };

    assert_int_equal(send(fd, frame, sizeof(frame), 0), sizeof(frame));
    turns(ground, 2);
    assert_string_equal(role_of(ground->store)->peers, "+1.5 ");
    assert_string_equal(role_of(ground->store)->told, "1.5:hi ");
    tell(ground->store, ROLE_FRONT, 5, WIRE_LETTER_TAKEN_MESSAGE, "yes");
    turns(ground, 1);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 8);
    assert_memory_equal(got + 5, "yes", 3);
    close(fd);
    turns(ground, 2);
    assert_string_equal(role_of(ground->store)->peers, "+1.5 -1.5 ");
    assert_int_equal(ground->flaws, 0);
}

/* The new channel of a peer that was restarted comes before the end of the old one was seen: what
   the dead one sent still counts, then down, then up. */
static void a_new_channel_replaces_the_old(void **state)
{
    struct ground *ground = *state;
    int old = other_end(ground, ground->store, front_5);
    char frame[] = { 2, 0, 0, 0, WIRE_LETTER_MESSAGE, 'x' };

    turns(ground, 1);
    assert_int_equal(send(old, frame, sizeof(frame), 0), sizeof(frame));
    close(old);
    int new = other_end(ground, ground->store, front_5);
    assert_string_equal(role_of(ground->store)->told, "1.5:x ");
    turns(ground, 2);
    assert_string_equal(role_of(ground->store)->peers, "+1.5 -1.5 +1.5 ");
    frame[5] = 'y';
    assert_int_equal(send(new, frame, sizeof(frame), 0), sizeof(frame));
    turns(ground, 2);
    assert_string_equal(role_of(ground->store)->told, "1.5:x 1.5:y ");
    close(new);
}

static const struct { const char *name; char octets[8]; size_t n; } flaws[] = {
    { "no kind at all", { 1, 0, 0, 0, 0 }, 5 },
    { "an unknown kind", { 1, 0, 0, 0, 120 }, 5 },
    { "a kind that front may not send", { 1, 0, 0, 0, WIRE_LETTER_TAKEN_MESSAGE }, 5 },
    { "no length", { 0, 0, 0, 0 }, 4 },
    { "a length of 2^32 - 1", { -1, -1, -1, -1 }, 4 },
};

static void a_flawed_channel_is_closed_and_reported(void **state)
{
    struct ground *ground = *state;

    for (size_t i = 0; i < COUNT(flaws); i++) {
        int fd = other_end(ground, ground->store, front_5);
        assert_int_equal(send(fd, flaws[i].octets, flaws[i].n, 0), flaws[i].n);
        turns(ground, 2);
        if (ground->flaws != i + 1 || ground->flawed.index != 5)
            fail_msg("%s", flaws[i].name);
        assert_int_equal(recv(fd, (char[1]){ 0 }, 1, MSG_DONTWAIT), 0);
        close(fd);
    }
    assert_string_equal(role_of(ground->store)->told, "");
}

/* A peer that reads nothing is given up at a bound, not waited for. */
static void a_stuck_peer_is_reported(void **state)
{
    static char body[LIMIT_FRAME_BYTES - 1];
    struct ground *ground = *state;
    int fd = other_end(ground, ground->store, front_5);
    char head = WIRE_LETTER_TAKEN_MESSAGE;

    turns(ground, 1);
    for (unsigned i = 0; i < 1100; i++)
        link_tell(ground->store, front_5, (struct bytes){ &head, 1 },
                  (struct bytes){ body, sizeof(body) });
    turns(ground, 2);
    assert_int_equal(ground->flaws, 1);
    assert_string_equal(role_of(ground->store)->peers, "+1.5 -1.5 ");
    close(fd);
}

/* More than a socket holds at once, each way, neither waiting for the other. */
static void two_full_channels_move(void **state)
{
    static char body[LIMIT_FRAME_BYTES - 1];
    struct ground *ground = *state;
    int ends[2];
    char up = WIRE_LETTER_PART_MESSAGE, down = WIRE_LETTER_TAKEN_MESSAGE;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    link_open(ground->store, ground->front->name, ends[0]);
    link_open(ground->front, ground->store->name, ends[1]);
    for (unsigned i = 0; i < 100; i++) {
        link_tell(ground->front, ground->store->name, (struct bytes){ &up, 1 },
                  (struct bytes){ body, sizeof(body) });
        link_tell(ground->store, ground->front->name, (struct bytes){ &down, 1 },
                  (struct bytes){ body, sizeof(body) });
    }
    for (unsigned i = 0; i < 2000 && role_of(ground->front)->seen[EV_TOLD] < 100; i++)
        loop_turn(ground->loop, 1);
    turns(ground, 20);
    assert_int_equal(role_of(ground->front)->seen[EV_TOLD], 100);
    assert_int_equal(role_of(ground->store)->seen[EV_TOLD], 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joined_roles_hear_each_other, begin, end),
        cmocka_unit_test_setup_teardown(only_those_that_may_speak_are_joined, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_allowed_is_a_flaw, begin, end),
        cmocka_unit_test_setup_teardown(a_channel_carries_frames_both_ways, begin, end),
        cmocka_unit_test_setup_teardown(a_new_channel_replaces_the_old, begin, end),
        cmocka_unit_test_setup_teardown(a_flawed_channel_is_closed_and_reported, begin, end),
        cmocka_unit_test_setup_teardown(a_stuck_peer_is_reported, begin, end),
        cmocka_unit_test_setup_teardown(two_full_channels_move, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
