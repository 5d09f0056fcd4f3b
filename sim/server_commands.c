/* SPDX-License-Identifier: ISC */
#include "sim/server_int.h"

#include "base/number.h"
#include "sim/room.h"

#include <stdio.h>
#include <string.h>

/* Did the other side hear what was due? What it did not hear does not hold here either. */
static bool says(struct server_line *line, const char *due)
{
    enum server_lie lie = line_say(line, due);

    return lie == LIE_NONE || lie == LIE_MUCH;
}

/* ---- the end of a text */

static enum server_level level_of(const struct server_line *line)
{
    return line->secrecy != SECURE ? LEVEL_CLEAR : line->offers.stranger ? LEVEL_STRANGER
                                                                         : LEVEL_PROVED;
}

static struct server_letter letter_of(const struct server_line *line)
{
    return (struct server_letter){
        .sender = line->sender, .text = buffer_bytes(&line->text), .binary = line->binary,
        .eight_bit = line->ehlo && line->offers.eight_bit,
        .level = level_of(line), .since_us = line->since_us };
}

static bool keep(struct server_line *line, const char *to)
{
    const struct server_watch *watch = &line->server->watch;
    struct server_letter letter = letter_of(line);

    if (!line->face->keep(line->at, &letter, to))
        return false;
    watch->kept(watch->ctx, &letter, to);
    buffer_clear(&line->unsure);
    buffer_put(&line->unsure, letter.text);
    line->unsure_to[line->unsure_n++] = room_copy(bytes_of(to));
    return true;
}

/* One reply for each recipient (RFC 2033, 4.2). */
static void end_by_lmtp(struct server_line *line)
{
    for (size_t i = 0; i < line->rcpts_n && line->conn != NULL; i++) {
        bool may = line->off ? line->well_next : !server_lies(line->server);
        bool kept = may && keep(line, line->rcpts[i]);
        line_say(line, kept ? "250 2.0.0 kept\r\n" : "452 4.2.2 not now\r\n");
    }
}

static void end_by_smtp(struct server_line *line)
{
    bool never = server_lies(line->server) && dice_below(world_dice(line->server->world), 2) == 0;

    if (line->off ? !line->well_next : server_lies(line->server)) {
        line_say(line, "452 4.3.1 not now\r\n");
    } else if (never && line_may_refuse(line) && !line->off) {
        line_refuse(line);
        line_say(line, "554 5.6.0 not such a letter\r\n");
    } else {
        for (size_t i = 0; i < line->rcpts_n; i++)
            (void)!keep(line, line->rcpts[i]);
        line_say(line, "250 2.0.0 kept\r\n");
    }
}

static void end_of_text(struct server_line *line)
{
    line->text_due = true;
    if (line->face->lmtp)
        end_by_lmtp(line);
    else
        end_by_smtp(line);
    line->mail = line->text_due = false;
    server_forget(line->rcpts, &line->rcpts_n);
    buffer_clear(&line->text);
}

/* ---- commands */

static void copy_path(struct bytes line, char *to)
{
    struct bytes path = bytes_skip(line, bytes_find(line, '<') + 1);

    path = bytes_first(bytes_first(path, bytes_find_last(path, '>')), LIMIT_PATH);
    memcpy(to, path.at, path.n);
    to[path.n] = '\0';
}

static void on_hello(struct server_line *line)
{
    const struct server_offers *offers = &line->offers;
    char text[300];

    snprintf(text, sizeof(text), "250-%s\r\n%s%s%s%s%s%s250 HELP\r\n", offers->name,
             offers->pipelining ? "250-PIPELINING\r\n" : "",
             offers->chunking ? "250-CHUNKING\r\n250-BINARYMIME\r\n" : "",
             offers->eight_bit ? "250-8BITMIME\r\n250-SMTPUTF8\r\n" : "",
             offers->dsn ? "250-DSN\r\n" : "",
             offers->starttls && line->secrecy == CLEAR ? "250-STARTTLS\r\n" : "",
             offers->require_tls && line->secrecy == SECURE ? "250-REQUIRETLS\r\n" : "");
    line->to[0] = '\0';
    enum server_lie lie = line_say(line, text);
    line->ehlo = lie == LIE_NONE;
    if (lie != LIE_NONE && !line->face->lmtp)
        line->server->watch.turned_away(line->server->watch.ctx, line->at);
}

static void on_starttls(struct server_line *line)
{
    switch (line->offers.tls) {
    case TLS_LATER: line_say(line, "454 4.7.0 not now\r\n"); return;
    case TLS_HANGS_UP: line_hang_up(line); return;
    case TLS_DEAF: case TLS_GARBLED: case TLS_WELL: break;
    }
    line_say(line, "220 2.0.0 go on\r\n");
    line->secrecy = SHAKES;
    line->deaf = line->deaf || line->offers.tls == TLS_DEAF;
}

static void on_mail(struct server_line *line, struct bytes said)
{
    copy_path(bytes_first(said, bytes_find(said, '>') + 1), line->sender);
    line->to[0] = '\0';
    line->turned = false;
    server_forget(line->rcpts, &line->rcpts_n);
    line->binary = bytes_search(said, BYTES("BINARYMIME")) < said.n;
    line->mail = says(line, "250 2.1.0 well\r\n");
}

