/* SPDX-License-Identifier: ISC
 *
 * Does the time that an answer takes tell what was wrong behind a decryption? (Hostile case
 * SEAL-017; Bleichenbacher 1998, Vaudenay 2002.)
 *
 *     pem_timing [SAMPLES]        samples of each figure, else 100000
 *
 * Each figure takes two kinds of input that a stranger may send, in an order thrown by dice, and
 * compares their times by Welch's t. The slowest twentieth, which is other people's work, is left
 * out. A JSON line a figure; exit status 1 when one is 4.5 or more.
 */
#include "base/arena.h"
#include "seal/pem_reader.h"
#include "seal/pem_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { INPUTS = 64, BITS = 1024, SECRET = 24, INPUT_MOST = 16384 };
#define T_MOST 4.5

struct input {
    char at[INPUT_MOST];
    size_t n;
};

/* Two kinds of input, many of each. */
static struct input inputs[2][INPUTS];
static struct rsa_private *key;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void throw_dice(void *to, size_t n)
{
    if (getrandom(to, n, 0) != (ssize_t)n)
        abort();
}

static void keep(struct input *input, struct buffer *octets)
{
    if (octets->bad || octets->n > sizeof(input->at))
        abort();
    memcpy(input->at, octets->at, octets->n);
    input->n = octets->n;
    buffer_done(octets);
}

/* ---- what is tried */

static void decipher(enum rsa_wrap wrap, const struct input *input)
{
    uint8_t secret[SECRET];

    if (!rsa_decipher(key, wrap, (struct bytes){ input->at, input->n }, SECRET, secret))
        abort();
}

static void decipher_pkcs1(const struct input *input)
{
    decipher(RSA_WRAP_PKCS1, input);
}

static void decipher_oaep(const struct input *input)
{
    decipher(RSA_WRAP_OAEP, input);
}

static void open_message(const struct input *input)
{
    struct pem_own own = { key, BYTES("a@b.example") };
    struct pem_keys keys = { .own = &own, .own_n = 1 };
    struct pem_reader *reader = pem_reader_new(&keys, true);
    struct buffer text = buffer_with_most(INPUT_MOST);

    if (reader == NULL)
        abort();
    (void)pem_read(reader, (struct bytes){ input->at, input->n }, &text);
    if (pem_reader_found(reader) == NULL || pem_reader_found(reader)->verdict != PEM_ALTERED)
        abort();
    pem_reader_free(reader);
    buffer_done(&text);
}

/* ---- inputs */

/* A block that holds a secret of the right length; of the other kind one of another length, or with
   an octet changed, which is no block at all. */
static void make_blocks(enum rsa_wrap wrap)
{
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < INPUTS; i++) {
            struct buffer block = buffer_with_most(INPUT_MOST);
            char secret[SECRET];
            throw_dice(secret, sizeof(secret));
            struct bytes part = { secret, kind == 1 && i % 2 == 0 ? SECRET - 1 : SECRET };
            if (!rsa_encipher(rsa_private_public(key), wrap, part, &block))
                abort();
            if (kind == 1 && i % 2 == 1)
                block.at[block.n - 1 - i] ^= 1;
            keep(&inputs[kind][i], &block);
        }
}

static void make_pkcs1(void)
{
    make_blocks(RSA_WRAP_PKCS1);
}

static void make_oaep(void)
{
    make_blocks(RSA_WRAP_OAEP);
}

static void write_message(struct buffer *to)
{
    static const char line[] = "a line of an ordinary letter, as long as lines are usually.\n";
    struct pem_to one = { BYTES("a@b.example"), rsa_private_public(key), BYTES_NONE, BYTES_NONE };
    struct pem_order order = { .profile = PEM_PROFILE_RIPEM3, .type = PEM_ENCRYPTED, .key = key,
                               .from = BYTES("a@b.example"), .to = &one, .to_n = 1,
                               .has_dek = true, .dek = CIPHER_DES_EDE_CBC };
    struct buffer text = buffer_with_most(INPUT_MOST);
    struct pem_flaw flaw;

    for (size_t i = 0; i < 20; i++)
        buffer_put_text(&text, line);
    throw_dice(order.chance, sizeof(order.chance));
    pem_order_complete(&order);
    if (!pem_write(&order, buffer_bytes(&text), to, &flaw))
        abort();
    buffer_done(&text);
}

/* One letter of base64 in its place, so that the lines stay as they are. */
static void turn(struct buffer *message, size_t at)
{
    message->at[at] = message->at[at] == 'A' ? 'B' : 'A';
}

