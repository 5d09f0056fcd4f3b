/* SPDX-License-Identifier: ISC */
#include "host/users.h"
#include "host/testing.h"

#include <fcntl.h>
#include <sys/stat.h>

static const struct user new_owner = { 64999, 64999 };

static uid_t owner(int folder, const char *name)
{
    struct stat found;

    assert_int_equal(fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW), 0);
    return found.st_uid;
}

static void make(int folder, const char *name, uid_t uid)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fchownat(folder, name, uid, 0, AT_SYMLINK_NOFOLLOW), 0);
}

/* Root is led nowhere by what somebody put below a folder it gives away. */
static void roots_own_is_given_and_nothing_else(void **state)
{
    char path[64];
    int folder;

    (void)state;
    if (geteuid() != 0)
        skip();                 /* only root may give */
    testing_folder(path, sizeof(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(folder, "spool", 0700), 0);
    assert_int_equal(mkdirat(folder, "spool/log", 0700), 0);
    assert_int_equal(mkdirat(folder, "spool/theirs", 0777), 0);
    make(folder, "spool/log/1", 0);
    make(folder, "spool/theirs/trap", 0);
    assert_int_equal(fchownat(folder, "spool/theirs", 65534, 65534, 0), 0);
    make(folder, "outside", 0);
    make(folder, "linked", 0);
    assert_int_equal(linkat(folder, "linked", folder, "spool/second", 0), 0);
    assert_int_equal(symlinkat("../outside", folder, "spool/link"), 0);
    assert_int_equal(symlinkat("/etc", folder, "spool/etc"), 0);
    int spool = openat(folder, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(users_give(spool, new_owner));
        assert_int_equal(owner(folder, "spool"), new_owner.uid);
        assert_int_equal(owner(folder, "spool/log"), new_owner.uid);
        assert_int_equal(owner(folder, "spool/log/1"), new_owner.uid);
        assert_int_equal(owner(folder, "spool/theirs"), 65534);
        assert_int_equal(owner(folder, "spool/theirs/trap"), 0);
        assert_int_equal(owner(folder, "outside"), 0);
        assert_int_equal(owner(folder, "linked"), 0);
        assert_int_equal(owner(folder, "spool/link"), 0);
        assert_int_equal(owner(AT_FDCWD, "/etc"), 0);
    }
    close(spool);
    close(folder);
    testing_remove(path);
}

static void users_are_found_by_role(void **state)
{
    char name[USER_NAME_MOST];
    struct user user;

    (void)state;
    users_name("front", name);
    assert_string_equal(name, "postern-front");
    assert_false(users_find("no-such-role", &user));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_own_is_given_and_nothing_else),
        cmocka_unit_test(users_are_found_by_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
