/* SPDX-License-Identifier: ISC */
#include "sim/letter.h"

#include "base/number.h"
#include "sim/refuser.h"
#include "sim/room.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct mailbox mailboxes[] = {
    { "alice@example.org", "example.org/alice", .utf8 = false },
    { "bob@example.org", "example.org/bob", .utf8 = false },
    { "Dave.D@EXAMPLE.org", "example.org/dave.d", .utf8 = false },
    { "eve+list_1@example.org", "example.org/eve+list_1", .utf8 = false },
    { "\"carol c\"@example.org", "example.org/carol%20c", .utf8 = false },
    { "\"..\"@example.org", "example.org/%2E%2E", .utf8 = false },
    { "\"a/b\"@example.org", "example.org/a%2Fb", .utf8 = false },
    { "\"\\\".\\\"\"@example.org", "example.org/%22.%22", .utf8 = false },
    { "j\xc3\xb6rg@example.org", "example.org/j%C3%B6rg", .utf8 = true },
    { "postmaster@example.org", "example.org/postmaster", .utf8 = false },
    { "nobody@example.org", NULL, .utf8 = false },
    { "\"no one\"@example.org", NULL, .utf8 = false },
    { "alice@elsewhere.example", NULL, .utf8 = false },
    { REFUSER_ADDRESS, "example.org/refuser", .refuses = true },
    { "ann@plain.example", NULL, .away = true },
    { "ben@plain.example", NULL, .away = true },
    { "no@plain.example", NULL, .away = true, .refuses = true },
    { "j\xc3\xbcrg@plain.example", NULL, .away = true, .utf8 = true },
    { "dan@dane.example", NULL, .away = true },
    { "dot@dane.example", NULL, .away = true },
    { "sue@sts.example", NULL, .away = true },
    { "sid@sts.example", NULL, .away = true },
    { "bea@bare.example", NULL, .away = true },
    { "nil@null.example", NULL, .away = true },
    { "gus@gone.example", NULL, .away = true },
    { "lou@lost.example", NULL, .away = true },
};
const size_t mailboxes_n = COUNT(mailboxes);

enum { TOKEN_MOST = 64, KIB = 1024, LINE_MOST = 998 };

static int token_write(char *to, uint64_t seed, uint32_t index)
{
    return snprintf(to, TOKEN_MOST, "[t%" PRIx64 "-%" PRIu32 "]", seed, index);
}

bool letter_find_token(uint64_t seed, struct bytes text, uint32_t *ret_index)
{
    char start[TOKEN_MOST];
    int n = snprintf(start, sizeof(start), "[t%" PRIx64 "-", seed);
    struct bytes rest = bytes_skip(text, bytes_search(text, (struct bytes){ start, (size_t)n }));
    uint64_t index;

    if (rest.n == 0 || !number_parse(bytes_upto(bytes_skip(rest, (size_t)n), ']'), &index))
        return false;
    *ret_index = (uint32_t)index;
    return true;
}

/* ---- text */

static void put_octets(struct buffer *text, struct dice *dice, size_t n, bool eight_bit)
{
    char *at = buffer_grow(text, n);

    for (size_t i = 0; at != NULL && i < n; i += 8) {
        uint64_t chance = dice_throw(dice);
        for (size_t k = 0; k < 8 && i + k < n; k++, chance >>= 8)
            at[i + k] = (char)(eight_bit && (chance & 1) != 0 ? 0x80 | (chance & 0x7f)
                                                              : ' ' + (chance & 0xff) % 95);
    }
}

static void put_line(struct buffer *text, struct dice *dice, struct bytes token, bool eight_bit)
{
    static const size_t most[] = { 10, 70, 70, 70, LINE_MOST - TOKEN_MOST };

    if (dice_below(dice, 8) == 0)
        buffer_put_chars(text, '.', dice_between(dice, 1, 3));
    if (dice_below(dice, 30) == 0) {
        buffer_put_text(text, "\r\n");      /* ".", "..", or an empty line */
        return;
    }
    buffer_put(text, token);
    put_octets(text, dice, dice_below(dice, most[dice_below(dice, COUNT(most))]), eight_bit);
    buffer_put_text(text, "\r\n");
}

static void put_binary(struct buffer *text, struct dice *dice, struct bytes token, size_t n)
{
    char *at;

    buffer_put(text, token);
    at = buffer_grow(text, n);
    for (size_t i = 0; at != NULL && i < n; i++)
        at[i] = (char)(dice_below(dice, 4) == 0 ? "\0\r\n."[dice_below(dice, 4)]
                                               : (char)dice_below(dice, 256));
}

static void put_header(struct buffer *text, const struct letter *letter, struct bytes token)
{
    buffer_put_text(text, "From: <sender@client.example>\r\nSubject: ");
    buffer_put(text, token);
    buffer_put_text(text, letter->utf8 ? " \xc3\xa9t\xc3\xa9" : " a letter");
    buffer_put_text(text, "\r\nMessage-ID: <");
    buffer_put(text, bytes_first(bytes_skip(token, 1), token.n - 2));
    buffer_put_text(text, "@client.example>\r\n\r\n");
}

/* Mostly small; some around the limit of what lies in a record, few of some megabytes. */
static size_t size_of(struct dice *dice)
{
    uint64_t chance = dice_below(dice, 1000);

    if (chance < 4)
        return (size_t)dice_between(dice, 300 * KIB, 3000 * KIB);
    if (chance < 10)
        return (size_t)dice_between(dice, 250 * KIB, 262 * KIB);
    if (chance < 60)
        return (size_t)dice_between(dice, 4 * KIB, 80 * KIB);
    return (size_t)dice_between(dice, 20, 2 * KIB);
}

