/* SPDX-License-Identifier: ISC
 *
 * A dialogue as somebody wrote it down. A line each:
 *
 *   say TEXT            the text and a line end; without `expect` between, several are one flight
 *   octets TEXT         as it is, with \r \n \t \0 \\ and \xHH
 *   letter              the letter, with dots doubled and the dot behind it
 *   bdat OCTETS [last]  BDAT and so many octets of the letter; without a number all that are left
 *   expect WHAT ...     wait for one reply: any of 250, 2xx, any; or for the end: close
 *   starttls            the handshake, after STARTTLS was said and answered
 *   wait SECONDS        do nothing
 *   close               hang up
 *   # ...               a remark
 */
#include "role/once_send_int.h"

#include "base/number.h"
#include "base/safe.h"
#include "smtp/stuff.h"

enum verb { SAY, OCTETS, LETTER, BDAT, EXPECT, STARTTLS, WAIT, CLOSE, NOTHING, WRONG };

static const char *const verbs[] = {
    [SAY] = "say", [OCTETS] = "octets", [LETTER] = "letter", [BDAT] = "bdat",
    [EXPECT] = "expect", [STARTTLS] = "starttls", [WAIT] = "wait", [CLOSE] = "close",
};

/* ---- reading */

static bool is_answer_word(struct bytes word)
{
    if (bytes_equal(word, BYTES("any")) || bytes_equal(word, BYTES("close")))
        return true;
    if (word.n != 3 || word.at[0] < '2' || word.at[0] > '5')
        return false;
    return bytes_equal(bytes_skip(word, 1), BYTES("xx"))
        || (is_digit(word.at[1]) && is_digit(word.at[2]));
}

static bool are_answer_words(struct bytes words)
{
    struct bytes word;
    size_t n = 0;

    while (bytes_cut(&words, ' ', &word)) {
        if (word.n > 0 && !is_answer_word(word))
            return false;
        n += word.n > 0;
    }
    return n > 0;
}

static int hex_of(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_escape(struct bytes *rest, struct buffer *to)
{
    static const char from[] = "rnt0\\", into[] = "\r\n\t\0\\";
    char c = rest->n == 0 ? '\n' : rest->at[0];
    const char *at = memchr(from, c, sizeof(from) - 1);

    if (at != NULL) {
        buffer_put_char(to, into[at - from]);
        *rest = bytes_skip(*rest, 1);
        return true;
    }
    if (c != 'x' || rest->n < 3 || hex_of(rest->at[1]) < 0 || hex_of(rest->at[2]) < 0)
        return false;
    buffer_put_char(to, (char)(hex_of(rest->at[1]) * 16 + hex_of(rest->at[2])));
    *rest = bytes_skip(*rest, 3);
    return true;
}

static bool put_octets(struct bytes text, struct buffer *to)
{
    while (text.n > 0) {
        char c = text.at[0];
        text = bytes_skip(text, 1);
        if (c != '\\')
            buffer_put_char(to, c);
        else if (!take_escape(&text, to))
            return false;
    }
    return true;
}

/* "1.5" as milliseconds, at most an hour. */
static bool read_wait(struct bytes text, uint64_t *ret_ms)
{
    struct bytes whole = bytes_upto(text, '.'), part = bytes_skip(text, whole.n + 1);
    uint64_t seconds, thousandths = 0;

    if (!number_parse(whole, &seconds) || seconds > SEND_WAIT_MOST_S || part.n > 3
        || (part.n > 0 && !number_parse(part, &thousandths)))
        return false;
    for (size_t i = part.n; i < 3; i++)
        thousandths *= 10;
    *ret_ms = seconds * 1000 + thousandths;
    return true;
}

static bool read_bdat(struct bytes rest, uint64_t *ret_n, bool *ret_last)
{
    struct bytes word;

    *ret_n = UINT64_MAX;
    *ret_last = false;
    while (bytes_cut(&rest, ' ', &word)) {
        if (bytes_equal(word, BYTES("last")))
            *ret_last = true;
        else if (word.n > 0 && (*ret_last || !number_parse(word, ret_n)))
            return false;
    }
    return true;
}

/* The verb of a line, and what follows it. */
static enum verb read_line(struct bytes line, struct bytes *ret_rest)
{
    if (bytes_ends(line, BYTES("\r")))
        line.n--;
    struct bytes word = bytes_upto(line, ' ');
    uint64_t number;
    bool last;

    *ret_rest = bytes_skip(line, word.n + 1);
    if (bytes_trim(line).n == 0 || bytes_begins(line, BYTES("#")))
        return NOTHING;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        struct bytes rest = *ret_rest;
        struct buffer none = buffer_with_most(SEND_SCRIPT_MOST);
        if (!bytes_equal(word, bytes_of(verbs[i])))
            continue;
        bool well = i == EXPECT ? are_answer_words(rest) : i == WAIT ? read_wait(rest, &number)
                  : i == OCTETS ? put_octets(rest, &none) : i == BDAT ? read_bdat(rest, &number,
                                                                                  &last)
                  : i == SAY || bytes_trim(rest).n == 0;
        buffer_done(&none);
        return well ? (enum verb)i : WRONG;
    }
    return WRONG;
}

