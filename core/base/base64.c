/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

enum { ODD = 64, BLANK = 65, PAD = 66 };

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Of each octet: its six bits, or ODD (64), BLANK (65) or PAD (66). */
static const uint8_t values[256] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 65, 65, 64, 64, 65, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 65, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 62, 64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64,
    64, 66, 64, 64, 64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
_Static_assert(ODD == 64 && BLANK == 65 && PAD == 66, "as the table has them");

static uint8_t value_of(char c)
{
    return values[octet(c)];
}

/* Whole quanta without anything between them: nearly all of any text. Returns how much it took. */
static size_t decode_quanta(struct bytes text, struct buffer *to)
{
    size_t i = 0;

    if (text.n / 4 * 3 > to->most - to->n || !buffer_reserve(to, text.n / 4 * 3))
        return 0;
    for (; i + 4 <= text.n; i += 4) {
        uint32_t a = value_of(text.at[i]), b = value_of(text.at[i + 1]);
        uint32_t c = value_of(text.at[i + 2]), d = value_of(text.at[i + 3]);
        if ((a | b | c | d) >= ODD)
            break;
        uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        to->at[to->n++] = (char)(uint8_t)(bits >> 16);
        to->at[to->n++] = (char)(uint8_t)(bits >> 8);
        to->at[to->n++] = (char)(uint8_t)bits;
    }
    return i;
}

/* The octets that 2 or 3 letters hold; the bits left over ought to be zero. */
static void close_quantum(struct base64_decoder *decoder, struct buffer *to)
{
    if (decoder->letters == 1 || (decoder->letters == 2 && (decoder->bits & 0x0F) != 0)
        || (decoder->letters == 3 && (decoder->bits & 0x03) != 0))
        decoder->flaws |= BASE64_BITS_LEFT;
    if (decoder->letters == 2) {
        buffer_put_char(to, (char)(uint8_t)(decoder->bits >> 4));
    } else if (decoder->letters == 3) {
        buffer_put_char(to, (char)(uint8_t)(decoder->bits >> 10));
        buffer_put_char(to, (char)(uint8_t)(decoder->bits >> 2));
    }
    decoder->bits = 0;
    decoder->letters = 0;
}

static void take_pad(struct base64_decoder *decoder, struct buffer *to)
{
    decoder->padded = true;
    if (decoder->letters >= 2) {
        decoder->owed = decoder->letters == 2 ? 1 : 0;
        close_quantum(decoder, to);
    } else if (decoder->owed > 0 && decoder->letters == 0) {
        decoder->owed--;
    } else {
        decoder->flaws |= BASE64_BAD_PAD;
    }
}

static void take_letter(struct base64_decoder *decoder, uint8_t value, struct buffer *to)
{
    if (decoder->padded)
        decoder->flaws |= BASE64_INSIDE_PAD;
    if (decoder->owed > 0)
        decoder->flaws |= BASE64_BAD_PAD;
    decoder->padded = false;
    decoder->owed = 0;
    decoder->bits = decoder->bits << 6 | value;
    if (++decoder->letters < 4)
        return;
    char *at = buffer_grow(to, 3);
    if (at != NULL) {
        at[0] = (char)(uint8_t)(decoder->bits >> 16);
        at[1] = (char)(uint8_t)(decoder->bits >> 8);
        at[2] = (char)(uint8_t)decoder->bits;
    }
    decoder->bits = 0;
    decoder->letters = 0;
}

void base64_decode(struct base64_decoder *decoder, struct bytes text, struct buffer *to)
{
    for (size_t i = 0; i < text.n; i++) {
        if (decoder->letters == 0 && !decoder->padded && !to->bad && text.n - i >= 8) {
            i += decode_quanta(bytes_skip(text, i), to);
            if (i == text.n)
                break;
        }
        uint8_t value = value_of(text.at[i]);
        if (value < ODD)
            take_letter(decoder, value, to);
        else if (value == PAD)
            take_pad(decoder, to);
        else if (value == ODD)
            decoder->flaws |= BASE64_ODD_OCTET;
    }
}

void base64_decode_end(struct base64_decoder *decoder, struct buffer *to)
{
    if (decoder->letters > 0 || decoder->owed > 0)
        decoder->flaws |= BASE64_BAD_PAD;
    close_quantum(decoder, to);
}

/* One or two octets. */
static void encode_last(struct bytes data, char *at)
{
    uint32_t bits = (uint32_t)octet(data.at[0]) << 16;

    bits |= data.n > 1 ? (uint32_t)octet(data.at[1]) << 8 : 0;
    at[0] = alphabet[bits >> 18];
    at[1] = alphabet[bits >> 12 & 63];
    at[2] = data.n > 1 ? alphabet[bits >> 6 & 63] : '=';
    at[3] = '=';
}

void base64_encode(struct buffer *to, struct bytes data)
{
    size_t whole = data.n / 3 * 3;
    char *at = data.n == 0 ? NULL : buffer_grow(to, (data.n + 2) / 3 * 4);

    if (at == NULL)
        return;
    for (size_t i = 0; i < whole; i += 3) {
        uint32_t bits = (uint32_t)octet(data.at[i]) << 16 | (uint32_t)octet(data.at[i + 1]) << 8
                      | octet(data.at[i + 2]);
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = alphabet[bits >> 6 & 63];
        *at++ = alphabet[bits & 63];
    }
    if (whole < data.n)
        encode_last(bytes_skip(data, whole), at);
}
