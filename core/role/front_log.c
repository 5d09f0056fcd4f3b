/* SPDX-License-Identifier: ISC
 *
 * role/front_log.c: the log of a session. Each letter costs one line, told when it is settled, with
 * its MAIL and RCPT in it; a refused command, HELO, QUIT and the end of a session have theirs.
 */
#include "role/front_int.h"

#include "base/ip.h"
#include "base/log.h"

static void send_line(struct front *front, enum log_level level, struct buffer *line)
{
    fx_log(front->fx, level, fx_keep(front->fx, buffer_bytes(line)));
}

static struct buffer *begin(struct front *front, const char *event, uint64_t number)
{
    struct buffer *line = fx_draft(front->fx);

    log_begin(line, event);
    log_uint(line, "session", number);
    return line;
}

static void put_code(struct buffer *line, unsigned reply, struct status_code code)
{
    struct buffer text = buffer_with_most(16);

    log_uint(line, "reply", reply);
    if (code.class == 0)
        return;
    status_put(&text, code);
    log_ours(line, "code", buffer_bytes(&text));
    buffer_done(&text);
}

void log_client(struct front *front, const struct session *session, const char *how)
{
    struct buffer *line = begin(front, how, session->number);

    log_ours(line, "peer", (struct bytes){ session->peer, session->peer_n });
    log_uint(line, "port", session->remote.port);
    send_line(front, LOG_INFO, line);
}

void log_turned_away(struct front *front, const struct session *session, const char *why)
{
    struct buffer *line = begin(front, "turned-away", session->number);

    count_turned_away(front, why);
    log_ours(line, "why", bytes_of(why));
    send_line(front, LOG_INFO, line);
}

void log_early(struct front *front, const struct session *session, size_t octets)
{
    struct buffer *line = begin(front, "early-talker", session->number);

    log_uint(line, "octets", octets);
    send_line(front, LOG_INFO, line);
}

void log_stress(struct front *front, bool stressed)
{
    struct buffer *line = fx_draft(front->fx);

    log_begin(line, stressed ? "stress-begins" : "stress-ends");
    log_uint(line, "connected", front->connected);
    log_uint(line, "connections", conf_connections(front->conf));
    send_line(front, LOG_WARN, line);
}

/* A stranger's octets, shorter when escaping makes them too long for one line. */
static void put_theirs(struct buffer *line, const char *key, struct bytes text)
{
    enum { LEFT_FOR_THE_REST = 64, SHORT = 64 };
    size_t n = line->n;

    log_theirs(line, key, text);
    if (line->n <= LIMIT_LOG_LINE - LEFT_FOR_THE_REST)
        return;
    line->n = n;
    log_theirs(line, key, bytes_first(text, SHORT));
}

/* One more field of the story, or none when it is full: half a field would lie. */
static void put_story(struct buffer *story, const char *key, struct bytes text)
{
    size_t n = story->n;

    log_theirs(story, key, text);
    if (story->bad) {
        story->n = n;
        story->bad = false;
    }
}

static void note_mail(struct session *session, const struct smtp_note *note)
{
    if (session->story.room == 0 && !buffer_reserve(&session->story, 192))
        session->story.bad = false;
    put_story(&session->story, "mail", note->text);
}

static void note_rcpt(struct session *session, const struct smtp_note *note)
{
    if (session->story_recipients++ < FRONT_RECIPIENTS_LOGGED)
        put_story(&session->story, "rcpt", note->text);
}

static bool is_verb(const struct smtp_note *note, struct bytes verb)
{
    return bytes_equal(note->verb, verb);
}

/* A command that was taken: only what no other line tells. */
static void note_taken(struct front *front, struct session *session, const struct smtp_note *note)
{
    if (is_verb(note, BYTES("MAIL"))) {
        note_mail(session, note);
    } else if (is_verb(note, BYTES("RCPT"))) {
        note_rcpt(session, note);
    } else if (is_verb(note, BYTES("BDAT")) || is_verb(note, BYTES("DATA"))) {
        session->story_chunks += is_verb(note, BYTES("BDAT"));
    } else if (is_verb(note, BYTES("EHLO")) || is_verb(note, BYTES("HELO"))) {
        log_story_lost(front, session);
        struct buffer *line = begin(front, "helo", session->number);
        log_ours(line, "verb", note->verb);
        put_theirs(line, "name", note->text);
        send_line(front, LOG_INFO, line);
    } else if (is_verb(note, BYTES("RSET"))) {
        log_story_lost(front, session);
    } else if (is_verb(note, BYTES("QUIT"))) {
        log_story_lost(front, session);
        log_end(front, session, "quit");
    }
}

/* The line goes to the store, too, for the letter to postmaster. */
static void send_refused(struct front *front, struct buffer *line)
{
    struct bytes kept = fx_keep(front->fx, buffer_bytes(line));

    fx_log(front->fx, LOG_INFO, kept);
    if (front->conf->refused_report_ms > 0)
        wire_tell_refused_news(front->fx, front_to_store, &(struct wire_refused_news){ kept });
}