bool send_script_check(struct bytes script, struct buffer *reterr_words)
{
    struct bytes line, rest;
    unsigned number = 0;

    while (bytes_cut(&script, '\n', &line)) {
        number++;
        if (read_line(line, &rest) != WRONG && number <= SEND_SCRIPT_LINES_MOST)
            continue;
        buffer_put(reterr_words, BYTES("line "));
        buffer_put_uint(reterr_words, number);
        buffer_put(reterr_words, BYTES(": "));
        safe_put(reterr_words, bytes_first(line, 100));
        buffer_put_text(reterr_words, number > SEND_SCRIPT_LINES_MOST
                        ? ": there are too many lines"
                        : " is none of: say, octets, letter, bdat, expect, starttls, wait, "
                          "close, with what belongs to it");
        return false;
    }
    return true;
}

/* ---- doing */

static void say_chunk(struct sender *sender, struct bytes words)
{
    struct bytes rest = bytes_skip(sender->means->text, sender->text_said);
    struct buffer line = buffer_with_most(64);
    uint64_t n;
    bool last;

    if (read_bdat(words, &n, &last)) {
        struct bytes part = bytes_first(rest, n < rest.n ? (size_t)n : rest.n);
        buffer_put(&line, BYTES("BDAT "));
        buffer_put_uint(&line, part.n);
        buffer_put_text(&line, last ? " LAST" : "");
        send_put_line(sender, buffer_bytes(&line), buffer_bytes(&line));
        buffer_put(&sender->out, part);
        send_show_octets(sender, part.n);
        sender->text_said += part.n;
    }
    buffer_done(&line);
}

static void say_letter(struct sender *sender)
{
    struct bytes text = sender->means->text;
    struct stuff stuff = { .inside = false };

    if (sender->order->as_is) {
        buffer_put(&sender->out, text);
        buffer_put_text(&sender->out, bytes_ends(text, BYTES("\r\n")) ? ".\r\n" : "\r\n.\r\n");
    } else {
        stuff_put(&stuff, text, &sender->out);
        stuff_finish(&stuff, &sender->out);
    }
    send_show_octets(sender, text.n);
    send_show_said(sender, BYTES("."));
}

/* What a command of AUTH carries is nobody's business. */
static void say(struct sender *sender, struct bytes text)
{
    struct bytes verb = bytes_upto(text, ' '), rest = bytes_skip(text, verb.n + 1);
    struct bytes way = bytes_upto(rest, ' ');
    struct buffer shown = buffer_with_most(SEND_SCRIPT_MOST);

    if (bytes_equal_nocase(verb, BYTES("AUTH")) && way.n < rest.n) {
        buffer_put(&shown, bytes_first(text, verb.n + 1 + way.n));
        buffer_put(&shown, BYTES(" ***"));
    } else {
        buffer_put(&shown, text);
    }
    send_put_line(sender, text, buffer_bytes(&shown));
    buffer_done(&shown);
}