static void on_rcpt(struct server_line *line, struct bytes said)
{
    const struct server_watch *watch = &line->server->watch;
    bool full = server_lies(line->server);

    copy_path(bytes_first(said, bytes_find_last(said, '>') + 1), line->to);
    if (line->turned || line->off)
        watch->refused(watch->ctx, line->to);
    if (line->off)
        line_refuse_all(line);
    switch (line->face->rcpt(line->at, line->to, level_of(line), line->since_us)) {
    case RCPT_NOBODY:
        line_say(line, "550 5.1.1 nobody\r\n");
        return;
    case RCPT_REFUSED:
        watch->refused(watch->ctx, line->to);
        line_say(line, "550 5.2.1 this mailbox takes no mail\r\n");
        return;
    case RCPT_WELL:
        break;
    }
    if (full || line->off || line->rcpts_n == RCPTS_MOST || !line->mail) {
        line_say(line, "452 4.2.2 full\r\n");
        return;
    }
    if (says(line, "250 2.1.5 well\r\n"))
        line->rcpts[line->rcpts_n++] = room_copy(bytes_of(line->to));
}

static void on_bdat(struct server_line *line, struct bytes said)
{
    struct bytes size = bytes_upto(bytes_skip(said, 5), ' ');

    if (!number_parse(size, &line->chunk))
        world_break(line->server->world, "relay says BDAT without a size");
    line->in_chunk = true;
    line->last = bytes_ends(said, BYTES(" LAST"));
}

static void on_data(struct server_line *line)
{
    if (line->rcpts_n == 0 || line->off) {
        line_say(line, line->off ? "451 4.3.0 not now\r\n" : "503 5.5.1 for whom?\r\n");
        return;
    }
    line->text_due = true;
    enum server_lie lie = line_say(line, "354 go on\r\n");
    line->text_due = lie == LIE_NONE || lie == LIE_MUCH || lie == LIE_GO_ON;
}

static void on_command(struct server_line *line, struct bytes said)
{
    if (bytes_begins(said, BYTES("LHLO")) || bytes_begins(said, BYTES("EHLO"))) {
        on_hello(line);
    } else if (bytes_begins(said, BYTES("STARTTLS")) && line->offers.starttls
               && line->secrecy == CLEAR) {
        on_starttls(line);
    } else if (bytes_begins(said, BYTES("MAIL FROM:<")) && line->off) {
        line_hang_up(line);   /* nobody could tell a reply to this one from the last one's */
    } else if (bytes_begins(said, BYTES("MAIL FROM:<"))) {
        on_mail(line, said);
    } else if (bytes_begins(said, BYTES("RCPT TO:<"))) {
        on_rcpt(line, said);
    } else if (bytes_begins(said, BYTES("BDAT "))) {
        on_bdat(line, said);
    } else if (bytes_equal(said, BYTES("DATA"))) {
        on_data(line);
    } else {
        line_say(line, "250 2.0.0 well\r\n");
    }
}

/* ---- the text */

/* Octets of a chunk; true when it is whole. A letter for nobody is thrown away. */
static bool take_chunk(struct server_line *line)
{
    size_t n = line->chunk < line->in.n ? (size_t)line->chunk : line->in.n;

    buffer_put(&line->text, bytes_first(buffer_bytes(&line->in), n));
    buffer_drop(&line->in, n);
    line->chunk -= n;
    if (line->chunk > 0)
        return false;
    line->in_chunk = false;
    if (line->rcpts_n == 0)
        line_say(line, line->off ? "451 4.3.0 not now\r\n" : "503 5.5.1 for whom?\r\n");
    else if (line->last)
        end_of_text(line);
    else if (!says(line, "250 2.0.0 go on\r\n"))
        server_forget(line->rcpts, &line->rcpts_n);
    if (line->last)
        buffer_clear(&line->text);
    return true;
}

/* RFC 5321, 4.5.2; true when the end of it has come. */
static bool take_dotted(struct server_line *line)
{
    struct bytes all = buffer_bytes(&line->in), rest, one;
    bool empty = bytes_begins(all, BYTES(".\r\n"));
    size_t n = empty ? 0 : bytes_search(all, BYTES("\r\n.\r\n")) + 2;

    if (!empty && n > all.n)
        return false;
    rest = bytes_first(all, n);
    while (bytes_cut(&rest, '\n', &one)) {
        buffer_put(&line->text, bytes_skip(one, bytes_begins(one, BYTES(".")) ? 1 : 0));
        buffer_put_char(&line->text, '\n');
    }
    buffer_drop(&line->in, n + 3);
    end_of_text(line);
    return true;
}

static bool take_line(struct server_line *line)
{
    struct bytes all = buffer_bytes(&line->in);
    size_t end = bytes_find(all, '\n');

    if (end == all.n)
        return false;
    char *said = room_copy(bytes_first(all, end));
    buffer_drop(&line->in, end + 1);
    on_command(line, bytes_trim((struct bytes){ said, end }));
    room_free(said);
    return true;
}

void line_take_all(struct server_line *line)
{
    while (line->conn != NULL && !line->deaf && line->secrecy != SHAKES
           && (line->in.n > 0 || line->in_chunk)) {
        bool more = line->in_chunk ? take_chunk(line)
                  : line->text_due ? take_dotted(line) : take_line(line);
        if (!more)
            return;
    }
}
