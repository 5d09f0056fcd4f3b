/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_gzip.c: the adapter to zlib: the only file that names it. It only compresses; nothing
 * that came from elsewhere is ever unpacked.
 */
#include "dns/tlsrpt.h"

#include "base/arena.h"

#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };    /* 16: with the header and the sum of gzip */

static voidpf take(voidpf of, uInt n, uInt size)
{
    size_t octets;

    (void)of;
    return __builtin_mul_overflow((size_t)n, (size_t)size, &octets) ? NULL : mem_new(octets);
}

static void give(voidpf of, voidpf at)
{
    (void)of;
    mem_free(at);
}

void tlsrpt_gzip_put(struct buffer *to, struct bytes text)
{
    z_stream stream = { .zalloc = take, .zfree = give };
    size_t before = to->n;

    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        to->bad = true;
        return;
    }
    size_t room = deflateBound(&stream, text.n);
    char *at = buffer_grow(to, room);
    stream.next_in = (const Bytef *)text.at;
    stream.avail_in = (uInt)text.n;
    stream.next_out = (Bytef *)at;
    stream.avail_out = (uInt)room;
    if (at != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END)
        to->n = before + (size_t)stream.total_out;
    else
        to->bad = true;
    deflateEnd(&stream);
}
