/* SPDX-License-Identifier: ISC
 *
 * Lines as they are written: base64 in lines of 64, folded fields, text in its two forms.
 */
#include "base/base64.h"
#include "seal/pem_int.h"
#include "seal/pem_write.h"
#include "seal/pem_write_int.h"

void pem_put_base64(struct buffer *to, const char *before, struct bytes octets)
{
    enum { OCTETS = PEM_LINE / 4 * 3 };

    for (; octets.n > 0; octets = bytes_skip(octets, OCTETS)) {
        buffer_put_text(to, before);
        base64_encode(to, bytes_first(octets, OCTETS));
        buffer_put_char(to, '\n');
    }
}

void pem_put_field(struct buffer *to, const char *name, struct bytes octets)
{
    buffer_put_text(to, name);
    buffer_put(to, BYTES(":\n"));
    pem_put_base64(to, " ", octets);
}

void pem_put_begin(struct buffer *to, unsigned version, enum pem_type type)
{
    buffer_put(to, PEM_BEGIN_LINE);
    buffer_put(to, BYTES("\nProc-Type: "));
    buffer_put_uint(to, version);
    buffer_put_char(to, ',');
    buffer_put_text(to, pem_type_name(type));
    buffer_put_char(to, '\n');
}

void pem_put_end(struct buffer *to)
{
    buffer_put(to, PEM_END_LINE);
    buffer_put_char(to, '\n');
}

void pem_put_canonical(struct buffer *to, struct bytes text)
{
    struct bytes line;

    while (bytes_cut(&text, '\n', &line)) {
        buffer_put(to, bytes_ends(line, BYTES("\r")) ? bytes_first(line, line.n - 1) : line);
        buffer_put(to, BYTES("\r\n"));
    }
}

void pem_put_clear(struct buffer *to, struct bytes canonical)
{
    while (canonical.n > 0) {
        size_t n = bytes_search(canonical, BYTES("\r\n"));
        if (canonical.at[0] == '-')
            buffer_put(to, BYTES("- "));
        buffer_put(to, bytes_first(canonical, n));
        buffer_put_char(to, '\n');
        canonical = bytes_skip(canonical, n + 2);
    }
}

/* RFC 1421, 4.3.2.2, is about ASCII, and hosts change other octets on the way. */
bool pem_may_be_clear(struct bytes canonical, enum pem_profile profile, struct pem_flaw *reterr)
{
    enum { RIPEM_LINE_MOST = 1022 };
    bool ripem = profile == PEM_PROFILE_RIPEM12 || profile == PEM_PROFILE_RIPEM3;

    for (uint32_t line = 1; canonical.n > 0; line++) {
        size_t n = bytes_search(canonical, BYTES("\r\n"));
        if (ripem && n > RIPEM_LINE_MOST)
            return pem_flaw(reterr, line, PEM_UNSUPPORTED, "",
                            "RIPEM reads no line of more than 1022 octets as MIC-CLEAR");
        for (size_t i = 0; i < n && !ripem; i++)
            if (octet(canonical.at[i]) >= 0x80 || canonical.at[i] == '\0')
                return pem_flaw(reterr, line, PEM_UNSUPPORTED, "",
                                "MIC-CLEAR is for ASCII; use MIC-ONLY for this text");
        if (bytes_find(bytes_first(canonical, n), '\r') < n)
            return pem_flaw(reterr, line, PEM_UNSUPPORTED, "",
                            "a lone CR cannot be kept in MIC-CLEAR; use MIC-ONLY");
        canonical = bytes_skip(canonical, n + 2);
    }
    return true;
}
