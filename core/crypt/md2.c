/* SPDX-License-Identifier: ISC */
#include "crypt/md2_int.h"

#include <string.h>

/* RFC 1319, 3.2: a permutation of 0..255 made from the digits of pi. */
static const uint8_t pi[256] = {
    41, 46, 67, 201, 162, 216, 124, 1, 61, 54, 84, 161, 236, 240, 6, 19, 98, 167, 5, 243, 192, 199,
    115, 140, 152, 147, 43, 217, 188, 76, 130, 202, 30, 155, 87, 60, 253, 212, 224, 22, 103, 66,
    111, 24, 138, 23, 229, 18, 190, 78, 196, 214, 218, 158, 222, 73, 160, 251, 245, 142, 187, 47,
    238, 122, 169, 104, 121, 145, 21, 178, 7, 63, 148, 194, 16, 137, 11, 34, 95, 33, 128, 127, 93,
    154, 90, 144, 50, 39, 53, 62, 204, 231, 191, 247, 151, 3, 255, 25, 48, 179, 72, 165, 181, 209,
    215, 94, 146, 42, 172, 86, 170, 198, 79, 184, 56, 210, 150, 164, 125, 182, 118, 252, 107, 226,
    156, 116, 4, 241, 69, 157, 112, 89, 100, 113, 135, 32, 134, 91, 207, 101, 230, 45, 168, 2, 27,
    96, 37, 173, 174, 176, 185, 246, 28, 70, 97, 105, 52, 64, 126, 15, 85, 71, 163, 35, 221, 81,
    175, 58, 195, 92, 249, 206, 186, 197, 234, 38, 44, 83, 13, 110, 133, 40, 132, 9, 211, 223, 205,
    244, 65, 129, 77, 82, 106, 220, 55, 200, 108, 193, 171, 250, 36, 225, 123, 8, 12, 189, 177, 74,
    120, 136, 149, 139, 227, 99, 232, 109, 233, 203, 213, 254, 59, 0, 29, 57, 242, 239, 183, 14,
    102, 88, 208, 228, 166, 119, 114, 248, 235, 117, 75, 10, 49, 68, 80, 180, 143, 237, 31, 26,
    219, 153, 141, 51, 159, 17, 131, 20,
};

/* 3.2: the checksum runs over the text; its last octet is carried from block to block. */
static void add_to_sum(struct md2 *md2)
{
    uint8_t last = md2->sum[MD2_SIZE - 1];

    for (size_t i = 0; i < MD2_SIZE; i++)
        last = md2->sum[i] ^= pi[md2->block[i] ^ last];
}

/* 3.4 */
static void mix(struct md2 *md2, const uint8_t block[static MD2_SIZE])
{
    uint8_t x[3 * MD2_SIZE];
    unsigned t = 0;

    for (size_t i = 0; i < MD2_SIZE; i++) {
        x[i] = md2->state[i];
        x[MD2_SIZE + i] = block[i];
        x[2 * MD2_SIZE + i] = md2->state[i] ^ block[i];
    }
    for (unsigned round = 0; round < 18; round++) {
        for (size_t i = 0; i < sizeof(x); i++)
            t = x[i] ^= pi[t];
        t = (t + round) & 255;
    }
    memcpy(md2->state, x, MD2_SIZE);
}

static void take_block(struct md2 *md2)
{
    mix(md2, md2->block);
    add_to_sum(md2);
    md2->n = 0;
}

void md2_put(struct md2 *md2, struct bytes text)
{
    while (text.n > 0) {
        size_t room = MD2_SIZE - (size_t)md2->n, n = text.n < room ? text.n : room;
        memcpy(md2->block + md2->n, text.at, n);
        md2->n = (uint8_t)(md2->n + n);
        text = bytes_skip(text, n);
        if (md2->n == MD2_SIZE)
            take_block(md2);
    }
}

void md2_end(struct md2 *md2, uint8_t ret[static MD2_SIZE])
{
    size_t missing = MD2_SIZE - (size_t)md2->n;

    memset(md2->block + md2->n, (int)missing, missing);     /* 3.1: 1 to 16 octets, always */
    take_block(md2);
    mix(md2, md2->sum);
    memcpy(ret, md2->state, MD2_SIZE);
}
