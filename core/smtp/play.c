/* SPDX-License-Identifier: ISC */
#include "smtp/play_int.h"

#include "base/arena.h"

#include <string.h>

enum { PLAY_MOST = 256 * 1024 * 1024 };

void play_begin(struct play *play)
{
    play->replies = buffer_with_most(PLAY_MOST);
    play->letters = buffer_with_most(PLAY_MOST);
    play->notes = buffer_with_most(PLAY_MOST);
    play->text = buffer_with_most(PLAY_MOST);
    play->pending = buffer_with_most(PLAY_MOST);
    play->server = smtp_server_new(&play->settings);
    if (play->server == NULL)
        return;
    smtp_server_greet(play->server);
    play_turn(play);
}

void play_done(struct play *play)
{
    smtp_server_free(play->server);
    buffer_done(&play->replies);
    buffer_done(&play->letters);
    buffer_done(&play->notes);
    buffer_done(&play->text);
    buffer_done(&play->pending);
    mem_free(play->place);
}

static enum smtp_verdict judge_recipient(struct address address)
{
    static const struct { const char *local; enum smtp_verdict verdict; } rows[] = {
        { "nobody", SMTP_NO_MAILBOX }, { "later", SMTP_NOT_NOW },
        { "full", SMTP_NO_SPACE }, { "hush", SMTP_SILENCE },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (bytes_begins(address.local, bytes_of(rows[i].local)))
            return rows[i].verdict;
    }
    return bytes_begins(address.domain, BYTES("elsewhere")) ? SMTP_NO_RELAY : SMTP_YES;
}

static enum smtp_verdict judge_letter(struct bytes sender)
{
    static const struct { const char *local; enum smtp_verdict verdict; } rows[] = {
        { "loop@", SMTP_LOOP }, { "badheader@", SMTP_BAD_HEADER }, { "notnow@", SMTP_NOT_NOW },
        { "nospace@", SMTP_NO_SPACE }, { "unsure@", SMTP_SILENCE },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (bytes_begins(sender, bytes_of(rows[i].local)))
            return rows[i].verdict;
    }
    return SMTP_YES;
}

static void settle(struct play *play, uint32_t i)
{
    struct buffer id = buffer_with_most(SMTP_ID_MOST);

    buffer_put_text(&id, "ID");
    buffer_put_uint(&id, play->unsettled[i]);
    smtp_server_settle(play->server, play->unsettled[i], play->verdicts[i], buffer_bytes(&id));
    buffer_done(&id);
}

static bool settle_all(struct play *play)
{
    uint32_t n = play->unsettled_n;

    for (uint32_t i = 0; i < n; i++)
        settle(play, play->order == PLAY_BACKWARDS ? n - 1 - i : i);
    play->unsettled_n = 0;
    return n > 0;
}

static void write_envelope(struct play *play)
{
    static const char *const bodies[] = { "7BIT", "8BITMIME", "BINARYMIME" };
    const struct smtp_server *server = play->server;
    struct buffer *to = &play->letters;

    buffer_put(to, smtp_server_sender(server));
    for (size_t i = 0; i < smtp_server_recipients(server); i++) {
        buffer_put_char(to, i == 0 ? '>' : ',');
        buffer_put(to, smtp_server_recipient(server, i));
    }
    buffer_put_char(to, ' ');
    buffer_put_text(to, bodies[smtp_server_body(server)]);
    buffer_put_text(to, smtp_server_utf8(server) ? " UTF8 " : " ");
    buffer_put(to, smtp_server_protocol(server));
    buffer_put_char(to, ' ');
    buffer_put_uint(to, smtp_server_declared_size(server));
}

static void write_letter(struct play *play, uint32_t token)
{
    if (token != play->letters_n)
        play->broken = "tokens count from 0";
    play->letters_n++;
    write_envelope(play);
    buffer_put_text(&play->letters, ": ");
    buffer_put(&play->letters, buffer_bytes(&play->text));
    buffer_put_char(&play->letters, '\n');
    buffer_clear(&play->text);
    if (play->unsettled_n == PLAY_UNSETTLED_MOST) {
        play->broken = "LIMIT_COMMITS_AHEAD";
        return;
    }
    play->unsettled[play->unsettled_n] = token;
    play->verdicts[play->unsettled_n] = judge_letter(smtp_server_sender(play->server));
    play->unsettled_n++;
    if (play->order == PLAY_AT_ONCE)
        settle_all(play);
}

