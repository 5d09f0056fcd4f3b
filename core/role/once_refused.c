/* SPDX-License-Identifier: ISC */
#include "role/once_refused.h"

#include "base/clock.h"
#include "base/html.h"
#include "base/json.h"
#include "base/number.h"
#include "base/safe.h"
#include "bounce/card.h"
#include "bounce/page.h"
#include "mail/date.h"
#include "role/once_int.h"

#include <string.h>

/* No line of ours begins with two hyphens. */
#define BOUNDARY "=_refused"

enum { DAY_MS = 24 * 3600 * 1000, SHOWN_EACH = 20 };

const char once_refused_help[] =
    "usage: postern refused [-c FILE] [--since SPAN] [--json | --letter] [--lang LANG] [LOG ...]\n"
    "\n"
    "Tells what this server refused, for whom, and why, so that people learn that mail for them\n"
    "bounces before somebody tells them.\n"
    "\n"
    "  -c FILE       the configuration file that names the log\n"
    "  LOG           other log files, oldest first, in place of that one\n"
    "  --since SPAN  of the last hours, days or weeks: 12h, 7d, 4w; without it 7d\n"
    "  --json        one JSON object a line, one line a recipient and code\n"
    "  --letter      a whole letter to the postmaster, to be given to a program that sends it\n"
    "  --lang LANG   the causes in this language: en de fr es pt it nl pl ru ja zh\n";

/* ---- words */

static bool read_span(struct bytes word, uint64_t *ret_ms)
{
    uint64_t number, unit_ms = 0;

    if (word.n < 2 || !number_parse(bytes_first(word, word.n - 1), &number) || number == 0
        || number > 100000)
        return false;
    if (word.at[word.n - 1] == 'h')
        unit_ms = DAY_MS / 24;
    else if (word.at[word.n - 1] == 'd')
        unit_ms = DAY_MS;
    else if (word.at[word.n - 1] == 'w')
        unit_ms = (uint64_t)DAY_MS * 7;
    *ret_ms = number * unit_ms;
    return unit_ms != 0;
}

static bool take_flag(struct bytes word, struct refused_request *request)
{
    if (bytes_equal(word, BYTES("--json")))
        request->json = true;
    else if (bytes_equal(word, BYTES("--letter")))
        request->letter = true;
    else if (bytes_equal(word, BYTES("--help")) || bytes_equal(word, BYTES("-h")))
        request->help = true;
    else
        return false;
    return true;
}

bool once_refused_read(const struct bytes *words, size_t n, struct refused_request *ret_request,
                       struct buffer *reterr_words)
{
    struct refused_request request = { .since_ms = (uint64_t)DAY_MS * 7, .lang = BYTES_NONE };

    for (size_t i = 1; i < n; i++) {
        bool valued = bytes_equal(words[i], BYTES("--since"))
            || bytes_equal(words[i], BYTES("--lang"));
        if (!bytes_begins(words[i], BYTES("-")) || take_flag(words[i], &request))
            continue;
        if (!valued)
            return once_refuse(reterr_words, "there is no option", words[i], "; see --help");
        if (i + 1 == n)
            return once_refuse(reterr_words, "a value is missing behind", words[i], "; see --help");
        i++;
        if (bytes_equal(words[i - 1], BYTES("--lang")))
            request.lang = words[i];
        else if (!read_span(words[i], &request.since_ms))
            return once_refuse(reterr_words, "expected a span such as 7d or 12h, found", words[i],
                               "; see --help");
    }
    if (request.lang.n > 0 && lang_find(request.lang) == NULL)
        return once_refuse(reterr_words, "there is no language", request.lang, "; see --help");
    if (request.json && request.letter)
        return once_refuse(reterr_words, "a letter is no", BYTES("--json"), "; see --help");
    *ret_request = request;
    return true;
}

/* ---- lines */

static void put_moment(char ret_text[static 32], uint64_t wall_ms)
{
    struct buffer text = buffer_with_most(31);

    clock_put(&text, wall_ms);
    memcpy(ret_text, buffer_bytes(&text).at, text.n);
    ret_text[text.n] = '\0';
    buffer_done(&text);
}

void once_refused_begin(struct refused *refused, uint64_t from_ms, uint64_t to_ms)
{
    put_moment(refused->from, from_ms);
    put_moment(refused->to, to_ms);
}

