/* SPDX-License-Identifier: ISC */
#include "sim/client.h"

#include "sim/armour.h"
#include "sim/room.h"
#include "sim/script.h"

#include <string.h>

enum {
    MS = 1000, SECOND = 1000 * MS,
    DIALS_MOST = 50,                /* until somebody greets */
    PATIENCE_S = 900,               /* without any reply */
};

enum secrecy { CLEAR, SHAKES, SECURE };

struct client {
    struct crowd *crowd;
    struct script script;
    struct conn *conn;              /* NULL: not connected */
    size_t next, answered;          /* the line to be sent next, and to be answered next */
    bool said, over;                /* something was sent */
    bool open;                      /* a transaction: another MAIL may be answered 503 */
    unsigned dials;
    uint64_t moved_us;
    enum secrecy secrecy;
    unsigned unscripted;            /* replies to come that answer no line */
    struct buffer raw, reply;       /* records that are not whole, lines that are not */
};

struct crowd {
    struct world *world;
    struct crowd_plan plan;
    struct dice dice;
    struct client **clients;
    size_t clients_n, clients_room, over_n;
    struct letter **letters;
    size_t letters_n, letters_room, sent_n;
};

static void start_client(struct crowd *crowd);
static void send_lines(struct client *client);
static void dial_later(struct client *client);

/* ---- its end */

static void close_letters(struct client *client)
{
    for (size_t i = 0; i < client->script.n; i++) {
        struct line *line = &client->script.lines[i];
        bool end = line->kind == LINE_TEXT || line->kind == LINE_LAST;
        if (end && line->state == LINE_SENT)
            line->letter->outcome = OUT_UNKNOWN;
    }
}

static void over(struct client *client)
{
    struct crowd *crowd = client->crowd;

    if (client->over)
        return;
    client->over = true;
    client->conn = NULL;
    close_letters(client);
    crowd->over_n++;
    if (crowd->over_n == crowd->clients_n && crowd->sent_n < crowd->plan.letters
        && crowd->clients_n < CROWD_SESSIONS_MOST)
        for (unsigned i = 0; i < 3; i++)
            start_client(crowd);
}

static void leave(struct client *client, bool reset)
{
    struct conn *conn = client->conn;

    over(client);
    if (reset)
        net_reset(conn);
    else
        net_end(conn);
}

/* ---- what it says */

static void push(struct client *client, struct bytes text)
{
    struct buffer records = buffer_with_most(32 << 20);

    if (client->secrecy != SECURE) {
        net_send(client->conn, text);
        return;
    }
    armour_wrap(&records, text, &client->crowd->dice);
    net_send(client->conn, buffer_bytes(&records));
    buffer_done(&records);
}

/* Most go on as they should; some break off, some speak no TLS, some ask for a name that nobody
   has. */
static void shake(struct client *client)
{
    struct dice *dice = &client->crowd->dice;
    uint64_t chance = dice_below(dice, 16);
    struct buffer hello = buffer_with_most(1024);

    client->secrecy = SHAKES;
    world_totals(client->crowd->world)->handshakes++;
    armour_hello(&hello, chance == 0 ? BYTES("other.example") : BYTES("mx.example.org"));
    if (chance == 1) {
        net_send(client->conn, BYTES("EHLO in.clear.example\r\nNOOP\r\n"));
    } else if (chance == 2) {
        net_send(client->conn, bytes_first(buffer_bytes(&hello),
                                           (size_t)dice_below(dice, hello.n)));
        leave(client, dice_below(dice, 2) == 0);
    } else {
        net_send(client->conn, buffer_bytes(&hello));
    }
    buffer_done(&hello);
}

static void hear_starttls(struct client *client, const struct line *line)
{
    if (line->code == 220)
        shake(client);
    else
        client->unscripted += line->injects;    /* it was no injection then */
}

static bool is_end(const struct line *line)
{
    return line->kind == LINE_TEXT || line->kind == LINE_LAST;
}

static void note_sent(struct client *client, struct line *line)
{
    line->state = LINE_SENT;
    if (line->kind == LINE_RCPT)
        line->recipient->sent = true;
    if (is_end(line)) {
        client->crowd->sent_n++;
        line->letter->secured = client->secrecy == SECURE;
    }
}

