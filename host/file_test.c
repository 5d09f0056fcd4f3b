/* SPDX-License-Identifier: ISC */
#include "host/fault.h"
#include "host/file.h"
#include "host/path.h"
#include "host/testing.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct ground {
    char folder[64];
    struct files files;
};

static int begin(void **state)
{
    struct ground *ground = test_malloc(sizeof(*ground));

    testing_folder(ground->folder, sizeof(ground->folder));
    files_init(&ground->files);
    for (unsigned i = 0; i < IO_ROOTS; i++)
        ground->files.roots[i] = open(ground->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = ground;
    return 0;
}

static int end(void **state)
{
    struct ground *ground = *state;

    path_without_openat2(false);
    files_done(&ground->files);
    testing_remove(ground->folder);
    test_free(ground);
    return 0;
}

static struct file_result run(struct ground *ground, struct io io)
{
    return file_run(&ground->files, &io);
}

static enum fault run_named(struct ground *ground, enum io_kind kind, const char *name,
                            const char *to)
{
    struct file_result result = run(ground, (struct io){
        .kind = kind, .name = bytes_of(name), .to = bytes_of(to == NULL ? "" : to) });

    mem_free(result.data);
    return result.fault;
}

static enum fault put(struct ground *ground, uint32_t file, uint64_t offset, const char *text)
{
    char *data = mem_new(strlen(text));

    memcpy(data, text, strlen(text));
    struct file_result result = run(ground, (struct io){
        .kind = IO_WRITE, .file = file, .offset = offset, .data = data, .data_n = strlen(text) });
    mem_free(data);
    return result.fault;
}

static void make(struct ground *ground, const char *name, const char *text)
{
    assert_int_equal(run_named(ground, IO_CREATE, name, NULL), OK);
    assert_int_equal(put(ground, 0, 0, text), OK);
    assert_int_equal(run(ground, (struct io){ .kind = IO_CLOSE }).fault, OK);
}

static void make_strange(struct ground *ground)
{
    int root = ground->files.roots[IN_SPOOL];

    assert_int_equal(mkdirat(root, "d", 0700), 0);
    make(ground, "d/f", "text");
    make(ground, "twice", "text");
    make(ground, "open", "text");
    assert_int_equal(linkat(root, "twice", root, "also", 0), 0);
    assert_int_equal(fchmodat(root, "open", 0666, 0), 0);
    assert_int_equal(symlinkat("d/f", root, "link"), 0);
    assert_int_equal(symlinkat("d", root, "dlink"), 0);
    assert_int_equal(symlinkat("/etc", root, "out"), 0);
    assert_int_equal(mkfifoat(root, "fifo", 0600), 0);
}

/* SPL-007: what is no file of ours is refused, and nothing blocks. Both ways of resolving agree. */
static const struct { enum io_kind kind; const char *name, *to; enum fault want; } names[] = {
    { IO_OPEN, "d/f", NULL, OK },
    { IO_OPEN, "none", NULL, FAULT_GONE },
    { IO_OPEN, "none/f", NULL, FAULT_GONE },
    { IO_OPEN, "d/f/g", NULL, FAULT_GONE },
    { IO_OPEN, "d", NULL, FAULT_DENIED },
    { IO_OPEN, "", NULL, FAULT_DENIED },
    { IO_OPEN, "fifo", NULL, FAULT_DENIED },
    { IO_OPEN, "link", NULL, FAULT_DENIED },
    { IO_OPEN, "dlink/f", NULL, FAULT_DENIED },
    { IO_OPEN, "out/passwd", NULL, FAULT_DENIED },
    { IO_OPEN, "twice", NULL, FAULT_DENIED },
    { IO_OPEN, "open", NULL, FAULT_DENIED },
    { IO_OPEN, "../d/f", NULL, FAULT_DENIED },
    { IO_OPEN, "d/../d/f", NULL, FAULT_DENIED },
    { IO_OPEN, "/etc/passwd", NULL, FAULT_DENIED },
    { IO_OPEN, "d//f", NULL, FAULT_DENIED },
    { IO_OPEN, "d/f/", NULL, FAULT_DENIED },
    { IO_OPEN, "./d", NULL, FAULT_DENIED },
    { IO_CREATE, "d/f", NULL, FAULT_EXISTS },
    { IO_CREATE, "link", NULL, FAULT_EXISTS },
    { IO_CREATE, "none/f", NULL, FAULT_GONE },
    { IO_CREATE, "dlink/new", NULL, FAULT_DENIED },
    { IO_CREATE, "..", NULL, FAULT_DENIED },
    { IO_MKDIR, "d", NULL, OK },
    { IO_MKDIR, "d/f", NULL, FAULT_EXISTS },
    { IO_MKDIR, "dlink", NULL, FAULT_EXISTS },
    { IO_MKDIR, "none/d", NULL, FAULT_GONE },
    { IO_MKDIR, "out/d", NULL, FAULT_DENIED },
    { IO_UNLINK, "none", NULL, FAULT_GONE },
    { IO_UNLINK, "d", NULL, FAULT_DENIED },
    { IO_UNLINK, "", NULL, FAULT_DENIED },
    { IO_RENAME, "none", "x", FAULT_GONE },
    { IO_RENAME, "d/f", "none/x", FAULT_GONE },
    { IO_RENAME, "d/f", "../x", FAULT_DENIED },
    { IO_RENAME, "d/f", "out/x", FAULT_DENIED },
    { IO_LINK_NEW, "d/f", "link", FAULT_EXISTS },
    { IO_LINK_NEW, "d/f", "dlink/x", FAULT_DENIED },
    { IO_SYNC_DIR, "", NULL, OK },
    { IO_SYNC_DIR, "d", NULL, OK },
    { IO_SYNC_DIR, "none", NULL, FAULT_GONE },
    { IO_SYNC_DIR, "d/f", NULL, FAULT_GONE },
    { IO_LIST, "none", NULL, FAULT_GONE },
    { IO_STAT, "d/f", NULL, OK },
    { IO_STAT, "none", NULL, FAULT_GONE },
    { IO_STAT, "fifo", NULL, FAULT_DENIED },
    { IO_STAT, "link", NULL, FAULT_DENIED },
    { IO_STAT, "dlink/f", NULL, FAULT_DENIED },
};

static void names_stay_below(void **state)
{
    struct ground *ground = *state;

    make_strange(ground);
    for (unsigned older = 0; older < 2; older++) {
        path_without_openat2(older);
        for (size_t i = 0; i < COUNT(names); i++) {
            enum fault fault = run_named(ground, names[i].kind, names[i].name, names[i].to);
            if (fault != names[i].want)
                fail_msg("row %zu, %s: %s", i, names[i].name, fault_name(fault));
        }
    }
}

struct swapper {
    int root;
    _Atomic bool over;
};

/* The folder and the link change places, as fast as it goes. */
static void *swap(void *of)
{
    struct swapper *swapper = of;

    while (!swapper->over)
        (void)renameat2(swapper->root, "box", swapper->root, "lure", RENAME_EXCHANGE);
    return NULL;
}

/* LDA-002: between look and use a folder becomes a link to another; nothing is made over there. */
static void a_folder_that_turns_into_a_link_leads_nowhere(void **state)
{
    enum { TRIES = 100 * 1000 };
    struct ground *ground = *state;
    struct swapper swapper = { .root = ground->files.roots[IN_SPOOL] };
    unsigned made = 0, refused = 0;
    pthread_t thread;

    assert_int_equal(mkdirat(swapper.root, "box", 0700), 0);
    assert_int_equal(mkdirat(swapper.root, "outside", 0700), 0);
    assert_int_equal(symlinkat("outside", swapper.root, "lure"), 0);
    assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
    for (unsigned i = 0; i < TRIES; i++) {
        path_without_openat2(i % 2 == 0);
        enum fault fault = run_named(ground, IO_CREATE, "box/letter", NULL);
        made += fault == OK;
        refused += fault == FAULT_DENIED;
        (void)run(ground, (struct io){ .kind = IO_CLOSE });
        assert_int_equal(faccessat(swapper.root, "outside/letter", F_OK, 0), -1);
        (void)run_named(ground, IO_UNLINK, "box/letter", NULL);
        (void)run_named(ground, IO_UNLINK, "lure/letter", NULL);
    }
    swapper.over = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(made > 0 && refused > 0);
}

static void a_nul_or_a_long_name_is_refused(void **state)
{
    struct ground *ground = *state;
    char name[300];

    memset(name, 'a', sizeof(name));
    assert_int_equal(run(ground, (struct io){ .kind = IO_STAT, .name = { "a\0b", 3 } }).fault,
                     FAULT_DENIED);
    assert_int_equal(run(ground, (struct io){ .kind = IO_STAT, .name = { name, 300 } }).fault,
                     FAULT_GONE);
}

static void written_is_read(void **state)
{
    struct ground *ground = *state;
    struct file_result result;

    assert_int_equal(run_named(ground, IO_CREATE, "f", NULL), OK);
    assert_int_equal(put(ground, 0, 0, "0123456789"), OK);
    assert_int_equal(put(ground, 0, 4, "abc"), OK);
    assert_int_equal(run(ground, (struct io){ .kind = IO_SYNC }).fault, OK);
    result = run(ground, (struct io){ .kind = IO_READ, .offset = 2, .count = 100 });
    assert_int_equal(result.number, 8);
    assert_memory_equal(result.data, "23abc789", 8);
    mem_free(result.data);
    assert_int_equal(run(ground, (struct io){ .kind = IO_TRUNCATE, .count = 3 }).fault, OK);
    result = run(ground, (struct io){ .kind = IO_OPEN, .file = 5, .name = BYTES("f") });
    assert_int_equal(result.fault, OK);
    assert_int_equal(result.number, 3);
    assert_int_equal(run(ground, (struct io){ .kind = IO_CLOSE, .file = 5 }).fault, OK);
    assert_int_equal(run(ground, (struct io){ .kind = IO_CLOSE, .file = 5 }).fault, FAULT_GONE);
    assert_int_equal(run(ground, (struct io){ .kind = IO_SYNC, .file = 5 }).fault, FAULT_GONE);
}

static void an_extended_file_has_no_holes(void **state)
{
    struct ground *ground = *state;
    const off_t size = (3 << 20) + 17;
    int fd;

    assert_int_equal(run_named(ground, IO_CREATE, "f", NULL), OK);
    assert_int_equal(put(ground, 0, 2 << 20, "behind a hole"), OK);
    struct io extend = { .kind = IO_EXTEND, .count = (uint64_t)size };
    assert_int_equal(run(ground, extend).fault, OK);
    fd = atomic_load(&ground->files.slots[0]);
    assert_int_equal(lseek(fd, 0, SEEK_END), size);
    assert_int_equal(lseek(fd, 0, SEEK_HOLE), size);
    struct file_result result = run(ground, (struct io){
        .kind = IO_READ, .offset = (2 << 20) - 1, .count = 15 });
    assert_memory_equal(result.data, "\0behind a hole\0", 15);
    mem_free(result.data);
    assert_int_equal(run(ground, (struct io){ .kind = IO_EXTEND, .count = 5 }).fault, OK);
    assert_int_equal(lseek(fd, 0, SEEK_END), size);
}

static void names_change(void **state)
{
    struct ground *ground = *state;
    struct file_result result;

    make(ground, "a", "one");
    make(ground, "b", "two");
    assert_int_equal(run_named(ground, IO_MKDIR, "d", NULL), OK);
    assert_int_equal(run_named(ground, IO_RENAME, "a", "b"), OK);
    assert_int_equal(run_named(ground, IO_LINK_NEW, "b", "d/c"), OK);
    assert_int_equal(run_named(ground, IO_STAT, "b", NULL), FAULT_GONE);
    make(ground, "e", "");
    result = run(ground, (struct io){ .kind = IO_LIST, .name = BYTES("") });
    assert_int_equal(result.data_n, 4);
    assert_memory_equal(result.data, "d\ne\n", 4);
    mem_free(result.data);
    assert_int_equal(run(ground, (struct io){ .kind = IO_STAT, .name = BYTES("d") }).number, 1);
    assert_int_equal(run(ground, (struct io){ .kind = IO_STAT, .name = BYTES("e") }).number, 2);
    assert_int_equal(run_named(ground, IO_UNLINK, "e", NULL), OK);
    assert_true(run(ground, (struct io){ .kind = IO_SPACE }).number > 0);
}

/* SPL-015: a file that may not grow takes what it can, and says so. */
static void a_file_may_not_grow_for_ever(void **state)
{
    struct ground *ground = *state;
    struct rlimit before, small;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ .rlim_cur = 6, .rlim_max = before.rlim_max };
    assert_int_equal(run_named(ground, IO_CREATE, "f", NULL), OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum fault write = put(ground, 0, 0, "0123456789");
    enum fault extend = run(ground, (struct io){ .kind = IO_EXTEND, .count = 4096 }).fault;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(write, FAULT_NO_SPACE);
    assert_int_equal(extend, FAULT_NO_SPACE);
}

/* SPL-010, SPL-013: a full disk. It needs the right to mount. */
static void a_full_disk_says_so(void **state)
{
    struct ground *ground = *state;
    static char block[256 * 1024];

    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
        || mount("none", ground->folder, "tmpfs", 0, "size=64k") < 0) {
        print_message("# skipped: no right to mount\n");
        return;
    }
    close(ground->files.roots[IN_MAIL]);
    ground->files.roots[IN_MAIL] = open(ground->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct io io = { .kind = IO_CREATE, .root = IN_MAIL, .name = BYTES("f") };
    assert_int_equal(run(ground, io).fault, OK);
    io = (struct io){ .kind = IO_WRITE, .data = block, .data_n = sizeof(block) };
    assert_int_equal(run(ground, io).fault, FAULT_NO_SPACE);
    io = (struct io){ .kind = IO_EXTEND, .count = sizeof(block) };
    assert_int_equal(run(ground, io).fault, FAULT_NO_SPACE);
    io = (struct io){ .kind = IO_SPACE, .root = IN_MAIL };
    assert_int_equal(run(ground, io).number, 0);
    assert_int_equal(mount("none", ground->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), -1);
    assert_int_equal(run(ground, (struct io){ .kind = IO_CLOSE }).fault, OK);
    assert_int_equal(mount("none", ground->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    io = (struct io){ .kind = IO_CREATE, .root = IN_MAIL, .name = BYTES("g") };
    assert_int_equal(run(ground, io).fault, FAULT_DENIED);
    io = (struct io){ .kind = IO_OPEN, .root = IN_MAIL, .name = BYTES("f") };
    assert_int_equal(run(ground, io).fault, OK);
    close(ground->files.roots[IN_MAIL]);
    ground->files.roots[IN_MAIL] = -1;
    files_done(&ground->files);
    umount2(ground->folder, MNT_DETACH);
}

static void no_permission_is_denied(void **state)
{
    struct ground *ground = *state;
    uid_t before = geteuid();

    make(ground, "f", "text");
    assert_int_equal(chmod(ground->folder, 0555), 0);
    if (before == 0)
        assert_int_equal(seteuid(65534), 0);
    enum fault create = run_named(ground, IO_CREATE, "g", NULL);
    enum fault rename = run_named(ground, IO_RENAME, "f", "h");
    if (before == 0)
        assert_int_equal(seteuid(before), 0);
    assert_int_equal(chmod(ground->folder, 0755), 0);
    assert_int_equal(create, FAULT_DENIED);
    assert_int_equal(rename, FAULT_DENIED);
}

static void descriptors_run_out(void **state)
{
    struct ground *ground = *state;
    struct rlimit before, none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum fault fault = run_named(ground, IO_CREATE, "f", NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(fault, FAULT_TOO_MANY);
}

static void a_role_without_a_folder_has_no_files(void **state)
{
    struct files files;

    (void)state;
    files_init(&files);
    assert_int_equal(file_run(&files, &(struct io){ .kind = IO_LIST }).fault, FAULT_DENIED);
    files_done(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_stay_below, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_that_turns_into_a_link_leads_nowhere, begin, end),
        cmocka_unit_test_setup_teardown(a_nul_or_a_long_name_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(written_is_read, begin, end),
        cmocka_unit_test_setup_teardown(an_extended_file_has_no_holes, begin, end),
        cmocka_unit_test_setup_teardown(names_change, begin, end),
        cmocka_unit_test_setup_teardown(a_file_may_not_grow_for_ever, begin, end),
        cmocka_unit_test_setup_teardown(no_permission_is_denied, begin, end),
        cmocka_unit_test_setup_teardown(descriptors_run_out, begin, end),
        cmocka_unit_test(a_role_without_a_folder_has_no_files),
        cmocka_unit_test_setup_teardown(a_full_disk_says_so, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