/* The value behind ` key=`; in quotes, what stands in them, still escaped. Empty: not there. */
static struct bytes value_of(struct bytes line, struct bytes key)
{
    struct bytes rest = bytes_skip(line, bytes_search(line, key) + key.n);

    if (rest.n == 0 || rest.at[0] != '"')
        return bytes_upto(rest, ' ');
    rest = bytes_skip(rest, 1);
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.at[i] == '"')
            return bytes_first(rest, i);
        i += rest.at[i] == '\\';
    }
    return BYTES_NONE;
}

/* "TO:<a@b.example> NOTIFY=...", "a@b.example" -> the address; empty when there is none. */
static struct bytes address_of(struct bytes text)
{
    size_t open = bytes_find(text, '<'), shut = bytes_find_last(text, '>');

    if (open < text.n && shut < text.n && shut > open)
        return (struct bytes){ text.at + open + 1, shut - open - 1 };
    return bytes_find(text, '@') < text.n ? bytes_upto(text, ' ') : BYTES_NONE;
}

static struct refused_row *row_of(struct refused *refused, struct bytes recipient, uint16_t reply,
                                  struct status_code code)
{
    for (size_t i = 0; i < refused->rows_n; i++) {
        struct refused_row *row = &refused->rows[i];
        if (row->reply == reply && row->code.class == code.class
            && row->code.subject == code.subject && row->code.detail == code.detail
            && bytes_equal_nocase(bytes_of(row->recipient), recipient))
            return row;
    }
    if (refused->rows_n == REFUSED_ROWS)
        return NULL;
    struct refused_row *row = &refused->rows[refused->rows_n++];
    memcpy(row->recipient, recipient.at, recipient.n);
    row->reply = reply;
    row->code = code;
    return row;
}

static void count(struct refused *refused, struct bytes line, struct bytes recipient)
{
    struct status_code code = { 0, 0, 0 };
    uint64_t reply = 0;
    size_t used;

    if (!number_parse(value_of(line, BYTES(" reply=")), &reply) || reply < 400 || reply > 599)
        return;
    if (!status_parse(value_of(line, BYTES(" code=")), &code, &used))
        code.class = (uint8_t)(reply / 100);
    recipient = bytes_first(recipient, LIMIT_ADDRESS);
    struct refused_row *row = row_of(refused, recipient, (uint16_t)reply, code);
    refused->count++;
    if (row == NULL) {
        refused->left_out++;
        return;
    }
    row->count++;
    struct bytes moment = bytes_first(line, sizeof(row->last) - 1);
    moment = bytes_upto(moment, ' ');
    memcpy(row->last, moment.at, moment.n);
    row->last[moment.n] = '\0';
}

void once_refused_line(struct refused *refused, struct bytes line)
{
    struct bytes moment = bytes_upto(line, ' '), event = value_of(line, BYTES(" event="));
    struct bytes rest = line;

    if (bytes_compare(moment, bytes_of(refused->from)) < 0
        || bytes_compare(moment, bytes_of(refused->to)) > 0)
        return;
    if (bytes_equal(event, BYTES("refused")) && bytes_equal(value_of(line, BYTES(" verb=")),
                                                            BYTES("RCPT")))
        count(refused, line, address_of(value_of(line, BYTES(" text="))));
    if (!bytes_equal(event, BYTES("letter-refused")))
        return;
    for (size_t at; (at = bytes_search(rest, BYTES(" rcpt="))) < rest.n;) {
        rest = bytes_skip(rest, at);
        count(refused, line, address_of(value_of(rest, BYTES(" rcpt="))));
        rest = bytes_skip(rest, 1);
    }
}

/* ---- the answer */

static enum cause_category category_of(const struct refused_row *row)
{
    enum cause_category category = page_of(row->code).words->category;

    /* 550 5.7.1 of ours at RCPT has one meaning: mail for others is not passed on for strangers */
    if (row->reply == 550 && row->code.class == 5 && row->code.subject == 7
        && row->code.detail == 1)
        return CAUSE_NOT_PERMITTED;
    return category >= CAUSE_FIRST && category <= CAUSE_LAST ? category : CAUSE_UNKNOWN;
}

/* Most first, and of the same count by recipient, so that the answer does not depend on the order
   of the log. */