/* True: it is gone. */
static bool breaks_off(struct client *client, struct line *line)
{
    const struct script *script = &client->script;

    if (script->leaving != LEAVE_RESET || client->next != script->leave_at)
        return false;
    push(client, bytes_first(line->octets, script->leave_octets));
    if (is_end(line) && script->leave_octets == line->octets.n)
        note_sent(client, line);
    leave(client, dice_below(&client->crowd->dice, 2) == 0);
    return true;
}

static bool skips(const struct client *client, const struct line *line)
{
    if (line->kind == LINE_CLEAR)
        return line->wait && !client->open;
    if (line->kind == LINE_HELLO_AGAIN)
        return client->secrecy != SECURE;
    return line->kind == LINE_TEXT && client->script.lines[client->next - 1].code != 354;
}

/* False: nothing more is to be sent now. */
static bool send_line(struct client *client)
{
    struct line *line = &client->script.lines[client->next];

    if (line->wait && client->answered < client->next)
        return false;
    if (breaks_off(client, line))
        return false;
    if (skips(client, line)) {
        line->state = LINE_SKIPPED;
        client->answered += client->answered == client->next;
    } else {
        note_sent(client, line);
        push(client, line->octets);
    }
    client->next++;
    return true;
}

static void send_lines(struct client *client)
{
    bool all;

    while (!client->over && client->secrecy != SHAKES && client->next < client->script.n
           && send_line(client))
        client->said = true;
    if (client->over || client->secrecy == SHAKES)
        return;
    all = client->next == client->script.n;
    if (all && client->script.leaving == LEAVE_HALF)
        net_end(client->conn);
    if (all && client->answered == client->next && client->script.leaving == LEAVE_END)
        leave(client, dice_below(&client->crowd->dice, 2) == 0);
}

/* ---- what it hears */

static void complain(struct client *client, const struct line *line, const char *what)
{
    static const char *const names[] = {
        [LINE_GREETING] = "the greeting", [LINE_HELLO] = "EHLO",
        [LINE_STARTTLS] = "STARTTLS", [LINE_HELLO_AGAIN] = "EHLO inside TLS", [LINE_MAIL] = "MAIL",
        [LINE_RCPT] = "RCPT", [LINE_DATA] = "DATA", [LINE_TEXT] = "the final dot",
        [LINE_CHUNK] = "BDAT", [LINE_LAST] = "BDAT LAST", [LINE_CLEAR] = "RSET",
        [LINE_RSET] = "RSET", [LINE_NOOP] = "NOOP", [LINE_JUNK] = "junk", [LINE_QUIT] = "QUIT" };

    world_break(client->crowd->world, "letter %d: %s was answered %u: %s",
                line->letter == NULL ? -1 : (int)line->letter->index, names[line->kind],
                line->code, what);
}

static bool well(unsigned code) { return code >= 200 && code <= 299; }
static bool for_now(unsigned code) { return code >= 400 && code <= 499; }

static bool some_recipient(const struct letter *letter)
{
    for (size_t i = 0; i < letter->recipients_n; i++)
        if (well(letter->recipients[i].code))
            return true;
    return false;
}

static void hear_mail(struct client *client, struct line *line)
{
    bool due = line->letter->sort != SORT_TOO_LARGE
        && (!line->letter->require_tls || client->secrecy == SECURE);

    line->letter->mail_code = line->code;
    if (!due && well(line->code))
        complain(client, line, "it declared more than SIZE allows, or REQUIRETLS in clear");
    if (due && !well(line->code) && !for_now(line->code))
        complain(client, line, "nothing is wrong with it");
    client->open = client->open || well(line->code);
}

static void hear_rcpt(struct client *client, struct line *line)
{
    bool known = line->recipient->mailbox->folder != NULL || line->recipient->mailbox->away;
    bool open = well(line->letter->mail_code);

    line->recipient->code = line->code;
    if (!known && well(line->code))
        complain(client, line, "nobody of that name is here");
    if (!known && open && line->code != 550 && !for_now(line->code))
        complain(client, line, "550 was due");
    if (known && open && !well(line->code) && !for_now(line->code))
        complain(client, line, "that mailbox exists");
}

static void hear_end(struct client *client, struct line *line)
{
    struct letter *letter = line->letter;
    bool due = letter->sort == SORT_GOOD && well(letter->mail_code) && some_recipient(letter);

    letter->code = line->code;
    client->open = client->open && !well(line->code);
    letter->outcome = well(line->code) ? OUT_ACKED : OUT_REFUSED;
    if (well(line->code) && !due)
        complain(client, line, "this was to be refused");
    if (due && !well(line->code) && !for_now(line->code))
        complain(client, line, "nothing is wrong with it");
}

