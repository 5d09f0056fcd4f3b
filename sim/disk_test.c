/* SPDX-License-Identifier: ISC
 *
 * Each rule of the simulated disk as a row: a script, and what is there after it.
 *
 *   c N      create          w N at x n   write n times x at that offset      s N      sync
 *   b N      begin a sync    e            end it                              f N      a sync
 * that fails
 *   d P      sync a folder   r A B        rename    u N  remove    m P  make a folder
 *   t N n    truncate        x N n        extend    L    the power goes, all lost    K  all kept */
#include "sim/disk.h"

#include "base/buffer.h"
#include "base/number.h"
#include "sim/room.h"
#include "sim/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

static uint64_t pick_first(void *ctx, uint64_t n) { return 0; }
static uint64_t pick_second(void *ctx, uint64_t n) { return n > 1; }

static struct bytes word(struct bytes *line)
{
    struct bytes piece = BYTES_NONE;

    (void)bytes_cut(line, ' ', &piece);
    return piece;
}

static uint64_t number(struct bytes *line)
{
    uint64_t n = 0;

    return number_parse(word(line), &n) ? n : 0;
}

struct scene {
    struct disk *disk;
    struct disk_sync *sync;
};

static disk_file open_file(struct scene *scene, struct bytes name)
{
    disk_file file = 0;

    assert_int_equal(disk_open(scene->disk, IN_SPOOL, name, &file), OK);
    disk_drop(scene->disk, file);
    return file;
}

static void write_row(struct scene *scene, struct bytes name, struct bytes rest)
{
    static char data[65536];
    uint64_t at = number(&rest);
    struct bytes letter = word(&rest);
    uint64_t n = number(&rest);

    for (uint64_t i = 0; i < n; i++)
        data[i] = letter.at[0] == '.' ? 0 : letter.at[0];
    assert_int_equal(disk_write(scene->disk, open_file(scene, name), at,
                                (struct bytes){ data, (size_t)n }), OK);
}

static void crash(struct scene *scene, struct chooser chooser)
{
    struct disk_losses losses = { { 0 }, { 0 } };

    disk_crash(scene->disk, chooser, true, &losses);
    assert_int_equal(disk_unsafe(scene->disk), 0);
}

static void file_row(struct scene *scene, char verb, struct bytes name, struct bytes rest)
{
    struct disk *disk = scene->disk;
    struct chooser lose = { pick_first, NULL };
    disk_file file;

    if (verb == 'c') {
        assert_int_equal(disk_create(disk, IN_SPOOL, name, &file), OK);
        disk_drop(disk, file);
    } else if (verb == 'w') {
        write_row(scene, name, rest);
    } else if (verb == 's') {
        disk_sync_end(disk, disk_sync_begin(disk, open_file(scene, name)));
    } else if (verb == 'b') {
        scene->sync = disk_sync_begin(disk, open_file(scene, name));
    } else if (verb == 'f') {
        disk_sync_fail(disk, disk_sync_begin(disk, open_file(scene, name)), lose);
    } else if (verb == 't') {
        disk_truncate(disk, open_file(scene, name), number(&rest));
    } else if (verb == 'x') {
        assert_int_equal(disk_extend(disk, open_file(scene, name), number(&rest)), OK);
    } else {
        fail_msg("no such verb");
    }
}

static void row(struct scene *scene, struct bytes line)
{
    char verb = word(&line).at[0];
    struct bytes name = word(&line);

    if (verb == 'L')
        crash(scene, (struct chooser){ pick_first, NULL });
    else if (verb == 'K')
        crash(scene, (struct chooser){ pick_second, NULL });
    else if (verb == 'e')
        disk_sync_end(scene->disk, scene->sync);
    else if (verb == 'd')
        assert_int_equal(disk_sync_folder(scene->disk, IN_SPOOL, name), OK);
    else if (verb == 'r')
        assert_int_equal(disk_rename(scene->disk, IN_SPOOL, name, line, true), OK);
    else if (verb == 'u')
        assert_int_equal(disk_unlink(scene->disk, IN_SPOOL, name), OK);
    else if (verb == 'm')
        assert_int_equal(disk_mkdir(scene->disk, IN_SPOOL, name), OK);
    else
        file_row(scene, verb, name, line);
}

static void run(struct scene *scene, struct bytes script)
{
    struct bytes line;

    while (bytes_cut(&script, ';', &line))
        row(scene, bytes_trim(line));
}

/* "512a3.": runs of equal octets. */
static void describe_file(struct disk *disk, struct bytes path, struct buffer *to)
{
    static char data[65536];
    disk_file file = 0;
    size_t from = 0;

    assert_int_equal(disk_open(disk, IN_SPOOL, path, &file), OK);
    size_t n = disk_read(disk, file, 0, sizeof(data), data);
    disk_drop(disk, file);
    for (size_t i = 1; i <= n; i++)
        if (i == n || data[i] != data[from]) {
            buffer_put_uint(to, i - from);
            buffer_put_char(to, data[from] == 0 ? '.' : data[from]);
            from = i;
        }
}