static void sort(struct refused *refused)
{
    for (size_t gap = refused->rows_n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < refused->rows_n; i++) {
            struct refused_row row = refused->rows[i];
            size_t k = i;
            for (; k >= gap; k -= gap) {
                const struct refused_row *other = &refused->rows[k - gap];
                if (other->count > row.count
                    || (other->count == row.count
                        && bytes_compare(bytes_of(other->recipient), bytes_of(row.recipient)) <= 0))
                    break;
                refused->rows[k] = *other;
            }
            refused->rows[k] = row;
        }
}

static void put_json(const struct refused *refused, struct buffer *to)
{
    for (size_t i = 0; i < refused->rows_n; i++) {
        const struct refused_row *row = &refused->rows[i];
        struct json json = json_to(to);
        struct buffer code = buffer_with_most(32);
        status_put(&code, row->code);
        json_put_object(&json);
        json_put_text(&json, "recipient", bytes_of(row->recipient));
        json_put_uint(&json, "reply", row->reply);
        json_put_text(&json, "code", buffer_bytes(&code));
        json_put_text(&json, "category", bytes_of(cause_category_name(category_of(row))));
        json_put_uint(&json, "count", row->count);
        json_put_text(&json, "last", bytes_of(row->last));
        json_put_object_end(&json);
        json_line_end(&json);
        buffer_done(&code);
    }
}

static void put_row(const struct refused_row *row, struct buffer *to)
{
    enum { COLUMN = 8 };
    struct buffer digits = buffer_with_most(32);

    buffer_put_uint(&digits, row->count);
    buffer_put_chars(to, ' ', digits.n < COLUMN ? COLUMN - digits.n : 0);
    buffer_put(to, buffer_bytes(&digits));
    buffer_put_text(to, "  ");
    if (row->recipient[0] == '\0')
        buffer_put_text(to, "(no recipient was named)");
    safe_put_plain(to, bytes_of(row->recipient));
    buffer_put_text(to, "  ");
    buffer_put_uint(to, row->reply);
    buffer_put_char(to, ' ');
    status_put(to, row->code);
    buffer_put_text(to, ", last ");
    buffer_put_text(to, row->last);
    buffer_put_char(to, '\n');
    buffer_done(&digits);
}

/* One cause: its headline, what it came to, and for whom. */
static void put_cause(const struct refused *refused, enum cause_category category,
                      const struct lang *lang, struct buffer *to)
{
    uint64_t all = 0;
    size_t shown = 0, rows = 0;

    for (size_t i = 0; i < refused->rows_n; i++)
        all += category_of(&refused->rows[i]) == category ? refused->rows[i].count : 0;
    if (all == 0)
        return;
    buffer_put_char(to, '\n');
    buffer_put(to, lang_card(lang, category, CARD_HEADLINE));
    buffer_put_text(to, ": ");
    buffer_put_uint(to, all);
    buffer_put_char(to, '\n');
    for (size_t i = 0; i < refused->rows_n; i++) {
        if (category_of(&refused->rows[i]) != category)
            continue;
        if (shown < SHOWN_EACH) {
            put_row(&refused->rows[i], to);
            shown++;
        }
        rows++;
    }
    if (rows > shown) {
        buffer_put_text(to, "          and others: ");
        buffer_put_uint(to, rows - shown);
        buffer_put_char(to, '\n');
    }
}

static void put_text(const struct refused *refused, const struct lang *lang, struct bytes host,
                     struct buffer *to)
{
    buffer_put_text(to, "Between ");
    buffer_put_text(to, refused->from);
    buffer_put_text(to, " and ");
    buffer_put_text(to, refused->to);
    buffer_put_text(to, "\nthe mail server ");
    safe_put_plain(to, host);
    buffer_put_text(to, refused->count == 0 ? " refused nothing.\n" : " refused ");
    if (refused->count == 0)
        return;
    buffer_put_uint(to, refused->count);
    buffer_put_text(to, refused->count == 1 ? " recipient.\n" : " recipients.\n");
    for (enum cause_category one = CAUSE_FIRST; one <= CAUSE_LAST; one++)
        put_cause(refused, one, lang, to);
    if (refused->left_out > 0) {
        buffer_put_text(to, "\nBeyond the rows kept here: ");
        buffer_put_uint(to, refused->left_out);
        buffer_put_char(to, '\n');
    }
}

