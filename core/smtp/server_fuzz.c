/* SPDX-License-Identifier: ISC
 *
 * A session of any octets, cut anywhere: the first octet says how long the pieces are, the second
 * what the world does. Whole replies come out, in the same order as when it is not cut, and no
 * rule of server.h is broken.
 */
#include "smtp/play_int.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void act(struct play *play, unsigned what)
{
    switch (what % 8) {
    case 1: smtp_server_stop(play->server); break;
    case 2: smtp_server_timeout(play->server); break;
    case 3: smtp_server_set_low(play->server, true); break;
    case 4: play_end(play); return;
    case 5: smtp_server_stop_now(play->server); break;
    case 6: smtp_server_set_patience(play->server, 1, 0); break;
    default: return;
    }
    play_turn(play);
}

/* Each piece on memory of its own, so that the sanitizer sees an octet too far. */
static void feed_exact(struct play *play, struct bytes piece)
{
    char *exact = malloc(piece.n == 0 ? 1 : piece.n);

    must(exact != NULL);
    memcpy(exact, piece.at, piece.n);
    play_feed(play, (struct bytes){ exact, piece.n });
    free(exact);
}

static void play_input(struct play *play, struct bytes input, size_t step, unsigned what)
{
    size_t half = input.n / 2;

    play->settings = (struct smtp_settings){
        .host = BYTES("mx.example.org"), .size_most = 3000, .recipients_most = 3,
        .notes = what / 8 % 2 == 1, .xclient = what / 64 % 2 == 1, .recipes = true,
    };
    play->order = (enum play_order)(what / 16 % 3);
    play_begin(play);
    must(play->server != NULL);
    for (size_t at = 0; at < input.n; at += step) {
        if (at <= half && half < at + step && what % 8 != 0) {
            feed_exact(play, bytes_first(bytes_skip(input, at), half - at));
            if (!play->closed)
                act(play, what);
            at = half;
        }
        feed_exact(play, bytes_first(bytes_skip(input, at), step));
    }
    if (!play->closed)
        play_turn(play);
    must(play->broken == NULL);
}

/* RFC 5321, 4.2: every line a code, a space or hyphen, text; at most 512 octets. */
static void check_replies(struct bytes replies)
{
    struct bytes line;

    must(replies.n == 0 || bytes_ends(replies, BYTES("\r\n")));
    while (bytes_cut(&replies, '\n', &line)) {
        must(line.n >= 5 && line.n < 512 && line.at[line.n - 1] == '\r');
        must(line.at[0] >= '2' && line.at[0] <= '5');
        must(is_digit(line.at[1]) && is_digit(line.at[2]));
        must(line.at[3] == ' ' || line.at[3] == '-');
        for (size_t i = 4; i + 1 < line.n; i++)
            must(octet(line.at[i]) >= 32 && octet(line.at[i]) < 127);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct play whole = { .closed = false }, cut = { .closed = false };

    if (n < 2)
        return 0;
    struct bytes input = { (const char *)data + 2, n - 2 };
    size_t step = data[0] == 0 ? n : data[0];
    play_input(&whole, input, n, data[1]);
    cut.moving = true;
    play_input(&cut, input, step, data[1]);
    check_replies(buffer_bytes(&whole.replies));
    must(bytes_equal(buffer_bytes(&whole.replies), buffer_bytes(&cut.replies)));
    must(bytes_equal(buffer_bytes(&whole.letters), buffer_bytes(&cut.letters)));
    must(bytes_equal(buffer_bytes(&whole.notes), buffer_bytes(&cut.notes)));
    must(whole.closed == cut.closed);
    play_done(&whole);
    play_done(&cut);
    return 0;
}
