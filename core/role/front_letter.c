/* SPDX-License-Identifier: ISC
 *
 * role/front_letter.c: a letter's text on its way to the store.
 *
 * A small one is gathered and goes as one frame with its head and recipients. One that grows
 * beyond that, or says so beforehand, is begun at once and goes in parts, as the store gives
 * credit.
 */
#include "role/front_int.h"

#include "base/plant.h"
#include "base/reader.h"
#include "crypt/digest.h"

#include <assert.h>

enum { SPARE_LETTERS = 16, SPARE_KEEPS = 64 * 1024 };

/* ---- letters in memory */

static struct letter *letter_new(struct front *front)
{
    struct letter *letter = front->spare;

    if (letter != NULL) {
        front->spare = letter->next_spare;
        front->spare_n--;
    } else {
        letter = mem_new(sizeof(*letter));
        if (letter == NULL)
            return NULL;
        letter->text = buffer_with_most(FRONT_TEXT_MOST);
        letter->head = buffer_with_most(LIMIT_FRAME_BYTES);
        letter->header = header_scan_new();
    }
    letter->verdict = SMTP_YES;
    letter->begun_ms = letter->octet_ms = front->now.mono_ms;
    return letter;
}

static void letter_free(struct letter *letter)
{
    buffer_done(&letter->text);
    buffer_done(&letter->head);
    header_scan_done(&letter->header);
    digest_free(letter->sum);
    mem_free(letter);
}

void letter_release(struct front *front, struct session *session)
{
    struct letter *letter = session->letter;

    session->letter = NULL;
    session->starved = false;
    if (letter == NULL)
        return;
    if (front->spare_n >= SPARE_LETTERS) {
        letter_free(letter);
        return;
    }
    buffer_shrink(&letter->text, SPARE_KEEPS);
    buffer_shrink(&letter->head, SPARE_KEEPS);
    letter->whole = BYTES_NONE;
    letter->size = letter->credit = 0;
    letter->begun = letter->ended = false;
    header_scan_clear(&letter->header);
    digest_free(letter->sum);
    letter->sum = NULL;
    letter->next_spare = front->spare;
    front->spare = letter;
    front->spare_n++;
}

void letters_done(struct front *front)
{
    while (front->spare != NULL) {
        struct letter *next = front->spare->next_spare;
        letter_free(front->spare);
        front->spare = next;
    }
}

void letter_refuse(struct session *session, enum smtp_verdict verdict)
{
    struct letter *letter = session->letter;

    letter->verdict = verdict;
    letter->begun = false;
    letter->whole = BYTES_NONE;
    buffer_done(&letter->text);
}

/* What was begun, the store shall forget. */
static void take_back(struct front *front, struct letter *letter)
{
    struct way *way = letter->begun ? way_of(front, letter->token) : NULL;

    if (way == NULL)
        return;
    wire_tell_letter_drop(front->fx, front_to_store, &(struct wire_letter_drop){ letter->token });
    way_free(front, way);
    letter->begun = false;
}

static void give_up(struct front *front, struct session *session, enum smtp_verdict verdict)
{
    take_back(front, session->letter);
    letter_refuse(session, verdict);
}

void letter_drop(struct front *front, struct session *session)
{
    if (session->letter != NULL)
        take_back(front, session->letter);
    letter_release(front, session);
}

/* Text for an effect of this step: what lies in the event's own octets may stay there, what lies in
   a buffer of ours may be moved before the world takes it. */
static struct bytes lasting(struct front *front, struct bytes text)
{
    uintptr_t at = (uintptr_t)text.at, from = (uintptr_t)front->input.at;

    if (at >= from && at - from < front->input.n && text.n <= front->input.n - (at - from))
        return text;
    return fx_keep(front->fx, text);
}

/* ---- parts */

/* Octets that may be told now. While this front holds too much, a letter keeps only one part on its
   way: each goes on, and none is forgotten. */
static size_t may_tell(struct front *front, const struct letter *letter)
{
    const struct way *way = way_of(front, letter->token);

    if (way == NULL || (front->held + front->on_way > LIMIT_FRONT_TEXT && way->held > 0))
        return 0;
    return letter->credit < WIRE_TAIL_MOST ? (size_t)letter->credit : WIRE_TAIL_MOST;
}