static void hear(struct client *client, struct line *line)
{
    bool fits = well(line->code);

    switch (line->kind) {
    case LINE_GREETING: case LINE_HELLO: case LINE_HELLO_AGAIN:
        fits = fits || for_now(line->code);
        break;
    case LINE_STARTTLS:
        fits = line->code == 220 || line->code >= 400;
        hear_starttls(client, line);
        break;
    case LINE_CLEAR: case LINE_RSET:
        client->open = client->open && !fits;
        fits = fits || line->code == 421;
        break;
    case LINE_NOOP: case LINE_QUIT:
        fits = fits || line->code == 421;
        break;
    case LINE_MAIL: hear_mail(client, line); return;
    case LINE_RCPT: hear_rcpt(client, line); return;
    case LINE_DATA: fits = line->code == 354 || line->code >= 400; break;
    case LINE_CHUNK: fits = true; break;
    case LINE_TEXT: case LINE_LAST: hear_end(client, line); return;
    case LINE_JUNK: fits = !fits; break;
    }
    if (!fits)
        complain(client, line, "that does not fit");
}

/* A refusal of EHLO or a greeting that is none: it leaves. */
static bool goes_on(const struct line *line)
{
    return (line->kind != LINE_GREETING && line->kind != LINE_HELLO
            && line->kind != LINE_HELLO_AGAIN) || well(line->code);
}

static void hear_reply(struct client *client, unsigned code)
{
    struct script *script = &client->script;

    client->moved_us = world_now_us(client->crowd->world);
    while (client->answered < client->next
           && script->lines[client->answered].state == LINE_SKIPPED)
        client->answered++;
    if (client->unscripted > 0) {
        client->unscripted--;
        return;
    }
    if (client->answered == client->next) {
        if (code != 421)
            world_break(client->crowd->world, "a reply %u that nobody asked for", code);
        return;
    }
    struct line *line = &script->lines[client->answered++];
    line->code = code;
    line->state = LINE_ANSWERED;
    hear(client, line);
    if (client->over)
        return;
    if (!goes_on(line))
        leave(client, false);
    else
        send_lines(client);
}

/* RFC 5321, 4.2:  Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring
   ] CRLF */
static bool take_reply_line(struct client *client)
{
    struct bytes all = buffer_bytes(&client->reply), line;
    size_t end = bytes_search(all, BYTES("\r\n"));
    unsigned code = 0;

    if (end == all.n)
        return false;
    line = bytes_first(all, end);
    for (size_t i = 0; i < 3; i++)
        code = code * 10 + (i < line.n && is_digit(line.at[i]) ? (unsigned)(line.at[i] - '0') : 90);
    bool last = line.n == 3 || (line.n > 3 && line.at[3] == ' ');
    if (code > 599 || (!last && (line.n < 4 || line.at[3] != '-')))
        world_break(client->crowd->world, "not a reply: %.*s", (int)line.n, line.at);
    buffer_drop(&client->reply, end + 2);
    if (last)
        hear_reply(client, code);
    return true;
}

static void through(struct client *client)
{
    struct buffer record = buffer_with_most(64);

    armour_through(&record);
    net_send(client->conn, buffer_bytes(&record));
    buffer_done(&record);
    client->secrecy = SECURE;
    client->moved_us = world_now_us(client->crowd->world);
    send_lines(client);
}

static void take_records(struct client *client)
{
    enum armour_said said = ARMOUR_TEXT;

    while (!client->over && said != ARMOUR_MORE) {
        said = armour_take(&client->raw, &client->reply);
        if (said == ARMOUR_READY && client->secrecy == SHAKES)
            through(client);
        else if (said == ARMOUR_OVER && !client->over)
            leave(client, false);
    }
}

static void on_bytes(void *ctx, struct bytes bytes)
{
    struct client *client = ctx;
    bool wrapped = client->secrecy != CLEAR;

    buffer_put(wrapped ? &client->raw : &client->reply, bytes);
    if (wrapped)
        take_records(client);
    while (!client->over && take_reply_line(client))
        continue;
}

static void on_opened(void *ctx)
{
    struct client *client = ctx;

    client->script.lines[0].state = LINE_SENT;
    client->next = 1;
}

