/* SPDX-License-Identifier: ISC */
#include "host/drill_int.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void path_of(char *to, size_t room, const struct prey *prey, const char *name)
{
    snprintf(to, room, "%s/%s", prey->folder, name);
}

static long look_in(const struct prey *prey, const char *name, int flags)
{
    char path[300];

    path_of(path, sizeof(path), prey, name);
    return open(path, flags | O_CLOEXEC, 0600);
}

static long open_shadow(const struct prey *prey)
{
    (void)prey;
    return open("/etc/shadow", O_RDONLY | O_CLOEXEC);
}

static long open_passwd(const struct prey *prey)
{
    (void)prey;
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long list_spool(const struct prey *prey)
{
    return look_in(prey, "spool", O_RDONLY | O_DIRECTORY);
}

static long list_mail(const struct prey *prey)
{
    return look_in(prey, "mail", O_RDONLY | O_DIRECTORY);
}

static long plant_file(const struct prey *prey)
{
    return look_in(prey, "planted", O_WRONLY | O_CREAT);
}

static long change_conf(const struct prey *prey)
{
    return look_in(prey, "postern.conf", O_WRONLY);
}

static long chmod_conf(const struct prey *prey)
{
    char path[300];

    path_of(path, sizeof(path), prey, "postern.conf");
    return fchmodat(AT_FDCWD, path, 0666, 0);
}

static long dial(int type)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static long connect_tcp(const struct prey *prey)
{
    (void)prey;
    return dial(SOCK_STREAM);
}

static long send_udp(const struct prey *prey)
{
    (void)prey;
    return dial(SOCK_DGRAM);
}

static long connect_unix(const struct prey *prey)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    char path[300] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    path_of(path, sizeof(path), prey, "control");
    memcpy(to.sun_path, path, sizeof(to.sun_path) - 1);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static long raw_socket(const struct prey *prey)
{
    (void)prey;
    return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

static long listen_anew(const struct prey *prey)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)prey;
    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : listen(fd, 1);
}

static long run_program(const struct prey *prey)
{
    char *words[] = { "true", NULL };

    (void)prey;
    return execve("/bin/true", words, NULL);
}

/* Ten at most, and each ends at once. */
static long fork_bomb(const struct prey *prey)
{
    long made = -1;

    (void)prey;
    for (unsigned i = 0; i < 10; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid > 0)
            made = waitpid(pid, NULL, 0);
    }
    return made;
}

static void *nothing(void *of)
{
    return of;
}

static long make_thread(const struct prey *prey)
{
    pthread_t thread;

    (void)prey;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 ? 0 : -1;
}

static long trace_sibling(const struct prey *prey)
{
    return ptrace(PTRACE_ATTACH, prey->pid, NULL, NULL);
}

static long kill_sibling(const struct prey *prey)
{
    return kill(prey->pid, SIGWINCH);
}

static long memory_of_sibling(const struct prey *prey)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", prey->pid);
    return open(path, O_RDWR | O_CLOEXEC);
}

static long read_sibling(const struct prey *prey)
{
    char octet;
    struct iovec to = { &octet, 1 }, from = { (void *)&read_sibling, 1 };

    return process_vm_readv(prey->pid, &to, 1, &from, 1, 0);
}

static long descriptors_of_sibling(const struct prey *prey)
{
    return syscall(SYS_pidfd_open, prey->pid, 0);
}

static long open_by_handle(const struct prey *prey)
{
    struct { struct file_handle head; unsigned char room[8]; } handle = { { 8, 1, { } }, { 2 } };

    (void)prey;
    return open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY | O_CLOEXEC);
}

static long mount_one(const struct prey *prey)
{
    return mount("none", prey->folder, "tmpfs", 0, NULL);
}

static long new_user_namespace(const struct prey *prey)
{
    (void)prey;
    return unshare(CLONE_NEWUSER);
}

static long back_to_the_network(const struct prey *prey)
{
    (void)prey;
    return setns(0, CLONE_NEWNET);
}

static long io_uring(const struct prey *prey)
{
    char parameters[120] = "";

    (void)prey;
    return syscall(SYS_io_uring_setup, 1, parameters);
}

static long load_bpf(const struct prey *prey)
{
    char attributes[128] = { BPF_MAP_TYPE_ARRAY };

    (void)prey;
    return syscall(SYS_bpf, BPF_MAP_CREATE, attributes, sizeof(attributes));
}

static long become_root(const struct prey *prey)
{
    (void)prey;
    return setresuid(0, 0, 0);
}

/* Also where we are uid 0 already: that must be worth nothing. */
static long take_capabilities(const struct prey *prey)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { { 1, 1, 1 }, { 0 } };

    (void)prey;
    return syscall(SYS_capset, &head, sets);
}

static long run_memory(const struct prey *prey)
{
    (void)prey;
    return memfd_create("code", MFD_CLOEXEC);
}

static long map_code(const struct prey *prey)
{
    (void)prey;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        == MAP_FAILED ? -1 : 0;
}

static long make_executable(const struct prey *prey)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)prey;
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long read_keyring(const struct prey *prey)
{
    (void)prey;
    return syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0);
}

static long catch_faults(const struct prey *prey)
{
    (void)prey;
    return syscall(SYS_userfaultfd, O_CLOEXEC);
}

static long change_root(const struct prey *prey)
{
    return chroot(prey->folder);
}

static long raise_limits(const struct prey *prey)
{
    struct rlimit limit = { 1 << 20, 1 << 20 };

    (void)prey;
    return setrlimit(RLIMIT_NPROC, &limit);
}

static long type_into_terminal(const struct prey *prey)
{
    (void)prey;
    return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static long undo_the_box(const struct prey *prey)
{
    (void)prey;
    return prctl(PR_SET_DUMPABLE, 1);
}

static const struct {
    const char *name;
    long (*try)(const struct prey *prey);
} tries[] = {
    { "open /etc/shadow", open_shadow }, { "open /etc/passwd", open_passwd },
    { "list the spool", list_spool }, { "list the mail root", list_mail },
    { "write beside the log", plant_file }, { "change the configuration", change_conf },
    { "chmod", chmod_conf }, { "connect by TCP", connect_tcp }, { "send by UDP", send_udp },
    { "connect to a unix socket", connect_unix }, { "raw socket", raw_socket },
    { "listen on a new port", listen_anew }, { "execve", run_program },
    { "fork, ten times", fork_bomb }, { "a new thread", make_thread },
    { "ptrace a sibling", trace_sibling }, { "signal a sibling", kill_sibling },
    { "open a sibling's memory", memory_of_sibling }, { "read a sibling's memory", read_sibling },
    { "a sibling's descriptors", descriptors_of_sibling },
    { "open_by_handle_at", open_by_handle }, { "mount", mount_one }, { "chroot", change_root },
    { "a user namespace", new_user_namespace }, { "another network", back_to_the_network },
    { "io_uring", io_uring }, { "bpf", load_bpf }, { "setuid 0", become_root },
    { "capabilities", take_capabilities }, { "a file in memory, to run", run_memory },
    { "map memory to run", map_code }, { "make memory runnable", make_executable },
    { "the keyring", read_keyring }, { "userfaultfd", catch_faults },
    { "raise the limits", raise_limits }, { "type into the terminal", type_into_terminal },
    { "undo the box", undo_the_box },
};

const size_t drill_attempts = COUNT(tries);

const char *drill_name(size_t number)
{
    return tries[number].name;
}

long drill_try(size_t number, const struct prey *prey)
{
    return tries[number].try(prey);
}
