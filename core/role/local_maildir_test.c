/* SPDX-License-Identifier: ISC
 *
 * The small Maildir of local_maildir_int.h; local_test.c is linked with it.
 */
#include "role/local_maildir_int.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

const struct bytes test_domain = BYTES_INIT("example.org");

size_t file_of(struct world *w, struct bytes path)
{
    size_t i = 0;

    while (i < FILES && !bytes_equal(bytes_of(w->files[i].path), path))
        i++;
    return i;
}

void copy(char *to, struct bytes text)
{
    memcpy(to, text.at, text.n);
    to[text.n] = '\0';
}

/* Is the folder of that path (or, `itself`, the path) there? */
static bool folder_is_there(const struct world *w, struct bytes path, bool itself)
{
    struct bytes box = bytes_of(w->mailbox), rest;

    if (itself && (path.n == 0 || bytes_equal(path, bytes_upto(box, '/'))))
        return true;
    if (box.n == 0 || !bytes_begins(path, box))
        return false;
    rest = bytes_skip(path, box.n);
    if (rest.n == 0)
        return true;
    if (!itself)
        rest = bytes_first(rest, bytes_find_last(rest, '/'));
    return rest.n == 0 || (bytes_equal(rest, BYTES("/tmp")) && w->has_tmp)
        || (bytes_equal(rest, BYTES("/new")) && w->has_new)
        || (bytes_equal(rest, BYTES("/cur")) && w->has_cur);
}

static enum fault move(struct world *w, const struct io *io, bool replace)
{
    size_t from = file_of(w, io->name), to = file_of(w, io->to);

    if (from == FILES || !folder_is_there(w, io->to, false))
        return FAULT_GONE;
    if (to != FILES && !replace)
        return FAULT_EXISTS;
    assert_true(w->files[from].synced);         /* never a name in new before its octets are safe */
    if (to != FILES)
        w->files[to].path[0] = '\0';
    copy(w->files[from].path, io->to);
    w->new_synced = false;
    return OK;
}

static enum fault create(struct world *w, const struct io *io)
{
    if (!folder_is_there(w, io->name, false))
        return FAULT_GONE;
    if (file_of(w, io->name) != FILES)
        return FAULT_EXISTS;
    size_t i = file_of(w, BYTES_NONE);
    assert_true(i < FILES);
    copy(w->files[i].path, io->name);
    w->files[i].n = 0;
    w->files[i].synced = false;
    assert_int_equal(w->open[io->file][0], 0);
    copy(w->open[io->file], io->name);
    return OK;
}

static enum fault make_folder(struct world *w, struct bytes path)
{
    if (!folder_is_there(w, path, false))
        return FAULT_GONE;
    w->has_tmp = w->has_tmp || bytes_ends(path, BYTES("/tmp"));
    w->has_new = w->has_new || bytes_ends(path, BYTES("/new"));
    w->has_cur = w->has_cur || bytes_ends(path, BYTES("/cur"));
    return OK;
}

static enum fault do_write(struct world *w, const struct io *io)
{
    size_t i = file_of(w, bytes_of(w->open[io->file]));

    assert_true(i < FILES && io->offset == w->files[i].n);
    assert_true(io->offset + io->data_n <= CONTENT || w->counts_only);
    if (!w->counts_only)
        memcpy(w->files[i].text + io->offset, io->data, io->data_n);
    w->files[i].n += io->data_n;
    w->files[i].synced = false;
    return OK;
}

static enum fault stat_path(struct world *w, struct bytes path, uint64_t *ret_number)
{
    if (file_of(w, path) != FILES)
        return *ret_number = 2, OK;
    return *ret_number = 1, folder_is_there(w, path, true) ? OK : FAULT_GONE;
}

static enum fault list(struct world *w, struct bytes path, struct buffer *ret_names)
{
    if (!folder_is_there(w, path, true))
        return FAULT_GONE;
    for (size_t i = 0; i < FILES; i++) {
        struct bytes file = bytes_of(w->files[i].path);
        if (file.n > path.n && bytes_begins(file, path)) {
            buffer_put(ret_names, bytes_skip(file, path.n + 1));
            buffer_put_char(ret_names, '\n');
        }
    }
    return OK;
}

static enum fault perform(struct world *w, const struct io *io, struct event *event,
                          struct buffer *names)
{
    size_t i;