/* Before anything was said it tries again, as mail servers do. */
static void on_closed(void *ctx)
{
    struct client *client = ctx;

    client->conn = NULL;
    if (client->over)
        return;
    if (client->said || client->dials >= DIALS_MOST) {
        over(client);
        return;
    }
    client->next = client->answered = 0;
    buffer_clear(&client->reply);
    buffer_clear(&client->raw);
    client->secrecy = CLEAR;
    dial_later(client);
}

/* ---- its beginning */

static void patience(struct world *world, struct future *future)
{
    struct client *client = future->who;
    uint64_t most = (uint64_t)PATIENCE_S * SECOND;

    if (client->over)
        return;
    if (client->conn != NULL && world_now_us(world) - client->moved_us > most)
        leave(client, true);
    else
        world_later(world, 60 * (uint64_t)SECOND, (struct future){
            .run = patience, .who = client });
}

static void dial(struct world *world, struct future *future)
{
    static const struct net_client ops = { on_opened, on_bytes, on_closed };
    struct client *client = future->who;
    struct crowd *crowd = client->crowd;

    client->dials++;
    client->moved_us = world_now_us(world);
    client->conn = net_dial(world, (uint32_t)dice_below(&crowd->dice, crowd->plan.fronts), &ops,
                            client);
}

static void dial_later(struct client *client)
{
    struct crowd *crowd = client->crowd;

    world_later(crowd->world, dice_below(&crowd->dice, 5 * SECOND), (struct future){
        .run = dial, .who = client });
}

static struct letter *new_letter(struct crowd *crowd)
{
    struct letter *letter = room_new(sizeof(*letter));

    crowd->letters = room_for(crowd->letters, &crowd->letters_room, crowd->letters_n + 1,
                              sizeof(letter));
    letter_make(letter, crowd->plan.seed, (uint32_t)crowd->letters_n, crowd->plan.reach,
                &crowd->dice);
    crowd->letters[crowd->letters_n++] = letter;
    return letter;
}

static void start_client(struct crowd *crowd)
{
    struct client *client = room_new(sizeof(*client));
    struct letter *letters[12];
    size_t n = (size_t)dice_between(&crowd->dice, 1, COUNT(letters));
    bool half = dice_chance(&crowd->dice, world_odds(crowd->world)->half_close * 20);

    crowd->clients = room_for(crowd->clients, &crowd->clients_room, crowd->clients_n + 1,
                              sizeof(client));
    crowd->clients[crowd->clients_n++] = client;
    *client = (struct client){ .crowd = crowd, .raw = buffer_with_most(1 << 20),
                               .reply = buffer_with_most(1 << 20) };
    bool tls = crowd->plan.tls && dice_below(&crowd->dice, 2) == 0;
    for (size_t i = 0; i < n; i++) {
        letters[i] = new_letter(crowd);
        letters[i]->require_tls = letters[i]->require_tls && tls;
    }
    script_make(&client->script, letters, n, &crowd->dice, (struct script_wish){
        .half_close = half, .tls = tls });
    world_totals(crowd->world)->half_close += half;
    world_totals(crowd->world)->sessions++;
    world_later(crowd->world, dice_below(&crowd->dice, 30 * SECOND), (struct future){
        .run = dial, .who = client });
    world_later(crowd->world, 60 * SECOND, (struct future){ .run = patience, .who = client });
}

struct crowd *crowd_new(struct world *world, const struct crowd_plan *plan)
{
    struct crowd *crowd = room_new(sizeof(*crowd));

    *crowd = (struct crowd){ .world = world, .plan = *plan, .dice = dice_of(plan->seed, 77) };
    for (unsigned i = 0; i < plan->sessions; i++)
        start_client(crowd);
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->clients_n; i++) {
        script_done(&crowd->clients[i]->script);
        buffer_done(&crowd->clients[i]->reply);
        buffer_done(&crowd->clients[i]->raw);
        room_free(crowd->clients[i]);
    }
    for (size_t i = 0; i < crowd->letters_n; i++) {
        letter_done(crowd->letters[i]);
        room_free(crowd->letters[i]);
    }
    room_free(crowd->clients);
    room_free(crowd->letters);
    room_free(crowd);
}

bool crowd_is_done(const struct crowd *crowd)
{
    return crowd->over_n == crowd->clients_n;
}

size_t crowd_letters(const struct crowd *crowd) { return crowd->letters_n; }
struct letter *crowd_letter(const struct crowd *crowd, size_t i) { return crowd->letters[i]; }
