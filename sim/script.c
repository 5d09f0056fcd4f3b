/* SPDX-License-Identifier: ISC */
#include "sim/script.h"

#include "base/buffer.h"
#include "sim/room.h"

#include <string.h>

struct writer {
    struct script *script;
    struct dice *dice;
    bool pipelined;
};

static struct line *add(struct writer *writer, enum line_kind kind, struct letter *letter,
                        struct bytes octets, bool wait)
{
    struct script *script = writer->script;

    script->lines = room_for(script->lines, &script->room, script->n + 1, sizeof(struct line));
    struct line *line = &script->lines[script->n++];
    *line = (struct line){
        .kind = kind, .wait = wait, .letter = letter,
        .octets = { room_copy(octets), octets.n } };
    return line;
}

static struct line *add_buffer(struct writer *writer, enum line_kind kind, struct letter *letter,
                               struct buffer *text, bool wait)
{
    struct line *line = add(writer, kind, letter, buffer_bytes(text), wait);

    buffer_done(text);
    return line;
}

/* Words in any case, as RFC 5321, 2.4 allows. */
static void put_verb(struct writer *writer, struct buffer *to, const char *verb)
{
    bool lower = dice_below(writer->dice, 4) == 0;

    for (; *verb != '\0'; verb++)
        buffer_put_char(to, lower ? to_lower(*verb) : *verb);
}

static void add_mail(struct writer *writer, struct letter *letter)
{
    static const char *const bodies[] = {
        [BODY_7BIT] = " BODY=7BIT", [BODY_8BITMIME] = " BODY=8BITMIME",
        [BODY_BINARYMIME] = " BODY=BINARYMIME" };
    struct buffer line = buffer_with_most(4096);
    bool too_large = letter->sort == SORT_TOO_LARGE;

    put_verb(writer, &line, "MAIL FROM:<");
    buffer_put_text(&line, letter->sender);
    buffer_put_char(&line, '>');
    if (letter->body != BODY_7BIT || dice_below(writer->dice, 2) == 0)
        buffer_put_text(&line, bodies[letter->body]);
    if (letter->utf8)
        buffer_put_text(&line, " SMTPUTF8");
    if (letter->require_tls)
        buffer_put_text(&line, " REQUIRETLS");
    if (too_large || dice_below(writer->dice, 2) == 0) {
        buffer_put_text(&line, " SIZE=");
        buffer_put_uint(&line, too_large ? (uint64_t)1 << 40 : letter->text.n);
    }
    buffer_put_text(&line, "\r\n");
    add_buffer(writer, LINE_MAIL, letter, &line, !writer->pipelined);
}

static void add_rcpt(struct writer *writer, struct letter *letter,
                     struct letter_recipient *recipient)
{
    struct buffer line = buffer_with_most(4096);

    put_verb(writer, &line, "RCPT TO:<");
    buffer_put_text(&line, recipient->mailbox->address);
    buffer_put_char(&line, '>');
    buffer_put_text(&line, recipient->notify);
    buffer_put_text(&line, "\r\n");
    add_buffer(writer, LINE_RCPT, letter, &line, !writer->pipelined)->recipient = recipient;
}

static void add_data(struct writer *writer, struct letter *letter)
{
    struct buffer text = buffer_with_most(16 << 20);
    bool fresh = true;

    add(writer, LINE_DATA, letter, BYTES("DATA\r\n"), !writer->pipelined);
    buffer_reserve(&text, letter->text.n + letter->text.n / 64 + 16);
    for (struct bytes rest = bytes_first(letter->text, letter->flaw_at); rest.n > 0;) {
        size_t n = bytes_find(rest, '\n');
        if (fresh && rest.at[0] == '.')
            buffer_put_char(&text, '.');
        n = n < rest.n ? n + 1 : n;
        buffer_put(&text, bytes_first(rest, n));
        rest = bytes_skip(rest, n);
    }
    buffer_put(&text, bytes_skip(letter->text, letter->flaw_at));
    buffer_put_text(&text, ".\r\n");
    add_buffer(writer, LINE_TEXT, letter, &text, true);
}

static void add_chunk(struct writer *writer, struct letter *letter, struct bytes part, bool last)
{
    struct buffer text = buffer_with_most(16 << 20);

    buffer_reserve(&text, part.n + 40);
    put_verb(writer, &text, "BDAT ");
    buffer_put_uint(&text, part.n);
    buffer_put_text(&text, last ? " LAST\r\n" : "\r\n");
    buffer_put(&text, part);
    add_buffer(writer, last ? LINE_LAST : LINE_CHUNK, letter, &text, !writer->pipelined);
}

