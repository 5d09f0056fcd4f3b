/* SPDX-License-Identifier: ISC
 *
 * A delivery whose letter may be a bounce. Its text is gathered, as far as the store sends without
 * leave; then it is read, and the store asked whether it sent the letter that it names. The file's
 * name is that of any delivery, and an attempt that finds it takes it for the letter, covered or
 * not; so a crash, or an answer that comes too late, may change the card, never the number of
 * copies.
 */
#include "role/local_int.h"

#include "base/arena.h"
#include "bounce/cover.h"

enum { KNOWN_WITHIN_MS = 10 * 1000 };

_Static_assert((int)COVER_LETTER_MOST <= (int)LIMIT_LETTER_CREDIT,
               "all of it comes without credit");
_Static_assert((int)COVER_LETTER_MOST + (int)COVER_PARTS_MOST <= (int)LIMIT_LETTER_CREDIT,
               "a covered text fits where others do");

void job_cover_free(struct job *job)
{
    if (job->cover == NULL)
        return;
    buffer_done(&job->cover->head);
    buffer_done(&job->cover->to);
    buffer_done(&job->cover->raw);
    mem_free(job->cover);
    job->cover = NULL;
}

/* It goes as it came. */
static void let_be(struct job *job)
{
    struct bytes raw = buffer_bytes(&job->cover->raw);

    job->text.bad = job->text.bad || job->cover->raw.bad;
    if (job->binary)
        buffer_put(&job->text, raw);
    else
        line_ends_put(&job->ends, raw, &job->text);
    job_cover_free(job);
}

void job_cover_begin(struct job *job, const struct envelope *envelope,
                     const struct wire_job_begin *begin)
{
    if (!cover_may(envelope) || begin->size > COVER_LETTER_MOST)
        return;
    job->cover = mem_new(sizeof(*job->cover));
    if (job->cover == NULL)
        return;
    *job->cover = (struct job_cover){ .head = buffer_with_most(ENVELOPE_MOST),
                                      .to = buffer_with_most(RECIPIENT_MOST),
                                      .raw = buffer_with_most(LIMIT_LETTER_CREDIT) };
    buffer_put(&job->cover->head, begin->head);
    buffer_put(&job->cover->to, begin->to);
}

void job_cover_part(struct job *job, struct bytes text)
{
    buffer_put(&job->cover->raw, text);
    if (job->cover->raw.n > COVER_LETTER_MOST || job->cover->raw.bad)
        let_be(job);
}

static void put_cover(struct job *job, const struct rules *rules, const struct cover *cover)
{
    struct buffer text = buffer_with_most(COVER_LETTER_MOST + COVER_PARTS_MOST);

    cover_put(&text, rules, cover);
    if (!text.bad) {
        buffer_clear(&job->cover->raw);
        buffer_put(&job->cover->raw, buffer_bytes(&text));
    }
    buffer_done(&text);
}

void job_cover_known(struct job *job, struct rules *rules, bool known)
{
    struct envelope envelope;
    struct recipient recipient;

    if (envelope_read(buffer_bytes(&job->cover->head), &envelope)
        && recipient_read(buffer_bytes(&job->cover->to), &recipient))
        put_cover(job, rules, &(struct cover){
            .envelope = &envelope, .recipient = recipient.address, .number = job->recipient,
            .letter = job->letter, .text = buffer_bytes(&job->cover->raw), .known = known });
    let_be(job);
    line_ends_finish(&job->ends, &job->text);
}

void job_cover_end(struct job *job, struct rules *rules, struct role_name boss, uint64_t now_ms,
                   struct effects *fx)
{
    struct buffer message_id = buffer_with_most(ENVELOPE_ID_MOST);
    struct buffer envid = buffer_with_most(ENVID_MOST);
    struct recipient recipient;
    bool wanted = rules != NULL
               && cover_wanted(rules, buffer_bytes(&job->cover->raw), &message_id, &envid);
    bool by_id = message_id.n > 0 && !message_id.bad;
    struct bytes key = by_id ? buffer_bytes(&message_id) : buffer_bytes(&envid);

    if (!wanted) {
        let_be(job);
        line_ends_finish(&job->ends, &job->text);
    } else if (key.n == 0 || !recipient_read(buffer_bytes(&job->cover->to), &recipient)) {
        job_cover_known(job, rules, false);
    } else {
        job->cover->due_ms = now_ms + KNOWN_WITHIN_MS;
        wire_tell_known_ask(fx, boss, &(struct wire_known_ask){
            .token = job->number, .by = by_id ? TRACE_BY_MESSAGE_ID : TRACE_BY_ENVID,
            .mailbox = fx_keep(fx, recipient.address), .key = fx_keep(fx, key) });
    }
    buffer_done(&message_id);
    buffer_done(&envid);
}