    switch (io->kind) {
    case IO_CREATE: return create(w, io);
    case IO_WRITE: return do_write(w, io);
    case IO_SYNC:
        i = file_of(w, bytes_of(w->open[io->file]));
        assert_true(i < FILES);
        w->files[i].synced = true;
        return OK;
    case IO_CLOSE:
        assert_int_not_equal(w->open[io->file][0], 0);
        w->open[io->file][0] = '\0';
        return OK;
    case IO_LINK_NEW: return move(w, io, false);
    case IO_RENAME: return move(w, io, true);
    case IO_UNLINK:
        i = file_of(w, io->name);
        if (i == FILES)
            return FAULT_GONE;
        w->files[i].path[0] = '\0';
        return OK;
    case IO_MKDIR: return make_folder(w, io->name);
    case IO_SYNC_DIR:
        w->new_synced = w->new_synced || bytes_ends(io->name, BYTES("/new"));
        return folder_is_there(w, io->name, true) ? OK : FAULT_GONE;
    case IO_STAT: return stat_path(w, io->name, &event->number);
    case IO_LIST: return list(w, io->name, names);
    case IO_OPEN: case IO_READ: case IO_EXTEND: case IO_TRUNCATE: case IO_SPACE:
        break;
    }
    fail_msg("not an operation of local's");
    return FAULT_IO;
}

static void note_op(struct world *w, const struct io *io)
{
    static const char letters[] = "COWRETSXNLUMDlsp";   /* by enum io_kind */
    size_t n = strlen(w->ops);

    if (n + 1 < sizeof(w->ops))
        w->ops[n] = letters[io->kind];
}

/* Do the operations of the step in hand; what they answer is stepped one after the other. */
static void do_files(struct world *w, const struct effect *list_, size_t n)
{
    bool skip[LIMIT_IO_LANES] = { false };

    for (size_t i = 0; i < n; i++) {
        struct io io = list_[i].io;
        struct event event = { .kind = EV_IO, .token = io.token };
        struct buffer names = buffer_with_most(CONTENT);
        bool skipped = skip[io.lane];
        note_op(w, &io);
        if (skipped)
            event.fault = FAULT_SKIPPED;
        else if (++w->done == w->fail_at)
            event.fault = w->fault;
        else
            event.fault = perform(w, &io, &event, &names);
        if (io.kind == IO_CLOSE && !skipped)
            w->open[io.file][0] = '\0';
        skip[io.lane] = io.linked && event.fault != OK;
        mem_free(io.data);
        event.bytes = buffer_bytes(&names);
        if (!io.quiet || (event.fault != OK && !skipped))
            step(w, event);
        buffer_done(&names);
    }
}

static void on_told(struct world *w, struct bytes frame)
{
    struct wire_mailbox_is is;
    struct wire_credit credit;
    struct wire_known_ask known;

    if (wire_read_mailbox_is(frame, &is)) {
        w->asked = is.verdict;
    } else if (wire_read_credit(frame, &credit)) {
        w->credit += credit.octets;
    } else if (wire_read_known_ask(frame, &known)) {
        assert_int_equal(known.token, JOB);
        copy(w->known_key, known.key);
        copy(w->known_mailbox, known.mailbox);
        w->known_by = known.by;
        w->known_asks++;
    } else {
        assert_true(wire_read_job_result(frame, &w->result));
        copy(w->words, w->result.words);
        w->results++;
        if (w->result.outcome == JOB_DELIVERED)
            assert_true(w->new_synced);         /* told only when the name is safe too */
    }
}

void step(struct world *w, struct event event)
{
    struct effect *files = NULL;
    size_t files_n = 0;
    struct arena arena = arena_with_ceiling(1 << 20);

    if (w->dead)
        return;
    effects_clear(&w->fx);
    event.now.mono_ms = w->now_ms;
    mem_fail_at(++w->steps == w->fail_step ? w->fail_memory : 0);
    local_ops.step(w->local, &event, &w->fx);
    mem_fail_at(0);
    w->dead = w->fx.bad;
    if (w->dead) {
        for (size_t i = 0; i < w->fx.n; i++)
            mem_free(w->fx.list[i].io.data);
        return;
    }
    files = calloc(w->fx.n + 1, sizeof(*files));
    for (size_t i = 0; i < w->fx.n; i++) {
        struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
        if (w->fx.list[i].kind == FX_IO) {
            files[files_n] = w->fx.list[i];
            files[files_n].io.name = arena_copy(&arena, w->fx.list[i].io.name);
            files[files_n].io.to = arena_copy(&arena, w->fx.list[i].io.to);
            files_n++;
        } else if (w->fx.list[i].kind == FX_TELL) {
            buffer_put(&frame, w->fx.list[i].bytes);
            buffer_put(&frame, w->fx.list[i].more);
            on_told(w, buffer_bytes(&frame));
        }
        if (w->fx.list[i].kind == FX_ALARM)
            w->alarm_ms = w->fx.list[i].number;
        w->exited = w->exited || w->fx.list[i].kind == FX_EXIT;
        buffer_done(&frame);
    }
    do_files(w, files, files_n);
    free(files);
    arena_done(&arena);
}

