/* SPDX-License-Identifier: ISC
 *
 * What replies mean, and what came of it all.
 */
#include "role/once_send_int.h"

#include "base/safe.h"
#include "bounce/explain.h"
#include "mail/width.h"

enum { COLUMNS = 80, INDENT = 6, WORDS_ROOM = 64 * 1024 };

/* 500 to 504 with 5.5.x or no code, 555: a command that is not known here, or not now. The cards
   speak of letters between servers; here a person says the commands. */
static bool is_about_the_command(struct bytes reply)
{
    struct status_code status;
    size_t used;
    bool class = bytes_begins(reply, BYTES("50")) || bytes_begins(reply, BYTES("555"));

    if (!status_parse(bytes_skip(reply, 4), &status, &used))
        return class;
    return class && status.subject == 5;
}

/* Made with the first refusal: most dialogues need none, and it takes longer than they do. */
static bool has_reader(struct sender *sender)
{
    if (sender->rules == NULL)
        sender->rules = rules_builtin();
    if (sender->reader == NULL && sender->rules != NULL)
        sender->reader = bounce_reader_new(sender->rules);
    return sender->reader != NULL;
}

enum cause_category send_put_meaning(struct sender *sender, struct bytes reply,
                                     struct bytes address, struct buffer *headline,
                                     struct buffer *who)
{
    const struct lang *lang = lang_english();
    struct card_style style = { .lang = lang };
    struct bounce_report report;

    if (is_about_the_command(reply)) {
        buffer_put_text(headline, "The server does not take this command, or not here, or not "
                                  "as it was said");
        buffer_put(who, lang_text(lang, LANG_WHO_SENDER));
        return CAUSE_FORMAT;
    }
    if (!has_reader(sender))
        return CAUSE_NONE;
    bounce_explain_reply(sender->reader, reply, &report);
    if (report.recipients_n == 0 || !card_is_failure(report.recipients))
        return CAUSE_NONE;
    struct bounce_recipient *one = report.recipients;
    quotes_know(one, address, quotes_by_words(one));
    if (one->cause.category == CAUSE_DELAYED)       /* here nobody keeps the letter and waits */
        buffer_put_text(headline, "Not now: the server wants it to be tried again later");
    else
        card_put_headline(headline, one, report.kind, &style);
    buffer_put(who, lang_text(lang, card_who(one->cause.who)));
    return one->cause.category;
}

static enum cause_category meaning_of(struct sender *sender, const struct send_result *result,
                                      struct buffer *headline, struct buffer *who)
{
    return send_put_meaning(sender, result->words, result->address, headline, who);
}

/* ---- how it went */

struct count {
    size_t taken, later, refused, unknown, missing;
};

static struct count count_results(struct sender *sender)
{
    struct count count = { 0 };

    for (size_t i = 0; i < sender->order->to.n; i++) {
        struct send_result *result = &sender->results[i];
        struct buffer headline = buffer_with_most(LANG_TEXT_MOST);
        struct buffer who = buffer_with_most(LANG_TEXT_MOST);
        switch (result->outcome) {
        case OUTCOME_NONE: count.unknown++; break;
        case OUTCOME_TAKEN: count.taken++; break;
        case OUTCOME_LATER: count.later++; break;
        case OUTCOME_REFUSED:
            count.refused++;
            count.missing += meaning_of(sender, result, &headline, &who)
                             == CAUSE_USER_MISSING;
            break;
        }
        buffer_done(&headline);
        buffer_done(&who);
    }
    return count;
}

static int exit_of(const struct sender *sender, const struct count *count)
{
    if (sender->order->to.n == 0 || (sender->status != 0 && sender->status != ONCE_UNAVAILABLE))
        return sender->status;
    if (count->refused > 0)
        return count->missing == count->refused ? SEND_NO_USER : ONCE_UNAVAILABLE;
    if (sender->status == 0 && count->later > 0)
        return ONCE_NOT_NOW;
    return sender->status;
}

/* ---- in text */

static void put_seconds(struct buffer *to, uint64_t us)
{
    buffer_put_uint(to, us / 1000000);
    buffer_put_char(to, '.');
    buffer_put_uint_wide(to, us / 10000 % 100, 2);
    buffer_put_text(to, " s");
}

static void put_letter_line(struct sender *sender, const struct count *count, struct buffer *to)
{
    size_t all = sender->order->to.n;

    buffer_put_text(to, count->taken > 0 ? "Accepted by "
                        : count->refused > 0 ? "Refused by " : "Not accepted by ");
    send_put_peer(to, &sender->peer);
    if (count->taken > 0 && count->taken < all) {
        buffer_put_text(to, " for ");
        buffer_put_uint(to, count->taken);
        buffer_put_text(to, " of ");
        buffer_put_uint(to, all);
        buffer_put_text(to, " recipients");
    }
}

/* What was asked for and done, in one line. */
static void put_headline(struct sender *sender, const struct count *count, struct buffer *to)
{
    const struct send_order *order = sender->order;
    bool letter = order->to.n > 0 && order->script.n == 0 && order->stop == SEND_STAGES;

    if (sender->why.n > 0 && count->taken == 0) {
        buffer_put_text(to, letter && sender->text_over ? "Not known: " : "Not done: ");
        buffer_put(to, bytes_upto(buffer_bytes(&sender->why), '\0'));
        return;
    }
    if (letter) {
        put_letter_line(sender, count, to);
        return;
    }
    buffer_put_text(to, order->script.n > 0 ? "The script ran to its end with "
                        : sender->status == 0 ? "All was answered well by "
                                              : "Something was refused by ");
    send_put_peer(to, &sender->peer);
    if (order->script.n == 0)
        buffer_put_text(to, "; no letter was sent");
}