static void describe(struct disk *disk, struct bytes folder, struct buffer *to)
{
    struct bytes names, rest, name;

    assert_int_equal(disk_list(disk, IN_SPOOL, folder, &names), OK);
    rest = names;
    while (bytes_cut(&rest, '\n', &name)) {
        char path[64];
        int n = snprintf(path, sizeof(path), "%.*s%s%.*s", (int)folder.n, folder.at,
                         folder.n > 0 ? "/" : "", (int)name.n, name.at);
        struct bytes whole = { path, (size_t)n };
        buffer_put_text(to, to->n > 0 ? " " : "");
        buffer_put(to, whole);
        buffer_put_char(to, '=');
        if (disk_stat(disk, IN_SPOOL, whole) == 1)
            describe(disk, whole, to);
        else
            describe_file(disk, whole, to);
    }
    room_free((void *)(uintptr_t)names.at);
}

static const struct { const char *name, *script, *want; } rows[] = {
    { "seen at once", "c a;w a 0 x 10", "a=10x" },
    { "a hole reads as zeroes", "c a;w a 5 x 5", "a=5.5x" },
    { "nothing synced: all may go", "c a;w a 0 x 10;L", "" },
    { "nothing synced: all may stay", "c a;w a 0 x 10;K", "a=10x" },
    { "data synced, name not", "c a;w a 0 x 10;s a;L", "" },
    { "name synced, data not", "c a;w a 0 x 10;d;L", "a=" },
    { "both synced", "c a;w a 0 x 10;s a;d;L", "a=10x" },
    { "written after the sync", "c a;w a 0 x 600;s a;d;w a 0 y 600;L", "a=600x" },
    { "appended after the sync", "c a;w a 0 x 600;s a;d;w a 600 y 600;L", "a=600x" },
    { "appended, kept", "c a;w a 0 x 600;s a;d;w a 600 y 600;K", "a=600x600y" },
    { "a sync covers what came before it began", "c a;d;w a 0 x 512;b a;w a 512 y 512;e;L",
      "a=512x512." },
    { "a failed sync is not made good by the next", "c a;d;x a 512;s a;w a 0 x 512;f a;s a;L",
      "a=512." },
    { "after a failed sync, new writes are safe again",
      "c a;d;x a 1024;s a;w a 0 x 512;f a;w a 512 y 512;s a;L", "a=512.512y" },
    { "extended", "c a;d;x a 5000;s a;L", "a=5000." },
    { "extended, not synced", "c a;d;x a 5000;L", "a=" },
    { "truncated", "c a;d;w a 0 x 5000;s a;t a 10;s a;L", "a=10x" },
    { "truncated, not synced", "c a;d;w a 0 x 5000;s a;t a 10;L", "a=5000x" },
    { "what was truncated does not come back", "c a;w a 0 x 5000;t a 10;x a 5000", "a=10x4990." },
    { "removed, not synced", "c a;d;u a;L", "a=" },
    { "removed and synced", "c a;d;u a;d;L", "" },
    { "renamed, not synced", "c a;w a 0 x 3;s a;d;r a b;L", "a=3x" },
    { "renamed and synced", "c a;w a 0 x 3;s a;d;r a b;d;L", "b=3x" },
    { "renamed over another, kept", "c a;c b;w a 0 x 3;s a;d;r a b;K", "b=3x" },
    { "renamed over another, lost", "c a;c b;w a 0 x 3;s a;d;r a b;L", "a=3x b=" },
    { "between folders: the new name's sync is enough",
      "m t;m n;d;c t/a;w t/a 0 x 3;s t/a;d t;r t/a n/a;d n;L", "n= n/a=3x t= t/a=3x" },
    { "between folders: the old name's sync takes the new one along",
      "m t;m n;d;c t/a;w t/a 0 x 3;s t/a;d t;r t/a n/a;d t;L", "n= n/a=3x t=" },
    { "a folder whose name is lost takes its files along", "m t;c t/a;s t/a;d t;L", "" },
    { "a folder is made twice", "m t;m t", "t=" },
    { "removed while a sync is under way", "c a;w a 0 x 3;b a;u a;e", "" },
};

static void rules_hold(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene scene = { .disk = disk_new(DISK_FREE) };
        struct buffer text = buffer_with_most(4096);

        run(&scene, bytes_of(rows[i].script));
        describe(scene.disk, BYTES_NONE, &text);
        if (!bytes_equal(buffer_bytes(&text), bytes_of(rows[i].want)))
            fail_msg("%s: '%.*s', wanted '%s'", rows[i].name, (int)text.n, text.at, rows[i].want);
        buffer_done(&text);
        disk_free(scene.disk);
    }
}

/* Everything that a power cut may leave, in each order of names, without twins, sorted as first
   met. */