/* ---- what the tests say to local */

void start(struct world *w)
{
    *w = (struct world){ .fx = effects_none(), .has_tmp = true, .has_new = true, .has_cur = true,
                         .asked = -1 };
    copy(w->mailbox, BYTES("example.org/jo"));
    w->conf.domains = (struct conf_texts){ &test_domain, 1 };
    w->conf.host = BYTES("mx.example.org");
    w->local = local_ops.make(&w->conf, 0);
    assert_non_null(w->local);
    step(w, (struct event){ .kind = EV_START, .bytes = BYTES("01234567890123456789012345678901") });
}

void start_again(struct world *w)
{
    local_ops.free(w->local);
    memset(w->open, 0, sizeof(w->open));
    w->dead = false;
    w->fail_step = 0;
    w->local = local_ops.make(&w->conf, 0);
    assert_non_null(w->local);
}

void stop(struct world *w)
{
    local_ops.free(w->local);
    effects_done(&w->fx);
}

void tell(struct world *w, const struct effects *fx)
{
    for (size_t i = 0; i < fx->n; i++) {
        struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
        buffer_put(&frame, fx->list[i].bytes);
        buffer_put(&frame, fx->list[i].more);
        step(w, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                                .bytes = buffer_bytes(&frame) });
        buffer_done(&frame);
    }
}

void tell_begin(struct world *w, struct order order)
{
    struct effects fx = effects_none();
    struct buffer head = buffer_with_most(ENVELOPE_MOST), to = buffer_with_most(RECIPIENT_MOST);
    struct envelope envelope = {
        .sender = BYTES("al@sender.example"), .received_ms = 1700000000123,
        .protocol = BYTES("ESMTP"), .helo = BYTES("client.example"), .peer = BYTES("192.0.2.1"),
        .host = BYTES("mx.example.org"),
    };
    if (order.null_sender)
        envelope.sender = BYTES_NONE;
    struct recipient recipient = { .address = bytes_of(order.to) };

    envelope_put(&head, &envelope);
    recipient_put(&to, &recipient);
    struct wire_job_begin begin = {
        .job = JOB, .letter = LETTER, .recipient = 2, .attempt = 1, .recovered = order.recovered,
        .binary = order.binary, .size = order.size, .head = buffer_bytes(&head),
        .to = buffer_bytes(&to),
    };
    wire_tell_job_begin(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &begin);
    tell(w, &fx);
    effects_done(&fx);
    buffer_done(&head);
    buffer_done(&to);
}

void tell_part(struct world *w, struct bytes text)
{
    struct effects fx = effects_none();

    wire_tell_job_part(&fx, (struct role_name){ ROLE_LOCAL, 0 },
                       &(struct wire_job_part){ JOB, text });
    tell(w, &fx);
    effects_done(&fx);
}

void tell_end(struct world *w)
{
    struct effects fx = effects_none();

    wire_tell_job_end(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &(struct wire_job_end){ JOB });
    tell(w, &fx);
    effects_done(&fx);
}

void deliver(struct world *w, struct order order)
{
    tell_begin(w, order);
    tell_part(w, BYTES("Subject: x\r\n\r\nhel"));
    tell_part(w, BYTES("lo\r"));
    tell_part(w, BYTES("\nbye\r\n"));
    tell_end(w);
}

size_t count_files(const struct world *w, const char *sub)
{
    struct bytes part = bytes_of(sub);
    size_t n = 0;

    for (size_t i = 0; i < FILES; i++)
        n += w->files[i].path[0] != '\0'
          && bytes_search(bytes_of(w->files[i].path), part) < strlen(w->files[i].path);
    return n;
}

void put_file(struct world *w, const char *path)
{
    size_t i = file_of(w, BYTES_NONE);

    copy(w->files[i].path, bytes_of(path));
    w->files[i].synced = true;
}