static void add_chunks(struct writer *writer, struct letter *letter)
{
    struct bytes rest = letter->text;
    size_t chunks = (size_t)dice_below(writer->dice, 4);

    if (dice_below(writer->dice, 10) == 0)
        chunks = (size_t)dice_between(writer->dice, 10, 30);
    while (chunks-- > 0) {
        size_t n = (size_t)dice_below(writer->dice, 2 * rest.n / (chunks + 2) + 2);
        n = n < rest.n ? n : rest.n;
        add_chunk(writer, letter, bytes_first(rest, n), false);
        rest = bytes_skip(rest, n);
    }
    if (dice_below(writer->dice, 8) == 0) {
        add_chunk(writer, letter, rest, false);
        rest = BYTES_NONE;              /* BDAT 0 LAST (RFC 3030, 2) */
    }
    add_chunk(writer, letter, rest, true);
}

static void add_between(struct writer *writer)
{
    uint64_t chance = dice_below(writer->dice, 30);

    if (chance == 0)
        add(writer, LINE_NOOP, NULL, BYTES("NOOP\r\n"), !writer->pipelined);
    else if (chance == 1)
        add(writer, LINE_RSET, NULL, BYTES("RSET\r\n"), !writer->pipelined);
    else if (chance == 2)
        add(writer, LINE_JUNK, NULL, BYTES("XYZZY \x80\xff\r\n"), !writer->pipelined);
}

/* The last letter may have come to nothing and its transaction be open still: a client that waits
   for replies knows, the others clear the table always. */
static void add_letter(struct writer *writer, struct letter *letter)
{
    add_between(writer);
    add(writer, LINE_CLEAR, NULL, BYTES("RSET\r\n"), !writer->pipelined);
    add_mail(writer, letter);
    for (size_t i = 0; i < letter->recipients_n; i++)
        add_rcpt(writer, letter, &letter->recipients[i]);
    if (dice_below(writer->dice, 40) == 0) {
        add(writer, LINE_RSET, NULL, BYTES("RSET\r\n"), !writer->pipelined);
        return;                         /* it was not meant so */
    }
    if (letter->chunks)
        add_chunks(writer, letter);
    else
        add_data(writer, letter);
}

/* Where it breaks off: mostly in the middle of some line. */
static void plan_leaving(struct script *script, struct dice *dice, bool half_close)
{
    static const enum leaving usual[] = { LEAVE_QUIT, LEAVE_QUIT, LEAVE_QUIT, LEAVE_END };

    script->leaving = usual[dice_below(dice, COUNT(usual))];
    if (half_close)
        script->leaving = LEAVE_HALF;
    if (dice_below(dice, 12) != 0)
        return;
    script->leaving = LEAVE_RESET;
    script->leave_at = (size_t)dice_below(dice, script->n);
    script->leave_octets = (size_t)dice_below(dice, script->lines[script->leave_at].octets.n + 1);
}

static void add_tls(struct writer *writer)
{
    bool injects = dice_below(writer->dice, 5) == 0;

    add(writer, LINE_STARTTLS, NULL, injects ? BYTES("STARTTLS\r\nNOOP\r\n")
                                             : BYTES("starttls\r\n"), true)->injects = injects;
    add(writer, LINE_HELLO_AGAIN, NULL, BYTES("EHLO client.example\r\n"), true);
}

void script_make(struct script *script, struct letter *const *letters, size_t n,
                 struct dice *dice, struct script_wish wish)
{
    struct writer writer = { .script = script, .dice = dice };

    *script = (struct script){ .n = 0 };
    writer.pipelined = dice_below(dice, 2) == 0;
    add(&writer, LINE_GREETING, NULL, BYTES_NONE, false);
    add(&writer, LINE_HELLO, NULL, BYTES("EHLO client.example\r\n"), true);
    if (wish.tls)
        add_tls(&writer);
    size_t first = script->n;
    for (size_t i = 0; i < n; i++) {
        add_letter(&writer, letters[i]);
        if (i == 0)
            script->lines[first].wait = true;   /* nothing before the answer to EHLO */
    }
    plan_leaving(script, dice, wish.half_close);
    if (script->leaving == LEAVE_QUIT)
        add(&writer, LINE_QUIT, NULL, BYTES("QUIT\r\n"), !writer.pipelined);
}

void script_done(struct script *script)
{
    for (size_t i = 0; i < script->n; i++)
        room_free((void *)(uintptr_t)script->lines[i].octets.at);
    room_free(script->lines);
}
