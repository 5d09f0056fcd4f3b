/* SPDX-License-Identifier: ISC */
#include "host/box_int.h"
#include "host/box_calls.def"
#include "host/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Each attempt is made by a process of its own, in a box. What became of it is its wait status:
   the exit status is the errno of the attempt, 0 when it was allowed. */

enum { DIED = 1000 };           /* and the signal */

struct attempt {
    const char *name;
    unsigned may;               /* of the role */
    int (*try)(int folder);
    int wanted;                 /* 0, an errno, or DIED + signal */
};

static int said(long result)
{
    return result < 0 ? errno : 0;
}

static int try_write(int folder)
{
    int fd = openat(folder, "one", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool wrote = fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fsync(fd) == 0
              && renameat(folder, "one", folder, "two") == 0 && mkdirat(folder, "in", 0700) == 0
              && renameat(folder, "two", folder, "in/two") == 0
              && unlinkat(folder, "in/two", 0) == 0;

    return wrote ? 0 : errno;
}

static int try_look(int folder)
{
    return said(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int try_create(int folder)
{
    return said(openat(folder, "one", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int try_elsewhere(int folder)
{
    (void)folder;
    return said(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
}

static int try_above(int folder)
{
    return said(openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int try_socket(int folder)
{
    (void)folder;
    return said(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int try_packet(int folder)
{
    (void)folder;
    return said(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_memory(int folder)
{
    size_t n = 8 << 20;
    char *memory = mem_new(n);

    (void)folder;
    memory[n - 1] = 1;
    mem_free(memory);
    return 0;
}

static int try_code(int folder)
{
    (void)folder;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        == MAP_FAILED ? errno : 0;
}

static int try_clone3(int folder)
{
    (void)folder;
    return said(syscall(SYS_clone3, NULL, 0));
}

static int try_kill(int folder)
{
    (void)folder;
    return said(kill(getppid(), 0));
}

static int try_abort(int folder)
{
    (void)folder;
    abort();
}

static const struct attempt attempts[] = {
    { "a front has no files", MAY_SMTP, try_write, DIED + SIGSYS },
    { "a front opens nothing", MAY_SMTP, try_elsewhere, DIED + SIGSYS },
    { "a store writes in its folder", MAY_SPOOL, try_write, 0 },
    { "a store opens nothing elsewhere", MAY_SPOOL, try_elsewhere, EACCES },
    { "a store does not climb", MAY_SPOOL, try_above, EACCES },
    { "a store makes no socket", MAY_SPOOL, try_socket, DIED + SIGSYS },
    { "keys are looked at", MAY_KEYS, try_look, 0 },
    { "and not written", MAY_KEYS, try_create, EACCES },
    { "a relay makes a socket", MAY_CONNECT, try_socket, 0 },
    { "a relay makes no strange one", MAY_CONNECT, try_packet, DIED + SIGSYS },
    { "a relay has no files", MAY_CONNECT, try_write, DIED + SIGSYS },
    { "memory is there", MAY_SMTP, try_memory, 0 },
    { "but none to run", MAY_SMTP, try_code, DIED + SIGSYS },
    { "no process", MAY_SMTP, try_clone3, DIED + SIGSYS },
    { "no signal to others", MAY_SPOOL, try_kill, DIED + SIGSYS },
    { "an assert may fail", MAY_SMTP, try_abort, DIED + SIGABRT },
    { "libraries are told no", MAY_FOREIGN, try_kill, EPERM },
    { "libraries have no clone3", MAY_FOREIGN, try_clone3, ENOSYS },
};

static bool enter(unsigned may, int folder, struct box *box)
{
    static struct role_rights rights;

    rights = (struct role_rights){ .name = "test", .may = may };
    *box = (struct box){ .rights = &rights, .folders = { folder },
                         .n_folders = may & BOX_READS ? 1 : 0 };
    return box_enter(box) && box_close(box);
}

static int outcome(const struct attempt *attempt, int folder)
{
    pid_t pid = fork();
    struct box box;
    int status;

    if (pid == 0) {
        if (!enter(attempt->may, folder, &box))
            _exit(255);
        _exit(box.n_lacks > 0 && (box.calls == 0 || box.landlock == 0) ? 254
                                                                       : attempt->try(folder));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? DIED + WTERMSIG(status) : WEXITSTATUS(status);
}

static void what_is_forbidden_does_not_happen(void **state)
{
    char path[64];
    int folder, got;

    (void)state;
    if (BOX_IS_SANITIZED)
        skip();                 /* they need more than the product; the other build asks */
    testing_folder(path, sizeof(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < COUNT(attempts); i++) {
        got = outcome(&attempts[i], folder);
        if (got == 254) {
            print_message("# this kernel lacks seccomp or Landlock\n");
            continue;
        }
        if (got != attempts[i].wanted)
            fail_msg("%s: %d, wanted %d", attempts[i].name, got, attempts[i].wanted);
    }
    close(folder);
    testing_remove(path);
}

/* A thread made before the box closed is in it, too. */
static void *reach_out(void *of)
{
    int *go = of;
    char octet;

    if (read(go[0], &octet, 1) == 1)
        (void)syscall(SYS_getppid);
    return NULL;
}

static void threads_are_in_it(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        static struct role_rights rights = { .name = "test", .may = MAY_SPOOL };
        struct box box = { .rights = &rights };
        pthread_t thread;
        int go[2];
        if (pipe2(go, O_CLOEXEC) < 0 || !box_enter(&box)
            || pthread_create(&thread, NULL, reach_out, go) != 0 || !box_close(&box))
            _exit(255);
        if (write(go[1], "x", 1) != 1)
            _exit(255);
        pthread_join(thread, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* The frozen table: nothing that makes a process, changes an identity or reaches other processes,
   for whatever rights, and no call twice for the same role. */
static void the_table_names_nothing_dangerous(void **state)
{
    static const int calls[] = {
#define C(rights, call) SCMP_SYS(call),
        BOX_CALLS(C)
#undef C
    };
    static const int never[] = {
        SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(bpf),
        SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(userfaultfd),
        SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(mount), SCMP_SYS(unshare), SCMP_SYS(setns),
        SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(memfd_create),
        SCMP_SYS(open_by_handle_at), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
        SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown),
        SCMP_SYS(fchownat), SCMP_SYS(setuid), SCMP_SYS(setresuid), SCMP_SYS(prctl),
        SCMP_SYS(ioctl), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(listen),
        SCMP_SYS(seccomp), SCMP_SYS(symlinkat), SCMP_SYS(mknodat),
    };

    static const unsigned rights[] = {
#define C(rights, call) (rights),
        BOX_CALLS(C)
#undef C
    };

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++) {
        if (calls[i] == SCMP_SYS(bind))     /* a port to ask from, for who asks the DNS alone */
            assert_int_equal(rights[i], MAY_DNS);
        for (size_t j = 0; j < COUNT(never); j++)
            assert_int_not_equal(calls[i], never[j]);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(calls[i], calls[j]);
    }
}

static void limits_and_privileges_are_gone(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        static struct role_rights rights = { .name = "test", .may = MAY_CONTROL };
        struct box box = { .rights = &rights, .descriptors = 50 };
        struct rlimit files;
        if (!box_enter(&box))
            _exit(255);
        getrlimit(RLIMIT_NOFILE, &files);
        _exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ? 1
              : files.rlim_max != 50 ? 2
              : prctl(PR_CAPBSET_READ, 0, 0, 0, 0) != 0 && geteuid() == 0 ? 3
              : open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0 ? 4
              : !BOX_IS_SANITIZED && prctl(PR_GET_DUMPABLE) != 0 ? 5
              : box.no_network && connect(0, NULL, 0) == 0 ? 6 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_forbidden_does_not_happen),
        cmocka_unit_test(threads_are_in_it),
        cmocka_unit_test(the_table_names_nothing_dangerous),
        cmocka_unit_test(limits_and_privileges_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