/* One part from the start of *text, moved on; false: the store takes no more now. */
static bool tell_part(struct front *front, struct letter *letter, struct bytes *text)
{
    struct bytes part = bytes_first(*text, may_tell(front, letter));

    if (part.n == 0)
        return false;
    struct wire_letter_part message = { letter->token, lasting(front, part) };
    wire_tell_letter_part(front->fx, front_to_store, &message);
    way_hold(front, way_of(front, letter->token), part.n);
    letter->credit -= part.n;
    *text = bytes_skip(*text, part.n);
    return true;
}

/* Tell what is gathered: whole parts, or all of it. */
static void tell_gathered(struct front *front, struct letter *letter, bool all)
{
    struct bytes text = buffer_bytes(&letter->text);

    while (text.n >= FRONT_PART_BYTES || (all && text.n > 0))
        if (!tell_part(front, letter, &text))
            break;
    buffer_drop(&letter->text, letter->text.n - text.n);
}

bool letter_waits(const struct front *front, const struct session *session)
{
    const struct letter *letter = session->letter;

    return letter != NULL && letter->begun
        && (letter->ended || letter->text.n >= FRONT_PART_BYTES);
}

/* ---- begin */

/* As many blocks of front->expanded as fit in one frame, from *at on, which is moved on. */
static struct bytes next_recipients(const struct front *front, size_t *at)
{
    struct bytes left = bytes_skip(buffer_bytes(&front->expanded), *at);
    struct reader in = reader_of(left);
    size_t n = 0;

    while (!reader_empty(&in)) {
        (void)read_block(&in);
        if (in.at > WIRE_TAIL_MOST)
            break;
        n = in.at;
    }
    *at += n;
    return bytes_first(left, n);
}

/* LETTER_BEGIN and the recipients. False: it is given up. */
static bool begin(struct front *front, struct session *session)
{
    struct letter *letter = session->letter;
    size_t at = 0;

    if (front->store != STORE_OPEN && front->store != STORE_LOW)
        return give_up(front, session, SMTP_NOT_NOW), false;
    if (!way_new(front, session, &letter->token))
        return give_up(front, session, SMTP_NO_SPACE), false;
    letter->begun = true;
    letter->credit = LIMIT_LETTER_CREDIT;
    struct wire_letter_begin message = {
        .token = letter->token, .binary = smtp_server_body(session->smtp) == BODY_BINARYMIME,
        .size = smtp_server_declared_size(session->smtp),
    };
    wire_tell_letter_begin(front->fx, front_to_store, &message);
    alias_expand(front, session);
    if (front->expanded.bad)
        return give_up(front, session, SMTP_NO_SPACE), false;
    while (at < front->expanded.n) {
        struct wire_letter_to to = { letter->token,
                                     fx_keep(front->fx, next_recipients(front, &at)) };
        wire_tell_letter_to(front->fx, front_to_store, &to);
    }
    return true;
}

/* ---- text comes */

static struct letter *letter_here(struct front *front, struct session *session)
{
    if (session->letter != NULL || session->starved)
        return session->letter;
    session->letter = letter_new(front);
    session->starved = session->letter == NULL;
    if (session->letter != NULL && front->held + front->on_way > LIMIT_FRONT_TEXT)
        letter_refuse(session, SMTP_NO_SPACE);
    return session->letter;
}

/* Is it still one slice of the input in hand, with this behind it? Never one that is made. */
static bool extends(struct letter *letter, struct bytes text)
{
    if (letter->text.n > 0 || letter->sum != NULL)
        return false;
    if (letter->whole.n > 0 && letter->whole.at + letter->whole.n != text.at)
        return false;
    if (letter->whole.n == 0)
        letter->whole.at = text.at;
    letter->whole.n += text.n;
    return true;
}

static void gather(struct letter *letter, struct bytes text)
{
    buffer_put(&letter->text, letter->whole);
    letter->whole = BYTES_NONE;
    buffer_put(&letter->text, text);
}

/* Of a begun letter: large slices go as they are, small ones are gathered first. */
static void stream(struct front *front, struct letter *letter, struct bytes text)
{
    if (letter->text.n == 0)
        while (text.n >= FRONT_PART_BYTES && tell_part(front, letter, &text))
            ;
    if (text.n == 0)
        return;
    buffer_put(&letter->text, text);
    tell_gathered(front, letter, false);
}