static const char *outcome_words(const struct sender *sender, enum send_outcome outcome)
{
    bool asked = sender->order->stop != SEND_STAGES;

    switch (outcome) {
    case OUTCOME_TAKEN: return asked ? "would be taken" : "taken";
    case OUTCOME_LATER: return "not now";
    case OUTCOME_REFUSED: return "refused";
    case OUTCOME_NONE: break;
    }
    return "not sent";
}

static void put_wrapped(struct buffer *to, struct bytes text)
{
    buffer_put_chars(to, ' ', INDENT);
    width_put(to, text, INDENT, INDENT, COLUMNS, "\n");
    buffer_put_char(to, '\n');
}

static void put_reply(struct buffer *to, struct bytes reply)
{
    struct bytes line;

    while (bytes_cut(&reply, '\n', &line)) {
        buffer_put_chars(to, ' ', INDENT);
        safe_put_plain(to, line);
        buffer_put_char(to, '\n');
    }
}

static void put_result(struct sender *sender, size_t i, struct buffer *to)
{
    const struct send_result *result = &sender->results[i];
    struct buffer headline = buffer_with_most(WORDS_ROOM), who = buffer_with_most(WORDS_ROOM);

    buffer_put_text(to, "  ");
    safe_put_plain(to, sender->order->to.list[i]);
    buffer_put_text(to, ": ");
    buffer_put_text(to, outcome_words(sender, result->outcome));
    buffer_put_char(to, '\n');
    if (result->code != 0)
        put_reply(to, result->words);
    if (result->code >= 400
        && meaning_of(sender, result, &headline, &who) != CAUSE_NONE) {
        buffer_put_text(&headline, ". ");
        buffer_put(&headline, buffer_bytes(&who));
        put_wrapped(to, buffer_bytes(&headline));
    }
    buffer_done(&headline);
    buffer_done(&who);
}

static void put_text(struct sender *sender, const struct count *count, uint64_t took_us)
{
    struct buffer *to = &sender->show, line = buffer_with_most(WORDS_ROOM);

    if (!sender->order->quiet)
        buffer_put_char(to, '\n');
    put_headline(sender, count, &line);
    buffer_put_text(&line, ", in ");
    put_seconds(&line, took_us);
    if (sender->spoke)
        buffer_put_text(&line, sender->secure ? ", inside TLS" : ", in clear");
    width_put(to, buffer_bytes(&line), 0, 0, COLUMNS, "\n");
    buffer_put_char(to, '\n');
    send_put_saved(sender, to);
    for (size_t i = 0; i < sender->order->to.n && sender->order->script.n == 0
                       && (sender->order->stop == SEND_STAGES || sender->order->stop == SEND_RCPT);
         i++)
        put_result(sender, i, to);
    buffer_done(&line);
}

/* ---- in JSON */

static void put_result_json(struct sender *sender, size_t i)
{
    static const char *const names[] = {
        [OUTCOME_NONE] = "not-sent", [OUTCOME_TAKEN] = "taken", [OUTCOME_LATER] = "not-now",
        [OUTCOME_REFUSED] = "refused",
    };
    const struct send_result *result = &sender->results[i];
    struct buffer headline = buffer_with_most(WORDS_ROOM), who = buffer_with_most(WORDS_ROOM);
    struct buffer status = buffer_with_most(32);
    struct json *json = &sender->json;

    json_put_object(json);
    json_put_text(json, "address", sender->order->to.list[i]);
    json_put_text(json, "outcome", bytes_of(names[result->outcome]));
    if (result->code != 0) {
        status_put(&status, result->status);
        json_put_uint(json, "code", result->code);
        json_put_text(json, "status", buffer_bytes(&status));
    }
    json_put_text(json, "words", result->words);
    if (result->code >= 400
        && meaning_of(sender, result, &headline, &who) != CAUSE_NONE) {
        json_put_text(json, "meaning", buffer_bytes(&headline));
        json_put_text(json, "who_must_act", buffer_bytes(&who));
    }
    json_put_object_end(json);
    buffer_done(&headline);
    buffer_done(&who);
    buffer_done(&status);
}

static void put_json(struct sender *sender, const struct count *count, int status,
                     uint64_t took_us)
{
    struct json *json = &sender->json;
    struct buffer line = buffer_with_most(WORDS_ROOM);

    send_show_end(sender);
    put_headline(sender, count, &line);
    json_put_text(json, "server", sender->peer.name);
    json_put_text(json, "address", sender->peer.address);
    json_put_uint(json, "port", sender->peer.port);
    json_put_bool(json, "tls", sender->secure);
    json_put_text(json, "result", buffer_bytes(&line));
    json_key(json, "recipients");
    json_put_array(json);
    for (size_t i = 0; i < sender->order->to.n; i++)
        put_result_json(sender, i);
    json_put_array_end(json);
    send_put_saved_json(sender);
    json_put_uint(json, "took_us", took_us);
    json_put_uint(json, "exit", (uint64_t)status);
    json_put_object_end(json);
    json_line_end(json);
    buffer_done(&line);
}

int sender_end(struct sender *sender, uint64_t now_us)
{
    struct count count = count_results(sender);
    int status = exit_of(sender, &count);
    uint64_t took_us = now_us - sender->began_us;

    sender->now_us = now_us;
    if (sender->order->json)
        put_json(sender, &count, status, took_us);
    else
        put_text(sender, &count, took_us);
    if (sender->show.bad && status == 0)
        status = ONCE_OS;
    return status;
}
