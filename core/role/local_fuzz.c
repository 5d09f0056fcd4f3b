/* SPDX-License-Identifier: ISC
 *
 * local between a hostile store and a disk that answers anything: the input is a script of events.
 * Whatever they say, nothing asserts, no name leaves the mail root, and no job is answered twice.
 *
 *   '#' n            a frame of n + 1 octets (n one octet) comes from the store
 *   'a' n            a question for the address of the n octets that follow
 *   'j' n            a job begins: the next octet says which, the n - 1 octets behind it for whom
 *   'p' n, 'e' n     a part of n octets for job 1;  job n ends
 *   '.' f            the oldest operation ends: f % 9 is its fault, f / 9 its number
 *   '*'              the store dies;  '!' the end
 */
#include "base/reader.h"
#include "role/local_int.h"
#include "role/role.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PENDING = 4096, JOBS = 5 };

struct play {
    void *local;
    struct effects fx;
    struct { uint64_t token; bool quiet; } pending[PENDING];
    size_t first, n;
    bool job[JOBS];                 /* told and not answered */
    bool over;
};

static void require(bool well)
{
    if (!well)
        abort();
}

static void check_name(struct bytes name)
{
    struct bytes piece;

    require(name.n <= LOCAL_PATH_MOST && bytes_find(name, '\0') == name.n);
    require(name.n == 0 || (name.at[0] != '/' && name.at[0] != '.'));
    while (bytes_cut(&name, '/', &piece))
        require(piece.n > 0 && piece.n <= LOCAL_NAME_MOST && piece.at[0] != '.');
}

static void look(struct play *play, const struct effect *effect)
{
    struct wire_job_result result;

    if (effect->kind == FX_IO) {
        mem_free(effect->io.data);
        check_name(effect->io.name);
        check_name(effect->io.to);
        require(effect->io.root == IN_MAIL);
        if (play->first + play->n < PENDING) {
            size_t at = play->first + play->n++;
            play->pending[at].token = effect->io.token;
            play->pending[at].quiet = effect->io.quiet;
        } else {
            play->over = true;
        }
    } else if (effect->kind == FX_TELL
               && wire_kind_of(effect->bytes) == WIRE_JOB_RESULT_MESSAGE) {
        struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
        buffer_put(&frame, effect->bytes);
        buffer_put(&frame, effect->more);
        require(wire_read_job_result(buffer_bytes(&frame), &result));
        require(result.outcome == JOB_DELIVERED ? result.class == 2 : result.class == 4);
        if (result.job < JOBS) {
            require(play->job[result.job]);
            play->job[result.job] = false;
        }
        buffer_done(&frame);
    }
}

static void step(struct play *play, struct event event)
{
    if (play->over)
        return;
    effects_clear(&play->fx);
    local_ops.step(play->local, &event, &play->fx);
    require(!play->fx.bad);
    for (size_t i = 0; i < play->fx.n; i++)
        look(play, &play->fx.list[i]);
}

static void tell(struct play *play, struct bytes frame)
{
    struct wire_job_begin begin;

    if (wire_read_job_begin(frame, &begin) && begin.job < JOBS)
        play->job[begin.job] = true;
    step(play, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 }, .bytes = frame });
}

static void tell_made(struct play *play, struct effects *fx)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    tell(play, buffer_bytes(&frame));
    buffer_done(&frame);
    effects_done(fx);
}

static void begin(struct play *play, struct bytes text)
{
    struct effects fx = effects_none();
    struct buffer head = buffer_with_most(ENVELOPE_MOST), to = buffer_with_most(RECIPIENT_MOST);
    uint8_t number = text.n == 0 ? 1 : octet(text.at[0]);
    struct envelope envelope = { .host = BYTES("h/../x"), .received_ms = number };
    struct recipient recipient = { .address = bytes_skip(text, 1) };

    envelope_put(&head, &envelope);
    recipient_put(&to, &recipient);
    struct wire_job_begin message = {
        .job = 1 + number % 4, .letter = number / 16, .recovered = number / 4 % 2,
        .attempt = number % 3, .head = buffer_bytes(&head), .to = buffer_bytes(&to),
    };
    wire_tell_job_begin(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &message);
    tell_made(play, &fx);
    buffer_done(&head);
    buffer_done(&to);
}

static void answer(struct play *play, uint8_t how)
{
    struct event event = { .kind = EV_IO, .fault = (enum fault)(how % 9), .number = how / 9,
                           .bytes = BYTES("0.0000000000000.0.h_.._x:2,S\nx\n") };

    if (play->n == 0)
        return;
    event.token = play->pending[play->first].token;
    bool silent = play->pending[play->first].quiet && (how % 9 == OK || how % 9 == FAULT_SKIPPED);
    play->first++;
    play->n--;
    if (!silent)
        step(play, event);
}

static void one(struct play *play, struct reader *in)
{
    struct role_name to = { ROLE_LOCAL, 0 };
    struct effects fx = effects_none();
    char what = (char)read_u8(in);
    uint8_t n = what == '*' || what == '!' ? 0 : read_u8(in);

    if (what == '#') {
        tell(play, read_bytes(in, n + (size_t)1));
    } else if (what == 'a') {
        wire_tell_mailbox_ask(&fx, to, &(struct wire_mailbox_ask){ 1, read_bytes(in, n) });
        tell_made(play, &fx);
    } else if (what == 'j') {
        begin(play, read_bytes(in, n));
    } else if (what == 'p') {
        wire_tell_job_part(&fx, to, &(struct wire_job_part){ 1, read_bytes(in, n) });
        tell_made(play, &fx);
    } else if (what == 'e') {
        wire_tell_job_end(&fx, to, &(struct wire_job_end){ n });
        tell_made(play, &fx);
    } else if (what == '.') {
        answer(play, n);
    } else if (what == '*') {
        memset(play->job, 0, sizeof(play->job));
        step(play, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    } else if (what == '!') {
        step(play, (struct event){ .kind = EV_STOP });
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct bytes domains[] = { BYTES_INIT("d") };
    struct conf conf = { .host = BYTES("h"), .domains = { domains, 1 } };
    static struct play play;
    struct reader in = reader_of((struct bytes){ (const char *)data, n });

    play = (struct play){ .fx = effects_none(), .local = local_ops.make(&conf, 0) };
    require(play.local != NULL);
    while (!reader_empty(&in) && !in.bad)
        one(&play, &in);
    local_ops.free(play.local);
    effects_done(&play.fx);
    return 0;
}