void log_note(struct front *front, struct session *session, const struct smtp_note *note)
{
    if (note->reply < 400) {
        note_taken(front, session, note);
        return;
    }
    count_refusal(front, note->verb, note->reply);
    struct buffer *line = begin(front, "refused", session->number);
    log_ours(line, "verb", note->verb.n == 0 ? BYTES("unknown") : note->verb);
    put_theirs(line, "text", note->text);
    if (note->octets > 0)
        log_uint(line, "octets", note->octets);
    put_code(line, note->reply, note->code);
    if (is_verb(note, BYTES("RCPT")))
        send_refused(front, line);
    else
        send_line(front, LOG_INFO, line);
}

static void forget_story(struct session *session)
{
    buffer_clear(&session->story);
    session->story_recipients = session->story_chunks = 0;
}

void log_story_lost(struct front *front, struct session *session)
{
    if (session->story.n > 0) {
        struct buffer *line = begin(front, "no-letter", session->number);
        buffer_put(line, buffer_bytes(&session->story));
        log_uint(line, "rcpts", session->story_recipients);
        send_line(front, LOG_INFO, line);
    }
    forget_story(session);
}

void log_story_take(struct session *session, struct buffer *ret_story)
{
    struct buffer story = *ret_story;

    if (session->story_recipients > FRONT_RECIPIENTS_LOGGED)
        log_uint(&session->story, "rcpts", session->story_recipients);
    if (session->story_chunks > 0)
        log_uint(&session->story, "bdat", session->story_chunks);
    else
        log_ours(&session->story, "data", BYTES("1"));
    *ret_story = session->story;
    session->story = story;
    forget_story(session);
}

void log_letter(struct front *front, const struct session *session, uint64_t number,
                const struct buffer *story, uint64_t size, enum smtp_verdict verdict,
                struct bytes id)
{
    static const struct { unsigned reply; struct status_code code; const char *what; } rows[] = {
        [SMTP_YES] = { 250, { 2, 0, 0 }, "letter" },
        [SMTP_NO_MAILBOX] = { 550, { 5, 1, 1 }, "letter-refused" },
        [SMTP_NO_RELAY] = { 550, { 5, 7, 1 }, "letter-refused" },
        [SMTP_NOT_YOURS] = { 550, { 5, 7, 1 }, "letter-refused" },
        [SMTP_NOT_NOW] = { 451, { 4, 3, 0 }, "letter-refused" },
        [SMTP_NO_SPACE] = { 452, { 4, 3, 1 }, "letter-refused" },
        [SMTP_TOO_LARGE] = { 552, { 5, 3, 4 }, "letter-refused" },
        [SMTP_LOOP] = { 554, { 5, 4, 6 }, "letter-refused" },
        [SMTP_BAD_HEADER] = { 550, { 5, 6, 0 }, "letter-refused" },
        [SMTP_BAD_RECIPE] = { 554, { 5, 6, 5 }, "letter-refused" },
        [SMTP_SILENCE] = { 0, { 0, 0, 0 }, "letter-uncertain" },
    };
    _Static_assert(COUNT(rows) == SMTP_VERDICTS, "a verdict without a row");
    struct buffer *line = begin(front, rows[verdict].what, number);

    count_letter(front, rows[verdict].reply, size);
    if (id.n > 0)
        log_ours(line, "id", id);
    log_uint(line, "size", size);
    put_code(line, rows[verdict].reply, rows[verdict].code);
    if (session == NULL)
        log_ours(line, "client", BYTES("gone"));
    buffer_put(line, buffer_bytes(story));
    if (rows[verdict].reply >= 400)
        send_refused(front, line);
    else
        send_line(front, verdict == SMTP_SILENCE ? LOG_ERROR : LOG_INFO, line);
}

void log_end(struct front *front, const struct session *session, const char *how)
{
    struct buffer *line = begin(front, how, session->number);

    send_line(front, LOG_INFO, line);
}

void log_store(struct front *front, const char *what)
{
    struct buffer *line = fx_draft(front->fx);

    log_begin(line, what);
    send_line(front, LOG_WARN, line);
}

static void put_offered(struct buffer *line, struct bytes suites)
{
    static const char digits[] = "0123456789abcdef";
    struct buffer text = buffer_with_most(2 * TLS_OFFERED_MOST);

    for (size_t i = 0; i < suites.n; i++) {
        buffer_put_char(&text, digits[octet(suites.at[i]) >> 4]);
        buffer_put_char(&text, digits[octet(suites.at[i]) & 15]);
    }
    if (text.n > 0)
        log_ours(line, "offered", buffer_bytes(&text));
    buffer_done(&text);
}

void log_tls(struct front *front, const struct session *session, const char *event)
{
    struct tls_facts facts = tls_facts(session->tls);
    struct buffer *line = begin(front, event, session->number);

    if (facts.version.n > 0) {
        log_ours(line, "version", facts.version);
        log_ours(line, "cipher", facts.cipher);
        log_uint(line, "bits", facts.bits);
        log_ours(line, "verified", facts.verified ? BYTES("yes") : BYTES("no"));
        log_ours(line, "resumed", facts.resumed ? BYTES("yes") : BYTES("no"));
    } else {
        put_offered(line, facts.offered);
    }
    if (facts.alerted) {
        log_ours(line, "alert", bytes_of(tls_alert_name(facts.alert)));
        log_ours(line, "by", facts.alert_ours ? BYTES("us") : BYTES("peer"));
    }
    if (facts.name.n > 0) {
        put_theirs(line, "sni", facts.name);
        log_ours(line, "known", facts.name_known ? BYTES("yes") : BYTES("no"));
    }
    send_line(front, LOG_INFO, line);
}