static size_t after(const struct buffer *message, const char *words)
{
    return bytes_search(buffer_bytes(message), bytes_of(words)) + strlen(words);
}

/* Bleichenbacher's question: is that a block? One holds a key that is not this message's, the other
   is none. */
static void make_key_infos(void)
{
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < INPUTS; i++) {
            struct buffer message = buffer_with_most(INPUT_MOST);
            struct buffer other = buffer_with_most(INPUT_MOST);
            write_message(&message);
            write_message(&other);
            size_t to = after(&message, "Key-Info: RSA,\n "), from = after(&other,
                                                                           "Key-Info: RSA,\n ");
            size_t n = bytes_search(bytes_skip(buffer_bytes(&other), from), BYTES("\n\n"));
            memcpy(message.at + to, other.at + from, n);
            if (kind == 1)
                turn(&message, to + 2 + i % 60);     /* less than the modulus, as before */
            buffer_done(&other);
            keep(&inputs[kind][i], &message);
        }
}

/* Vaudenay's question: is the padding right? The first block of the text is changed, or the last
   but one, which makes the last octets of the text anything. */
static void make_paddings(void)
{
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < INPUTS; i++) {
            struct buffer message = buffer_with_most(INPUT_MOST);
            write_message(&message);
            size_t end = bytes_search(buffer_bytes(&message), BYTES("\n-----END"));
            turn(&message, kind == 0 ? after(&message, "\n\n") + i % 8 : end - 12);
            keep(&inputs[kind][i], &message);
        }
}

/* ---- comparing */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct moments {
    double n, mean, squares;
};

static void add(struct moments *moments, double x)
{
    double off = x - moments->mean;

    moments->n++;
    moments->mean += off / moments->n;
    moments->squares += off * (x - moments->mean);
}

static double welch(const struct moments m[2])
{
    double a = m[0].squares / (m[0].n - 1) / m[0].n, b = m[1].squares / (m[1].n - 1) / m[1].n;

    return (m[0].mean - m[1].mean) / sqrt(a + b);
}

static const struct figure {
    const char *name;
    void (*make)(void);
    void (*run)(const struct input *input);
} figures[] = {
    { "pem-timing-pkcs1", make_pkcs1, decipher_pkcs1 },
    { "pem-timing-oaep", make_oaep, decipher_oaep },
    { "pem-timing-key-info", make_key_infos, open_message },
    { "pem-timing-padding", make_paddings, open_message },
};

static bool measure(const struct figure *figure, size_t samples)
{
    double *times = malloc(samples * sizeof(*times)), *sorted = malloc(samples * sizeof(*sorted));
    unsigned char *kinds = malloc(samples);
    struct moments moments[2] = { { 0 } };

    if (times == NULL || sorted == NULL || kinds == NULL)
        abort();
    figure->make();
    throw_dice(kinds, samples < 256 ? samples : 256);
    srandom(kinds[0]);
    for (size_t i = 0; i < samples; i++) {
        kinds[i] = (unsigned char)(random() >> 7 & 1);
        const struct input *input = &inputs[kinds[i]][(size_t)random() % INPUTS];
        double begun = now();
        figure->run(input);
        times[i] = now() - begun;
    }
    memcpy(sorted, times, samples * sizeof(*times));
    qsort(sorted, samples, sizeof(*sorted), by_size);
    for (size_t i = samples / 100; i < samples; i++)    /* the first hundredth warms up */
        if (times[i] <= sorted[samples - samples / 20])
            add(&moments[kinds[i]], times[i]);
    double t = fabs(welch(moments));
    printf("{\"figure\": \"%s\", \"ours\": %.2f, \"unit\": \"t\", \"goal\": %.1f, "
           "\"on\": \"ours\", "
           "\"better\": \"lower\", \"samples\": %zu, \"ns\": [%.0f, %.0f], \"met\": %s}\n",
           figure->name, t, T_MOST, samples, moments[0].mean, moments[1].mean,
           t < T_MOST ? "true" : "false");
    fflush(stdout);
    free(times);
    free(sorted);
    free(kinds);
    return t < T_MOST;
}

int main(int argc, char **argv)
{
    size_t samples = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 100000;
    bool well = true;

    key = rsa_private_make(BITS);
    if (key == NULL || samples < 1000) {
        fputs("usage: pem_timing [SAMPLES], 1000 at least\n", stderr);
        return 64;
    }
    for (size_t i = 0; i < COUNT(figures); i++)
        well = measure(&figures[i], samples) && well;
    rsa_private_free(key);
    return well ? 0 : 1;
}