/* Of one that is made by a recipe the sum is taken. False: it cannot be. */
static bool add_up(struct letter *letter, struct bytes wanted, struct bytes text)
{
    if (wanted.n == 0)
        return true;
    if (letter->sum == NULL)
        letter->sum = digest_new(DIGEST_SHA256);
    if (letter->sum != NULL)
        digest_put(letter->sum, text);
    return letter->sum != NULL;
}

void letter_text(struct front *front, struct session *session, struct bytes text)
{
    struct letter *letter = letter_here(front, session);

    if (letter == NULL)
        return;
    letter->size += text.n;
    letter->octet_ms = front->now.mono_ms;
    if (letter->verdict == SMTP_YES && !add_up(letter, smtp_server_sum(session->smtp), text))
        give_up(front, session, SMTP_NO_SPACE);
    if (letter->verdict != SMTP_YES)
        return;
    header_scan_feed(&letter->header, text);
    if (!letter->begun && (letter->size > FRONT_SMALL_TEXT
                           || smtp_server_declared_size(session->smtp) > FRONT_SMALL_TEXT)) {
        if (!begin(front, session))
            return;
        gather(letter, BYTES_NONE);
    }
    if (letter->begun)
        stream(front, letter, text);
    else if (!extends(letter, text))
        gather(letter, text);
    if (letter->text.bad)
        give_up(front, session, SMTP_NO_SPACE);
}

void letter_keep(struct front *front, struct session *session)
{
    struct letter *letter = session->letter;

    if (letter == NULL || letter->whole.n == 0)
        return;
    gather(letter, BYTES_NONE);
    if (letter->text.bad)
        give_up(front, session, SMTP_NO_SPACE);
}

/* ---- it is whole */

/* RFC 2852, 4.1.2: the seconds count from MAIL on. */
static void set_by(const struct session *session, struct envelope *envelope)
{
    int32_t seconds;

    envelope->by = smtp_server_by(session->smtp, &seconds, &envelope->by_trace);
    uint64_t far_ms = (uint64_t)(seconds < 0 ? -seconds : seconds) * 1000;
    uint64_t at_ms = session->mail_ms;
    if (envelope->by == BY_NOT_GIVEN)
        return;
    at_ms = seconds >= 0 ? at_ms + far_ms : at_ms > far_ms ? at_ms - far_ms : 0;
    envelope->by_ms = at_ms < ENVELOPE_BY_MOST ? at_ms : ENVELOPE_BY_MOST;
}

static void put_head(struct front *front, const struct session *session)
{
    struct envelope envelope = {
        .sender = smtp_server_sender(session->smtp),
        .body = smtp_server_body(session->smtp),
        .smtputf8 = smtp_server_utf8(session->smtp),
        .require_tls = smtp_server_require_tls(session->smtp),
        .received_ms = front->now.wall_ms,
        .protocol = smtp_server_protocol(session->smtp),
        .helo = smtp_server_helo(session->smtp),
        .peer = { session->peer, session->peer_n },
        .host = front->conf->host,
        .message_id = header_scan_message_id(&session->letter->header),
        .ret = smtp_server_ret(session->smtp),
        .envid = smtp_server_envid(session->smtp),
        .priority = smtp_server_priority(session->smtp),
    };

    set_by(session, &envelope);
    buffer_clear(&front->head);
    envelope_put(&front->head, &envelope);
}

/* The planted fault: now and then the text that another session brought before goes in place of
   this. */
static struct bytes crossed(struct front *front, const struct session *session, struct bytes text)
{
    bool now = front->planted.n > 0 && front->planted_of != session->number
            && ++front->planted_n % 8 == 0;
    struct bytes other = now ? fx_keep(front->fx, buffer_bytes(&front->planted)) : text;

    buffer_clear(&front->planted);
    buffer_put(&front->planted, text);
    front->planted_of = session->number;
    return other;
}

/* The letter's place for the store's answer, filled in. */
static void fill_way(struct front *front, struct session *session, uint32_t token)
{
    struct way *way = way_of(front, session->letter->token);

    way->open = false;
    way->token = token;
    way->size = session->letter->size;
    log_story_take(session, &way->story);
    session->unsettled++;
}