/* A letter that a program such as sendmail -t takes. */
static void put_header(const struct refused *refused, struct bytes host, struct bytes postmaster,
                       uint64_t now_ms, struct buffer *to)
{
    buffer_put_text(to, "From: Mail server <postmaster@");
    safe_put_plain(to, host);
    buffer_put_text(to, ">\nTo: <");
    safe_put_plain(to, postmaster);
    if (postmaster.n == 0) {
        buffer_put_text(to, "postmaster@");
        safe_put_plain(to, host);
    }
    buffer_put_text(to, ">\nDate: ");
    date_put(to, now_ms);
    buffer_put_text(to, "\nSubject: Mail that was refused: ");
    buffer_put_uint(to, refused->count);
    buffer_put_text(to, "\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
                        "Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\n"
                        "Content-Transfer-Encoding: 8bit\n");
}

/* ---- the same as a page: a table for each cause */

static void put_cell(struct buffer *to, struct bytes text)
{
    buffer_put_text(to, "<td>");
    html_put(to, text);
}

static void put_html_row(const struct refused_row *row, struct buffer *to)
{
    buffer_put_text(to, "<tr><td>");
    buffer_put_uint(to, row->count);
    put_cell(to, row->recipient[0] == '\0' ? BYTES("(no recipient was named)")
                                           : bytes_of(row->recipient));
    buffer_put_text(to, "<td>");
    buffer_put_uint(to, row->reply);
    buffer_put_char(to, ' ');
    status_put(to, row->code);
    put_cell(to, bytes_of(row->last));
    buffer_put_text(to, "</tr>\n");
}

static void put_html_cause(const struct refused *refused, enum cause_category category,
                           const struct lang *lang, struct buffer *to)
{
    size_t shown = 0;

    for (size_t i = 0; i < refused->rows_n && shown < SHOWN_EACH; i++) {
        if (category_of(&refused->rows[i]) != category)
            continue;
        if (shown++ == 0) {
            buffer_put_text(to, "<h2>");
            html_put(to, lang_card(lang, category, CARD_HEADLINE));
            buffer_put_text(to, "</h2>\n<table>\n"
                                "<tr><th>Count<th>Recipient<th>Code<th>Last</tr>\n");
        }
        put_html_row(&refused->rows[i], to);
    }
    if (shown > 0)
        buffer_put_text(to, "</table>\n");
}

static void put_html(const struct refused *refused, const struct lang *lang, struct bytes host,
                     struct buffer *to)
{
    struct buffer title = buffer_with_most(1024);

    buffer_put_text(&title, "Refused by ");
    buffer_put(&title, host);
    buffer_put_text(&title, ": ");
    buffer_put_uint(&title, refused->count);
    card_put_html_begin(to, lang, buffer_bytes(&title));
    buffer_done(&title);
    buffer_put_text(to, "<p>Between ");
    buffer_put_text(to, refused->from);
    buffer_put_text(to, " and ");
    buffer_put_text(to, refused->to);
    buffer_put_text(to, "</p>\n");
    for (enum cause_category one = CAUSE_FIRST; one <= CAUSE_LAST; one++)
        put_html_cause(refused, one, lang, to);
    card_put_html_end(to);
}

static void put_letter(const struct refused *refused, const struct lang *lang, struct bytes host,
                       struct buffer *to)
{
    buffer_put_text(to, "\n--" BOUNDARY "\nContent-Type: text/plain; charset=utf-8\n"
                        "Content-Transfer-Encoding: 8bit\n\n");
    put_text(refused, lang, host, to);
    buffer_put_text(to, "\n--" BOUNDARY "\nContent-Type: text/html; charset=utf-8\n"
                        "Content-Transfer-Encoding: 8bit\n\n");
    put_html(refused, lang, host, to);
    buffer_put_text(to, "\n--" BOUNDARY "--\n");
}

void once_refused_put(struct refused *refused, const struct refused_request *request,
                      const struct lang *lang, uint64_t now_ms, struct bytes host,
                      struct bytes postmaster, struct buffer *to)
{
    sort(refused);
    if (request->json) {
        put_json(refused, to);
        return;
    }
    if (!request->letter) {
        put_text(refused, lang, host, to);
        return;
    }
    put_header(refused, host, postmaster, now_ms, to);
    put_letter(refused, lang, host, to);
}
