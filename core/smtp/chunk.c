/* SPDX-License-Identifier: ISC */
#include "smtp/chunk.h"

#include "base/number.h"

/* RFC 3030, 2:  bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF
                 chunk-size = 1*DIGIT          end-marker = "LAST"
   A size with leading zeros reads as octal in some places; such a chunk is refused, after its
   octets. */
enum chunk_kind chunk_parse(struct bytes text, struct chunk *ret_chunk)
{
    struct bytes size = bytes_upto(text, ' ');
    struct bytes rest = bytes_skip(text, size.n);
    struct chunk chunk = { 0 };
    bool bare_size = rest.n == 0;

    if (!number_parse(size, &chunk.octets))
        return CHUNK_UNKNOWN;
    chunk.last = bytes_equal_nocase(bytes_skip(rest, 1), BYTES("LAST"));
    *ret_chunk = chunk;
    if (size.n > 1 && size.at[0] == '0')
        return CHUNK_MALFORMED;
    return bare_size || chunk.last ? CHUNK_FINE : CHUNK_MALFORMED;
}