static const struct { const char *name, *script; enum disk_order order; const char *want; } cuts[]
= {
    { "each sector alone", "c a;d;x a 1024;s a;w a 0 x 1024", DISK_FREE,
      "a=1024.|a=512.512x|a=512x512.|a=1024x" },
    { "names, a journal", "c a;c b;c c", DISK_JOURNAL, "|a=|a= b=|a= b= c=" },
    { "names, free", "c a;c b", DISK_FREE, "|b=|a=|a= b=" },
    { "names, a folder each", "m s;m t;d;c s/a;c t/b;c s/c", DISK_PER_FOLDER,
      "s= t=|s= t= t/b=|s= s/a= t=|s= s/a= s/c= t=|s= s/a= t= t/b=|s= s/a= s/c= t= t/b=" },
    { "a rename keeps one name at least", "c a;d;r a b", DISK_FREE, "a=|a= b=|b=" },
    { "a rename is whole in a journal's order, or stands at both names", "c a;d;r a b",
      DISK_JOURNAL, "a=|a= b=|b=" },
};

static bool known(struct bytes all, struct bytes text)
{
    struct bytes piece;

    while (bytes_cut(&all, '|', &piece))
        if (bytes_equal(piece, text))
            return true;
    return false;
}

/* Whether a sector tears is asked of eight. */
static uint64_t never_torn(void *ctx, uint64_t n)
{
    return n == 8 ? 0 : choose(*(struct chooser *)ctx, n);
}

static void every_cut(const char *script, enum disk_order order, struct buffer *all)
{
    struct walk walk = walk_start();
    bool first = true;

    do {
        struct scene scene = { .disk = disk_new(order) };
        struct buffer text = buffer_with_most(4096);
        run(&scene, bytes_of(script));
        walk_round(&walk);
        struct chooser each = walk_chooser(&walk);
        crash(&scene, (struct chooser){ never_torn, &each });
        describe(scene.disk, BYTES_NONE, &text);
        if (first || !known(buffer_bytes(all), buffer_bytes(&text))) {
            buffer_put_text(all, first ? "" : "|");
            buffer_put(all, buffer_bytes(&text));
        }
        first = false;
        buffer_done(&text);
        disk_free(scene.disk);
    } while (walk_next(&walk));
}

static void cuts_are_all_legal_ones(void **state)
{
    for (size_t i = 0; i < COUNT(cuts); i++) {
        struct buffer all = buffer_with_most(65536);

        every_cut(cuts[i].script, cuts[i].order, &all);
        struct bytes want = bytes_of(cuts[i].want), got = buffer_bytes(&all), piece;
        struct bytes wanted = want;
        while (bytes_cut(&wanted, '|', &piece))
            if (!known(got, piece))
                fail_msg("%s: never '%.*s' in '%.*s'", cuts[i].name, (int)piece.n, piece.at,
                         (int)got.n, got.at);
        while (bytes_cut(&got, '|', &piece))
            if (!known(want, piece))
                fail_msg("%s: '%.*s' is not legal", cuts[i].name, (int)piece.n, piece.at);
        buffer_done(&all);
    }
}

static void copies_are_apart(void **state)
{
    struct scene scene = { .disk = disk_new(DISK_FREE) }, other = { .disk = NULL };
    struct buffer text = buffer_with_most(4096);

    run(&scene, bytes_of("m t;c t/a;w t/a 0 x 5000;s t/a"));
    uint64_t before = disk_hash(scene.disk);
    other.disk = disk_copy(scene.disk);
    assert_true(disk_hash(other.disk) == before);
    run(&other, bytes_of("w t/a 0 y 1;c b;L"));
    assert_true(disk_hash(scene.disk) == before);
    describe(other.disk, BYTES_NONE, &text);
    assert_int_equal(text.n, 0);
    buffer_done(&text);
    disk_free(scene.disk);
    disk_free(other.disk);
}

static void space_runs_out(void **state)
{
    struct disk *disk = disk_new(DISK_FREE);
    disk_file file;

    assert_int_equal(disk_create(disk, IN_SPOOL, BYTES("a"), &file), OK);
    disk_set_space(disk, 1000);
    assert_int_equal(disk_extend(disk, file, 900), OK);
    assert_int_equal(disk_write(disk, file, 0, BYTES("over what is there")), OK);
    assert_int_equal(disk_space(disk), 100);
    assert_int_equal(disk_extend(disk, file, 1001), FAULT_NO_SPACE);
    assert_int_equal(disk_unlink(disk, IN_SPOOL, BYTES("a")), OK);
    assert_int_equal(disk_space(disk), 100);        /* it is still open */
    disk_drop(disk, file);
    assert_int_equal(disk_space(disk), 1000);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_hold),
        cmocka_unit_test(cuts_are_all_legal_ones),
        cmocka_unit_test(copies_are_apart),
        cmocka_unit_test(space_runs_out),
    };
    return cmocka_run_group_tests_name("sim/disk", tests, NULL, NULL);
}
