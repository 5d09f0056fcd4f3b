/* SPDX-License-Identifier: ISC */
#include "host/address.h"
#include "host/listen.h"
#include "host/testing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct { const char *entry; unsigned n; uint16_t port; uint8_t last; } entries[] = {
    { "127.0.0.1:2525", 1, 2525, 1 },
    { "0.0.0.0:25", 1, 25, 0 },
    { "[::1]:2525", 1, 2525, 1 },
    { "[2001:db8::25]:25", 1, 25, 0x25 },
    { "*:25", 2, 25, 0 },
    { "*:0", 2, 0, 0 },
    { "127.0.0.1", 0, 0, 0 },
    { "127.0.0.1:", 0, 0, 0 },
    { "127.0.0.1:65536", 0, 0, 0 },
    { "127.0.0.1:-1", 0, 0, 0 },
    { "127.0.0.1:25x", 0, 0, 0 },
    { "::1:25", 0, 0, 0 },
    { "[::1]", 0, 0, 0 },
    { "[]:25", 0, 0, 0 },
    { "[127.0.0.1]:25", 0, 0, 0 },
    { "[fe80::1%eth0]:25", 0, 0, 0 },
    { "localhost:25", 0, 0, 0 },
    { ":25", 0, 0, 0 },
    { "", 0, 0, 0 },
};

static void entries_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++) {
        struct net_address got[2] = { 0 };
        unsigned n = listen_parse(bytes_of(entries[i].entry), got);
        if (n != entries[i].n)
            fail_msg("%s: %u", entries[i].entry, n);
        if (n > 0) {
            assert_int_equal(got[0].port, entries[i].port);
            assert_int_equal(got[0].ip[15], entries[i].last);
        }
    }
}


static void opened(const char *entry, size_t copies, bool want, const char *says)
{
    static struct listen_set sets[4];
    struct bytes text = bytes_of(entry);
    struct conf_texts list = { &text, 1 };
    struct buffer words = buffer_with_most(4096);

    assert_int_equal(listen_open(list, copies, sets, &words), want);
    if (says != NULL && bytes_search(buffer_bytes(&words), bytes_of(says)) == words.n)
        fail_msg("%.*s", (int)words.n, words.at == NULL ? "" : words.at);
    if (want)
        listen_close(sets, copies);
    buffer_done(&words);
}

/* CFG-010: the setting and the reason are named, and nothing stays open. */
static void errors_name_the_setting(void **state)
{
    int busy = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct address_buffer at = { .n = sizeof(at.at) };
    struct net_address address = { .ip = { [10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1 } };
    char entry[64];
    int one = 1;

    (void)state;
    /* A server that shares its port, as ours does, is still another server. */
    setsockopt(busy, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    at = address_write(&address);
    assert_int_equal(bind(busy, &at.at.any, at.n), 0);
    assert_int_equal(listen(busy, 1), 0);
    assert_true(address_of_socket(busy, &address));
    snprintf(entry, sizeof(entry), "127.0.0.1:%u", address.port);
    opened(entry, 1, false, "listen 127.0.0.1:");
    opened(entry, 1, false, "in use");
    opened(entry, 2, false, "in use");
    close(busy);
    opened(entry, 2, true, NULL);
    opened("192.0.2.1:0", 1, false, "assign");
    opened("nonsense", 1, false, "expected ADDRESS:PORT");
    opened("*:0", 2, true, NULL);
}

static void every_front_has_the_same_port(void **state)
{
    static struct listen_set sets[3];
    struct bytes text = BYTES("127.0.0.1:0");
    struct buffer words = buffer_with_most(4096);
    struct net_address first, other;

    (void)state;
    assert_true(listen_open((struct conf_texts){ &text, 1 }, 3, sets, &words));
    assert_true(address_of_socket(sets[0].fds[0], &first));
    for (size_t i = 1; i < 3; i++) {
        assert_true(address_of_socket(sets[i].fds[0], &other));
        assert_int_equal(other.port, first.port);
    }
    listen_close(sets, 3);
    buffer_done(&words);
}

/* CFG-010: what stays is the same socket; a change that fails leaves all as it was. */
static void a_change_is_whole(void **state)
{
    static struct listen_set sets[2];
    struct bytes two[] = { BYTES("127.0.0.1:0"), BYTES("127.0.0.2:0") };
    struct bytes other[] = { BYTES("127.0.0.3:0"), BYTES("127.0.0.2:0") };
    struct bytes wrong[] = { BYTES("127.0.0.4:0"), BYTES("192.0.2.1:25") };
    struct conf_texts first = { two, 2 }, next = { other, 2 }, bad = { wrong, 2 };
    struct buffer words = buffer_with_most(4096);

    (void)state;
    assert_true(listen_open(first, 2, sets, &words));
    struct listen_set was[2] = { sets[0], sets[1] };
    int free_before = dup(0);
    close(free_before);
    assert_false(listen_change(first, bad, 2, sets, &words));
    assert_true(bytes_search(buffer_bytes(&words), BYTES("192.0.2.1:25: ")) < words.n);
    assert_memory_equal(was, sets, sizeof(was));
    int free_after = dup(0);
    close(free_after);
    assert_int_equal(free_after, free_before);      /* nothing is left open */
    assert_true(listen_change(first, next, 2, sets, &words));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sets[i].n, 2);
        assert_int_equal(sets[i].fds[1], was[i].fds[1]);
        assert_int_equal(sets[i].entries[1], 1);
    }
    assert_true(listen_change(next, (struct conf_texts){ NULL, 0 }, 2, sets, &words));
    assert_int_equal(sets[0].n, 0);
    buffer_done(&words);
}

static int control(const char *folder, const char *name, const char *says)
{
    char path[256];
    struct buffer words = buffer_with_most(4096);

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = listen_control(bytes_of(path), &words);
    if (says != NULL && bytes_search(buffer_bytes(&words), bytes_of(says)) == words.n)
        fail_msg("%.*s", (int)words.n, words.at == NULL ? "" : words.at);
    buffer_done(&words);
    return fd;
}

static void the_control_socket_replaces_only_the_dead(void **state)
{
    char folder[64], path[128];
    struct stat found;

    (void)state;
    testing_folder(folder, sizeof(folder));
    int first = control(folder, "run/deep/control", NULL);
    assert_true(first >= 0);
    snprintf(path, sizeof(path), "%s/run/deep/control", folder);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
    assert_int_equal(control(folder, "run/deep/control", "another server answers"), -1);
    close(first);
    int second = control(folder, "run/deep/control", NULL);
    assert_true(second >= 0);
    close(second);
    snprintf(path, sizeof(path), "%s/file", folder);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(control(folder, "file", "something else"), -1);
    assert_int_equal(access(path, F_OK), 0);
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(control(folder, path, "107 octets"), -1);
    testing_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read),
        cmocka_unit_test(errors_name_the_setting),
        cmocka_unit_test(every_front_has_the_same_port),
        cmocka_unit_test(a_change_is_whole),
        cmocka_unit_test(the_control_socket_replaces_only_the_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