static void spoil_ends(struct buffer *text, struct dice *dice)
{
    static const struct { const char *octets; size_t n; } flaws[] = {
        { "\n", 1 }, { "\r", 1 }, { "\n.\n", 3 }, { "\n.\r\n", 4 }, { "\r.\r", 3 }, { "\0", 1 },
        { "\r\n.\n", 4 }, { "\r\n.\r", 4 },
    };
    size_t which = (size_t)dice_below(dice, COUNT(flaws));

    buffer_put(text, (struct bytes){ flaws[which].octets, flaws[which].n });
    buffer_put_text(text, "behind the flaw\r\n");
}

static struct bytes text_of(struct letter *letter, struct dice *dice, struct bytes token)
{
    struct buffer text = buffer_with_most(8 << 20);
    size_t size = size_of(dice);
    bool eight_bit = letter->body == BODY_8BITMIME && !letter->utf8;

    put_header(&text, letter, token);
    if (letter->body == BODY_BINARYMIME)
        put_binary(&text, dice, token, size);
    else
        while (text.n < size)
            put_line(&text, dice, token, eight_bit);
    letter->flaw_at = text.n;
    if (letter->sort == SORT_BAD_ENDS)
        spoil_ends(&text, dice);
    if (letter->chunks && letter->sort == SORT_GOOD && dice_below(dice, 6) == 0)
        buffer_put_text(&text, "no line end behind this");
    char *copy = room_copy(buffer_bytes(&text));
    struct bytes all = { copy, text.n };
    buffer_done(&text);
    return all;
}

/* ---- envelope */

/* Domains whose letters only ever fail, and long words for a refusal of ours. */
static bool is_wanted(const struct mailbox *mailbox, enum letter_reach reach, struct dice *dice)
{
    static const char *const seldom[] = { "nil@null.example", "gus@gone.example",
                                          "lou@lost.example" };

    if (reach != REACH_BOTH && mailbox->away != (reach == REACH_AWAY))
        return false;
    if (reach != REACH_HERE && strcmp(mailbox->address, "alice@elsewhere.example") == 0)
        return false;
    for (size_t i = 0; i < COUNT(seldom); i++)
        if (strcmp(mailbox->address, seldom[i]) == 0)
            return reach == REACH_BOTH && dice_below(dice, 3) == 0;
    return mailbox->folder != NULL || mailbox->away || dice_below(dice, 3) == 0;
}

static void add_recipients(struct letter *letter, enum letter_reach reach, struct dice *dice)
{
    size_t want = dice_below(dice, 3) == 0 ? (size_t)dice_between(dice, 2, LETTER_RECIPIENTS) : 1;
    size_t from = (size_t)dice_below(dice, mailboxes_n);

    if (letter->sender[0] == '\0')
        want = 1;
    for (size_t i = 0; i < mailboxes_n && letter->recipients_n < want; i++) {
        const struct mailbox *mailbox = &mailboxes[(from + i) % mailboxes_n];
        if ((!mailbox->utf8 || letter->utf8) && is_wanted(mailbox, reach, dice))
            letter->recipients[letter->recipients_n++].mailbox = mailbox;
    }
}

/* Whoever wants to hear of a failure must have a mailbox here. */
static void ask_for_reports(struct letter *letter, struct dice *dice)
{
    static const char *const notifies[] = {
        "", "", " NOTIFY=FAILURE", " NOTIFY=FAILURE,DELAY", " NOTIFY=NEVER", " NOTIFY=DELAY",
    };

    bool may_fail = letter->sender[0] != '\0' && dice_below(dice, 4) == 0;

    for (size_t i = 0; i < letter->recipients_n; i++) {
        struct letter_recipient *recipient = &letter->recipients[i];
        recipient->notify = "";
        if (!recipient->mailbox->refuses && !recipient->mailbox->away && !may_fail)
            continue;
        recipient->notify = notifies[dice_below(dice, COUNT(notifies))];
        if (letter->sender[0] != '\0')
            letter->sender = REPORTS_ADDRESS;
    }
}

void letter_make(struct letter *letter, uint64_t seed, uint32_t index, enum letter_reach reach,
                 struct dice *dice)
{
    static const char *const senders[] = {
        "sender@client.example", "", "\"quoted sender\"@client.example", "s+1@[192.0.2.7]",
    };
    static const enum body_kind bodies[] = {
        BODY_7BIT, BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
    char token[TOKEN_MOST];

    *letter = (struct letter){ .index = index };
    letter->chunks = dice_below(dice, 2) == 0;
    letter->body = bodies[dice_below(dice, COUNT(bodies))];
    if (letter->body == BODY_BINARYMIME)
        letter->chunks = true;
    letter->utf8 = letter->body == BODY_8BITMIME && dice_below(dice, 2) == 0;
    letter->sender = senders[dice_below(dice, COUNT(senders))];
    if (dice_below(dice, 25) == 0 && letter->body != BODY_BINARYMIME)
        letter->sort = SORT_BAD_ENDS;
    if (dice_below(dice, 60) == 0)
        letter->sort = SORT_TOO_LARGE;
    add_recipients(letter, reach, dice);
    letter->require_tls = reach != REACH_HERE && dice_below(dice, 3) == 0;
    ask_for_reports(letter, dice);
    int n = token_write(token, seed, index);
    letter->text = text_of(letter, dice, (struct bytes){ token, (size_t)n });
}

void letter_done(struct letter *letter)
{
    room_free((void *)(uintptr_t)letter->text.at);
}