static void write_note(struct play *play)
{
    struct smtp_note note = smtp_server_note(play->server);

    buffer_put(&play->notes, note.verb);
    buffer_put_char(&play->notes, '|');
    buffer_put(&play->notes, note.text);
    buffer_put_char(&play->notes, '|');
    buffer_put_uint(&play->notes, note.octets);
    buffer_put_text(&play->notes, note.last ? " LAST|" : "|");
    buffer_put_uint(&play->notes, note.reply);
    buffer_put_char(&play->notes, '\n');
}

static void drain(struct play *play)
{
    buffer_put(&play->replies, smtp_server_output(play->server));
    smtp_server_sent(play->server);
}

/* One step. What it borrows from the input stays until the next one, and no longer. */
static struct smtp_event step(struct play *play, struct bytes *in)
{
    if (!play->moving)
        return smtp_server_step(play->server, in);
    char *copy = mem_new(in->n);
    if (copy == NULL)
        return (struct smtp_event){ .kind = SMTP_CLOSE };
    memcpy(copy, in->at, in->n);
    mem_free(play->place);
    play->place = copy;
    struct bytes there = { copy, in->n };
    struct smtp_event event = smtp_server_step(play->server, &there);
    *in = bytes_skip(*in, in->n - there.n);
    return event;
}

/* Events until the machine wants to be left alone. Moves *in on. */
static void run(struct play *play, struct bytes *in)
{
    for (;;) {
        struct smtp_event event = step(play, in);
        drain(play);
        switch (event.kind) {
        case SMTP_MORE: return;
        case SMTP_ASK_RCPT:
            smtp_server_answer_rcpt(play->server, judge_recipient(event.address));
            break;
        case SMTP_TEXT:
            if (event.text.n == 0)
                play->broken = "SMTP_TEXT gives octets";
            buffer_put(&play->text, event.text);
            break;
        case SMTP_END: write_letter(play, event.token); break;
        case SMTP_DROP:
            play->drops++;
            buffer_clear(&play->text);
            break;
        case SMTP_NOTE: write_note(play); break;
        case SMTP_STARTTLS: play->broken = "STARTTLS is not offered"; break;
        case SMTP_XCLIENT: smtp_server_greet(play->server); break;
        case SMTP_CLOSE:
            play->closed = true;
            if (play->text.n > 0)
                play->broken = "a letter begun is dropped before SMTP_CLOSE";
            return;
        }
    }
}

/* As long as something moves: input, or letters that can be settled. */
static void run_all(struct play *play, struct bytes *in)
{
    do {
        size_t before;
        do {
            before = in->n;
            run(play, in);
        } while (!play->closed && in->n < before && in->n > 0);
    } while (!play->closed && in->n > 0 && settle_all(play));
}

void play_feed(struct play *play, struct bytes input)
{
    if (play->server == NULL || play->closed)
        return;
    if (play->pending.n == 0) {
        run_all(play, &input);
        buffer_put(&play->pending, input);
        return;
    }
    buffer_put(&play->pending, input);
    struct bytes in = buffer_bytes(&play->pending);
    run_all(play, &in);
    buffer_drop(&play->pending, play->pending.n - in.n);
}

void play_turn(struct play *play)
{
    struct bytes in = buffer_bytes(&play->pending);

    if (play->server == NULL)
        return;
    do {
        run_all(play, &in);
        settle_all(play);
        drain(play);
    } while (play->unsettled_n > 0);
    if (!play->closed)
        run_all(play, &in);
    buffer_drop(&play->pending, play->pending.n - in.n);
}

void play_end(struct play *play)
{
    if (play->server == NULL || play->closed)
        return;
    smtp_server_end(play->server);
    play_turn(play);
    if (!play->closed)
        play->broken = "the end of input leads to SMTP_CLOSE";
}

void play_summary(const struct play *play, struct buffer *to)
{
    struct bytes rest = buffer_bytes(&play->replies), line;

    while (bytes_cut(&rest, '\n', &line)) {
        struct status_code code;
        size_t used;
        if (line.n >= 4 && line.at[3] == '-')
            continue;
        if (to->n > 0)
            buffer_put_char(to, ' ');
        buffer_put(to, bytes_first(line, 3));
        if (!status_parse(bytes_skip(line, 4), &code, &used))
            continue;
        buffer_put_char(to, '/');
        status_put(to, code);
    }
    if (play->closed)
        buffer_put_text(to, to->n > 0 ? " close" : "close");
}
