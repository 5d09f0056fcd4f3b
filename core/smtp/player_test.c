/* SPDX-License-Identifier: ISC
 *
 * Not a test by itself: plays the sessions that suites.py sends it. A request is "LENGTH
 * SIZE_MOST\n" and that many octets from a client; the answer "REPLIES LETTERS CLOSED\n", then
 * the replies and the letters, as play_int.h writes them. Each session is played whole and octet
 * by octet: must the two differ, it aborts.
 */
#include "smtp/dialogue_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MOST = 16 * 1024 * 1024 };

static void play_it(struct play *play, struct bytes input, size_t step, uint64_t size_most)
{
    play->settings = dialogue_settings();
    play->settings.size_most = size_most;
    play->settings.recipients_most = 1000;
    play_begin(play);
    dialogue_play(play, input, step, NULL);
    if (play->broken != NULL) {
        fprintf(stderr, "broken: %s\n", play->broken);
        abort();
    }
}

static void put(struct bytes text)
{
    if (fwrite(text.at, 1, text.n, stdout) != text.n)
        exit(EXIT_FAILURE);
}

static void answer(struct bytes input, uint64_t size_most)
{
    struct play whole = { .closed = false }, cut = { .closed = false };

    play_it(&whole, input, input.n + 1, size_most);
    play_it(&cut, input, 1, size_most);
    struct bytes replies = buffer_bytes(&whole.replies), letters = buffer_bytes(&whole.letters);
    if (!bytes_equal(replies, buffer_bytes(&cut.replies))
        || !bytes_equal(letters, buffer_bytes(&cut.letters)) || whole.closed != cut.closed)
        abort();
    printf("%zu %zu %d\n", replies.n, letters.n, whole.closed);
    put(replies);
    put(letters);
    fflush(stdout);
    play_done(&whole);
    play_done(&cut);
}

int main(void)
{
    static char input[INPUT_MOST];
    unsigned long long n, size_most;
    char line[100];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *end = line;
        n = strtoull(line, &end, 10);
        size_most = strtoull(end, NULL, 10);
        if (n > INPUT_MOST || fread(input, 1, n, stdin) != n)
            return EXIT_FAILURE;
        answer((struct bytes){ input, n }, size_most);
    }
    return EXIT_SUCCESS;
}
