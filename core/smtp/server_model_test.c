/* SPDX-License-Identifier: ISC
 *
 * A second, plain reading of RFC 5321 and RFC 3030: which commands are well timed, what a
 * transaction holds. It knows no octets: it is told what each command means. Random sequences of
 * commands are played on the machine as text and on the model as meanings; the class of every
 * reply and every envelope must agree.
 */
#include "smtp/dialogue_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum meaning {
    HELLO, HELLO_OLD, HELLO_BAD, SENDER, SENDER_NULL, SENDER_BINARY, SENDER_PARAM, SENDER_BAD,
    RECIPIENT, RECIPIENT_UNKNOWN, RECIPIENT_LATER, RECIPIENT_BAD, TEXT, TEXT_FLAWED, CHUNK,
    CHUNK_LAST, CHUNK_FLAWED, CHUNK_FLAWED_LAST, CHUNK_MALFORMED_LAST, CHUNK_LOST, FORGET, NOTHING,
    ASK_NAME, ASK_LIST, ASK_HELP, NONSENSE, LINE_BAD, NOT_OURS, OTHER_PROTOCOL, LEAVE, MEANINGS
};

/* `more` is sent too: the octets of a chunk always, a text only when it was asked for. */
static const struct { struct bytes text, more; unsigned weight; } commands[MEANINGS] = {
    [HELLO] = { BYTES_INIT("EHLO c.example\r\n"), BYTES_INIT(""), 12 },
    [HELLO_OLD] = { BYTES_INIT("HELO c.example\r\n"), BYTES_INIT(""), 3 },
    [HELLO_BAD] = { BYTES_INIT("EHLO a b\r\n"), BYTES_INIT(""), 1 },
    [SENDER] = { BYTES_INIT("MAIL FROM:<a@c.example>\r\n"), BYTES_INIT(""), 25 },
    [SENDER_NULL] = { BYTES_INIT("MAIL FROM:<>\r\n"), BYTES_INIT(""), 5 },
    [SENDER_BINARY] = { BYTES_INIT("MAIL FROM:<a@c.example> BODY=BINARYMIME\r\n"),
                        BYTES_INIT(""), 8 },
    [SENDER_PARAM] = { BYTES_INIT("MAIL FROM:<a@c.example> SIZE=1\r\n"), BYTES_INIT(""), 5 },
    [SENDER_BAD] = { BYTES_INIT("MAIL FROM:<a c@example>\r\n"), BYTES_INIT(""), 2 },
    [RECIPIENT] = { BYTES_INIT("RCPT TO:<b@example.org>\r\n"), BYTES_INIT(""), 35 },
    [RECIPIENT_UNKNOWN] = { BYTES_INIT("RCPT TO:<nobody@example.org>\r\n"), BYTES_INIT(""), 4 },
    [RECIPIENT_LATER] = { BYTES_INIT("RCPT TO:<later@example.org>\r\n"), BYTES_INIT(""), 3 },
    [RECIPIENT_BAD] = { BYTES_INIT("RCPT TO:<>\r\n"), BYTES_INIT(""), 2 },
    [TEXT] = { BYTES_INIT("DATA\r\n"), BYTES_INIT("x\r\n..\r\n.\r\n"), 15 },
    [TEXT_FLAWED] = { BYTES_INIT("DATA\r\n"), BYTES_INIT("x\n.\nMAIL FROM:<>\r\n.\r\n"), 3 },
    [CHUNK] = { BYTES_INIT("BDAT 6\r\n"), BYTES_INIT("QUIT\r\n"), 12 },
    [CHUNK_LAST] = { BYTES_INIT("BDAT 6 LAST\r\n"), BYTES_INIT("RSET\r\n"), 15 },
    [CHUNK_FLAWED] = { BYTES_INIT("BDAT 3\r\n"), BYTES_INIT("x\0y"), 3 },
    [CHUNK_FLAWED_LAST] = { BYTES_INIT("BDAT 3 LAST\r\n"), BYTES_INIT("x\ny"), 3 },
    [CHUNK_MALFORMED_LAST] = { BYTES_INIT("BDAT 06 LAST\r\n"), BYTES_INIT("QUIT\r\n"), 1 },
    [CHUNK_LOST] = { BYTES_INIT("BDAT -6\r\n"), BYTES_INIT("QUIT\r\n"), 1 },
    [FORGET] = { BYTES_INIT("RSET\r\n"), BYTES_INIT(""), 6 },
    [NOTHING] = { BYTES_INIT("NOOP\r\n"), BYTES_INIT(""), 3 },
    [ASK_NAME] = { BYTES_INIT("VRFY b\r\n"), BYTES_INIT(""), 2 },
    [ASK_LIST] = { BYTES_INIT("EXPN b\r\n"), BYTES_INIT(""), 1 },
    [ASK_HELP] = { BYTES_INIT("HELP\r\n"), BYTES_INIT(""), 1 },
    [NONSENSE] = { BYTES_INIT("Subject: x\r\n"), BYTES_INIT(""), 3 },
    [LINE_BAD] = { BYTES_INIT("NO\0OP\r\n"), BYTES_INIT(""), 1 },
    [NOT_OURS] = { BYTES_INIT("STARTTLS\r\n"), BYTES_INIT(""), 1 },
    [OTHER_PROTOCOL] = { BYTES_INIT("GET / HTTP/1.0\r\n"), BYTES_INIT(""), 1 },
    [LEAVE] = { BYTES_INIT("QUIT\r\n"), BYTES_INIT(""), 1 },
};

