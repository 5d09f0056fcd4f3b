/* SPDX-License-Identifier: ISC */
#include "smtp/dialogue_int.h"

enum { RANDOM_CUTS = 4 };

struct smtp_settings dialogue_settings(void)
{
    return (struct smtp_settings){
        .host = BYTES_INIT("mx.example.org"), .size_most = 100000, .recipients_most = 5,
    };
}

/* xorshift64: the same numbers in each run. */
uint64_t dialogue_roll(uint64_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    return *dice ^= *dice << 17;
}

void dialogue_play(struct play *play, struct bytes input, size_t step, uint64_t *dice)
{
    while (input.n > 0) {
        size_t n = step > 0 ? step : 1 + (size_t)(dialogue_roll(dice) % 40);
        play_feed(play, bytes_first(input, n));
        input = bytes_skip(input, n);
    }
    play_turn(play);
}

static const char *compare(const struct play *play, const struct dialogue *row, size_t step,
                           struct buffer *to)
{
    struct buffer summary = buffer_with_most(1 << 20);

    play_summary(play, &summary);
    struct bytes got = buffer_bytes(&summary), letters = buffer_bytes(&play->letters);
    bool same = bytes_equal(got, bytes_of(row->replies))
        && bytes_equal(letters, bytes_of(row->letters)) && play->broken == NULL;
    if (!same) {
        buffer_put_text(to, row->name);
        buffer_put_text(to, ", pieces of ");
        buffer_put_uint(to, step);
        buffer_put_text(to, "\n  replies ");
        buffer_put(to, got);
        buffer_put_text(to, "\n  wanted  ");
        buffer_put_text(to, row->replies);
        buffer_put_text(to, "\n  letters ");
        buffer_put(to, bytes_first(letters, 1000));
        buffer_put_text(to, "\n  wanted  ");
        buffer_put(to, bytes_first(bytes_of(row->letters), 1000));
        buffer_put_text(to, play->broken == NULL ? "\n" : "\n  broken: ");
        buffer_put_text(to, play->broken == NULL ? "" : play->broken);
        buffer_put_char(to, '\0');
    }
    buffer_done(&summary);
    return same ? NULL : to->at;
}

static const char *play_once(const struct dialogue *row, struct smtp_settings settings,
                             enum play_order order, size_t step, uint64_t *dice,
                             struct buffer *to)
{
    struct play play = { .settings = settings, .order = order, .moving = step == 1 };

    play.settings.notes = step <= 1;
    play_begin(&play);
    dialogue_play(&play, row->input, step, dice);
    const char *wrong = compare(&play, row, step, to);
    play_done(&play);
    return wrong;
}

const char *dialogue_check(const struct dialogue *row, struct smtp_settings settings,
                           struct buffer *to)
{
    uint64_t dice = 0x2545F4914F6CDD1D;
    const size_t whole = row->input.n == 0 ? 1 : row->input.n;
    const char *wrong = play_once(row, settings, PLAY_AT_ONCE, whole, &dice, to);

    if (wrong == NULL)
        wrong = play_once(row, settings, PLAY_AT_ONCE, 1, &dice, to);
    if (wrong == NULL)
        wrong = play_once(row, settings, PLAY_LATE, whole, &dice, to);
    if (wrong == NULL)
        wrong = play_once(row, settings, PLAY_BACKWARDS, whole, &dice, to);
    for (unsigned i = 0; i < RANDOM_CUTS && wrong == NULL; i++)
        wrong = play_once(row, settings, (enum play_order)(i % 3), 0, &dice, to);
    return wrong;
}

const char *dialogues_check(const struct dialogue *rows, size_t n, struct buffer *to)
{
    const char *wrong = NULL;

    for (size_t i = 0; i < n && wrong == NULL; i++)
        wrong = dialogue_check(&rows[i], dialogue_settings(), to);
    return wrong;
}