static void act(struct sender *sender, enum verb verb, struct bytes rest)
{
    struct send_script *script = &sender->script;
    uint64_t ms = 0;

    switch (verb) {
    case SAY:
        say(sender, rest);
        script->said_us = sender->now_us;
        break;
    case OCTETS:
        (void)!put_octets(rest, &sender->out);
        send_show_said(sender, rest);
        script->said_us = sender->now_us;
        break;
    case LETTER:
        say_letter(sender);
        script->said_us = sender->now_us;
        break;
    case BDAT:
        say_chunk(sender, rest);
        script->said_us = sender->now_us;
        break;
    case EXPECT:
        script->wants = rest;
        send_expect(sender, ABOUT_SCRIPT, 0);
        sender->expects[sender->expects_at].said_us = script->said_us;
        break;
    case STARTTLS:
        send_want_tls(sender);
        break;
    case WAIT:
        (void)!read_wait(rest, &ms);
        sender->rests_until_us = sender->now_us + ms * 1000;
        break;
    case CLOSE:
        sender->place = PLACE_OVER;
        break;
    case NOTHING: case WRONG:
        break;
    }
}

/* Up to a line that must wait for something. */
void send_next_script(struct sender *sender)
{
    struct send_script *script = &sender->script;
    enum verb verb = NOTHING;
    struct bytes line, rest;

    if (script->line == 0)
        script->rest = sender->means->script;
    while (verb == NOTHING || verb == SAY || verb == OCTETS || verb == LETTER || verb == BDAT) {
        struct bytes before = script->rest;
        if (!bytes_cut(&script->rest, '\n', &line)) {
            sender->place = PLACE_OVER;
            return;
        }
        verb = read_line(line, &rest);
        if (bytes_ends(rest, BYTES("\r")))
            rest.n--;
        if ((verb == WAIT || verb == STARTTLS || verb == CLOSE) && sender->out.n > 0) {
            script->rest = before;          /* first send what was said */
            return;
        }
        script->line++;
        act(sender, verb, rest);
    }
}

static bool fits(struct bytes words, unsigned code)
{
    struct buffer digits = buffer_with_most(8);
    struct bytes word;
    bool well = false;

    buffer_put_uint(&digits, code);
    while (bytes_cut(&words, ' ', &word))
        well = well || bytes_equal(word, BYTES("any"))
            || bytes_equal(word, buffer_bytes(&digits))
            || (word.n == 3 && word.at[1] == 'x' && word.at[0] == digits.at[0]);
    buffer_done(&digits);
    return well;
}

static void say_line_failed(struct sender *sender, int status)
{
    struct buffer words = buffer_with_most(SEND_LINE_MOST);

    buffer_put(&words, BYTES("line "));
    buffer_put_uint(&words, sender->script.line);
    buffer_put(&words, BYTES(" of the script expected "));
    safe_put(&words, bytes_first(sender->script.wants, 100));
    buffer_put_char(&words, '\0');
    send_fail(sender, status, words.bad ? "the script expected something else" : words.at);
    sender->place = PLACE_OVER;
    buffer_done(&words);
}

void send_on_script(struct sender *sender)
{
    unsigned code = sender->answer.code;

    if (!fits(sender->script.wants, code))
        say_line_failed(sender, code < 400 ? ONCE_PROTOCOL : send_status_of(code));
    sender->script.wants = BYTES_NONE;
}

bool send_script_lost(struct sender *sender)
{
    struct bytes words = sender->script.wants, word;
    bool well = false;

    while (bytes_cut(&words, ' ', &word))
        well = well || bytes_equal(word, BYTES("close"));
    if (well)
        send_show_note(sender, BYTES("the connection is gone, as expected"), 0);
    return well;
}