/* The model. Limits as documented: 20 errors, 100 idle commands, 20 unknown recipients. */
struct model {
    bool named, extended;           /* HELO or EHLO; EHLO */
    bool sender, null, binary;      /* a MAIL was taken */
    unsigned recipients;
    bool chunking;                  /* BDAT has begun the text */
    bool failed;                    /* its text is refused; chunks still may come */
    bool failure_told;
    bool needs_reset;
    bool text_refused;              /* DATA was, a moment ago */
    unsigned errors, idle, unknown;
    bool gone;
    bool text_asked;                /* the last reply was 354 */
    struct buffer *letters;
};

static void forget(struct model *model)
{
    model->sender = model->null = model->binary = model->chunking = false;
    model->failed = model->failure_told = model->needs_reset = false;
    model->recipients = 0;
}

static int error(struct model *model)
{
    model->gone = ++model->errors > 20;
    return model->gone ? 4 : 5;
}

static int accept(struct model *model)
{
    buffer_put_text(model->letters, model->null ? "" : "a@c.example");
    for (unsigned i = 0; i < model->recipients; i++)
        buffer_put_text(model->letters, i == 0 ? ">b@example.org" : ",b@example.org");
    buffer_put_text(model->letters, model->binary ? " BINARYMIME" : " 7BIT");
    buffer_put_char(model->letters, '\n');
    model->errors = model->idle = 0;
    forget(model);
    return 2;
}

static int on_sender(struct model *model, enum meaning meaning)
{
    bool open = model->sender && !model->failed;

    if (!model->named || open || model->needs_reset || meaning == SENDER_BAD)
        return error(model);
    if (!model->extended && (meaning == SENDER_BINARY || meaning == SENDER_PARAM))
        return error(model);
    forget(model);
    model->sender = true;
    model->null = meaning == SENDER_NULL;
    model->binary = meaning == SENDER_BINARY;
    return 2;
}

static int on_recipient(struct model *model, enum meaning meaning)
{
    if (!model->sender || model->chunking || model->failed || model->needs_reset
        || meaning == RECIPIENT_BAD || (model->null && model->recipients >= 2))
        return error(model);
    if (model->recipients >= 5 || meaning == RECIPIENT_LATER)
        return 4;
    if (meaning == RECIPIENT_UNKNOWN) {
        model->gone = ++model->unknown > 20;
        return model->gone ? 4 : 5;
    }
    model->recipients++;
    return 2;
}

static int on_text(struct model *model)
{
    bool spoils = model->recipients > 0 && (model->chunking || model->binary) && !model->failed;

    model->text_asked = model->recipients > 0 && !spoils && !model->failed && !model->needs_reset;
    if (model->text_asked)
        return 3;
    if (spoils) {
        forget(model);
        model->needs_reset = true;
    }
    model->text_refused = true;
    return error(model);
}

static int on_chunk(struct model *model, bool flawed, bool last)
{
    if (!model->named || !model->sender || model->needs_reset)
        return error(model);
    if (model->recipients > 0 && !model->extended)
        return error(model);
    bool was_failed = model->failed;
    model->chunking = model->recipients > 0;
    model->failed = model->failed || flawed || model->recipients == 0;
    if (!model->failed)
        return last ? accept(model) : 2;
    if (last)
        forget(model);
    return was_failed ? 5 : error(model);
}

static bool is_idle(enum meaning meaning)
{
    return meaning <= HELLO_BAD || (meaning >= FORGET && meaning <= ASK_HELP)
        || meaning == NOT_OURS || meaning == OTHER_PROTOCOL;
}

static int on_rest(struct model *model, enum meaning meaning)
{
    bool hello = meaning == HELLO || meaning == HELLO_OLD;

    if (hello || meaning == FORGET)
        forget(model);
    if (hello) {
        model->named = true;
        model->extended = meaning == HELLO;
    }
    if (hello || meaning == FORGET || meaning == NOTHING || meaning == ASK_NAME
        || meaning == ASK_HELP)
        return 2;
    model->gone = meaning == LEAVE || meaning == OTHER_PROTOCOL || meaning == CHUNK_LOST;
    if (model->gone)
        return meaning == LEAVE ? 2 : meaning == CHUNK_LOST ? 5 : 4;
    return error(model);
}