/* All of it as one frame; false: it does not fit, or has no place. */
static bool tell_small(struct front *front, struct session *session, uint32_t token)
{
    struct letter *letter = session->letter;
    struct bytes text = letter->whole.n > 0 ? letter->whole : buffer_bytes(&letter->text);

    alias_expand(front, session);
    if (front->expanded.bad || text.n + front->head.n + front->expanded.n + 64 > LIMIT_FRAME_BYTES
        || !way_new(front, session, &letter->token))
        return false;
    fill_way(front, session, token);
    struct way *way = way_of(front, letter->token);
    way->ahead = text.n;
    session->ahead += text.n;
    way_hold(front, way, text.n);
    if (PLANTED(texts_crossed))
        text = crossed(front, session, text);
    struct wire_letter message = {
        .token = letter->token, .binary = smtp_server_body(session->smtp) == BODY_BINARYMIME,
        .head = buffer_bytes(&front->head), .to = buffer_bytes(&front->expanded),
        .text = lasting(front, text),
    };
    wire_tell_letter(front->fx, front_to_store, &message);
    letter_release(front, session);
    return true;
}

/* Settled here and now, without the store. */
static void settle(struct front *front, struct session *session, uint32_t token,
                   enum smtp_verdict verdict)
{
    uint64_t size = session->letter == NULL ? 0 : session->letter->size;

    log_letter(front, session, session->number, &session->story, size, verdict, BYTES_NONE);
    buffer_clear(&session->story);
    log_story_lost(front, session);
    letter_drop(front, session);
    smtp_server_settle(session->smtp, token, verdict, BYTES_NONE);
    front_mark(front, session);
}

/* Is it octet for octet what the sender had? */
static enum smtp_verdict judge_sum(struct letter *letter, struct bytes wanted)
{
    uint8_t sum[DIGEST_MOST];

    if (wanted.n == 0)
        return SMTP_YES;
    if (letter->sum == NULL)                /* not an octet came */
        return SMTP_BAD_RECIPE;
    if (!digest_end(letter->sum, sum))
        return SMTP_NOT_NOW;
    return bytes_equal(wanted, (struct bytes){ (const char *)sum, wanted.n }) ? SMTP_YES
                                                                              : SMTP_BAD_RECIPE;
}

static enum smtp_verdict judge(struct front *front, struct session *session)
{
    struct letter *letter = letter_here(front, session);

    if (letter == NULL)
        return SMTP_NO_SPACE;
    if (letter->verdict == SMTP_YES)
        letter->verdict = judge_sum(letter, smtp_server_sum(session->smtp));
    if (letter->verdict == SMTP_YES)
        letter->verdict = header_verdict(front, letter, session);
    if (letter->verdict == SMTP_YES && front->store != STORE_OPEN && front->store != STORE_LOW)
        letter->verdict = SMTP_NOT_NOW;
    return letter->verdict;
}

void letter_end(struct front *front, struct session *session, uint32_t token)
{
    enum smtp_verdict verdict = judge(front, session);

    if (verdict == SMTP_YES) {
        put_head(front, session);
        if (front->head.bad)
            verdict = SMTP_NO_SPACE;
        else if (!session->letter->begun && tell_small(front, session, token))
            return;
    }
    if (verdict == SMTP_YES && !session->letter->begun && begin(front, session))
        gather(session->letter, BYTES_NONE);
    struct letter *letter = session->letter;
    if (verdict == SMTP_YES && letter->begun) {
        buffer_put(&letter->head, buffer_bytes(&front->head));
        if (letter->head.bad || letter->text.bad)
            verdict = SMTP_NO_SPACE;
    } else if (verdict == SMTP_YES) {
        verdict = letter->verdict;
    }
    if (verdict != SMTP_YES) {
        settle(front, session, token, verdict);
        return;
    }
    fill_way(front, session, token);
    letter->ended = true;
    letter_go_on(front, session);
}

void letter_go_on(struct front *front, struct session *session)
{
    struct letter *letter = session->letter;

    if (letter == NULL || !letter->begun)
        return;
    tell_gathered(front, letter, letter->ended);
    if (!letter->ended || letter->text.n > 0)
        return;
    struct wire_letter_end message = { letter->token, letter->size,
                                       fx_keep(front->fx, buffer_bytes(&letter->head)) };
    wire_tell_letter_end(front->fx, front_to_store, &message);
    letter_release(front, session);
}