static int model_reply(struct model *model, enum meaning meaning)
{
    bool uncalled = meaning == NONSENSE && model->text_refused;

    model->text_asked = false;
    if (meaning != NONSENSE && meaning != LINE_BAD)
        model->text_refused = false;
    if (uncalled || (is_idle(meaning) && ++model->idle > 100)) {
        model->gone = true;
        return 4;
    }
    if (meaning >= SENDER && meaning <= SENDER_BAD)
        return on_sender(model, meaning);
    if (meaning >= RECIPIENT && meaning <= RECIPIENT_BAD)
        return on_recipient(model, meaning);
    if (meaning == TEXT || meaning == TEXT_FLAWED)
        return on_text(model);
    if (meaning >= CHUNK && meaning <= CHUNK_MALFORMED_LAST) {
        bool flawed = meaning == CHUNK_MALFORMED_LAST
            || (meaning >= CHUNK_FLAWED && !model->binary);
        return on_chunk(model, flawed, meaning != CHUNK && meaning != CHUNK_FLAWED);
    }
    return on_rest(model, meaning);
}

/* What is said when the text that was asked for is over. */
static int model_text(struct model *model, enum meaning meaning)
{
    if (meaning == TEXT)
        return accept(model);
    forget(model);
    return error(model);
}

static enum meaning draw(uint64_t *dice)
{
    unsigned all = 0;

    for (size_t i = 0; i < MEANINGS; i++)
        all += commands[i].weight;
    unsigned at = (unsigned)(dialogue_roll(dice) % all);
    for (size_t i = 0; i < MEANINGS; i++) {
        if (at < commands[i].weight)
            return (enum meaning)i;
        at -= commands[i].weight;
    }
    return LEAVE;
}

/* One sequence: `input` for the machine, and in `want` the classes the model says, in `letters` its
   envelopes. */
static void compose(uint64_t *dice, struct buffer *input, struct buffer *want,
                    struct buffer *letters)
{
    struct model model = { .letters = letters };
    size_t length = 1 + dialogue_roll(dice) % 60;

    for (size_t i = 0; i < length && !model.gone; i++) {
        enum meaning meaning = i == 0 && length > 3 ? HELLO : draw(dice);
        buffer_put(input, commands[meaning].text);
        buffer_put_char(want, (char)('0' + model_reply(&model, meaning)));
        bool data = meaning == TEXT || meaning == TEXT_FLAWED;
        if (!data || model.text_asked)
            buffer_put(input, commands[meaning].more);
        if (model.text_asked)
            buffer_put_char(want, (char)('0' + model_text(&model, meaning)));
    }
    buffer_put_text(want, model.gone ? "." : "");
}

/* The same of the machine: classes from its replies, envelopes from its letters. */
static void observe(const struct play *play, struct buffer *got, struct buffer *letters)
{
    struct bytes rest = buffer_bytes(&play->replies), line;

    (void)bytes_cut(&rest, '\n', &line);            /* the greeting */
    while (bytes_cut(&rest, '\n', &line)) {
        if (line.n > 3 && line.at[3] == ' ')
            buffer_put_char(got, line.at[0]);
    }
    buffer_put_text(got, play->closed ? "." : "");
    for (rest = buffer_bytes(&play->letters); bytes_cut(&rest, '\n', &line);) {
        size_t end = bytes_search(line, BYTES("MIME "));
        size_t seven = bytes_search(line, BYTES(" 7BIT"));
        if (bytes_search(line, BYTES("SMTP")) == line.n)
            continue;                               /* a line of text */
        buffer_put(letters, bytes_first(line, seven < line.n ? seven + 5 : end + 4));
        buffer_put_char(letters, '\n');
    }
}

static void test_sequences(void **state)
{
    const char *count = getenv("POSTERN_SEQUENCES");
    unsigned long rounds = count == NULL ? 300000 : strtoul(count, NULL, 10);
    struct buffer input = buffer_with_most(1 << 20), want = input, got = input;
    struct buffer letters = input, seen = input;
    uint64_t dice = 0x9E3779B97F4A7C15;
    unsigned long accepted = 0;

    for (unsigned long round = 0; round < rounds; round++) {
        struct play play = { .settings = dialogue_settings(),
                             .order = (enum play_order)(round % 3) };
        buffer_clear(&input), buffer_clear(&want), buffer_clear(&got);
        buffer_clear(&letters), buffer_clear(&seen);
        compose(&dice, &input, &want, &letters);
        play_begin(&play);
        dialogue_play(&play, buffer_bytes(&input), round % 8 == 0 ? 0 : input.n, &dice);
        observe(&play, &got, &seen);
        if (!bytes_equal(buffer_bytes(&want), buffer_bytes(&got))
            || !bytes_equal(buffer_bytes(&letters), buffer_bytes(&seen)) || play.broken != NULL)
            fail_msg("round %lu\n%.*s\nmodel   %.*s\nmachine %.*s\nmodel:\n%.*s\nmachine:\n%.*s",
                     round, (int)input.n, input.at, (int)want.n, want.at, (int)got.n, got.at,
                     (int)letters.n, letters.n > 0 ? letters.at : "", (int)seen.n,
                     seen.n > 0 ? seen.at : "");
        accepted += play.letters_n;
        play_done(&play);
    }
    print_message("# %lu sequences, %lu letters\n", rounds, accepted);
    assert_true(accepted > rounds / 4);
    buffer_done(&input), buffer_done(&want), buffer_done(&got);
    buffer_done(&letters), buffer_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sequences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
