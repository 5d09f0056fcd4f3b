/* SPDX-License-Identifier: ISC
 *
 * Any octets as input of the reader, with a key of our own and one that both know at hand, in
 * pieces of a size that the first octet says: no crash, a bounded number of messages, and no good
 * verdict on a message that ENCRYPTED cannot have been made for this key.
 */
#include "seal/pem_reader.h"
#include "seal/pem_write.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rsa_private *own_key(void)
{
    static struct rsa_private *key;

    if (key == NULL)
        key = rsa_private_make(RSA_MAKE_LEAST);
    return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = { (const char *)data, size };
    struct pem_own own = { own_key(), BYTES("test") };
    struct pem_interchange shared = { BYTES("test"), BYTES_NONE, BYTES_NONE, { 1 }, 8 };
    struct pem_keys keys = { .own = &own, .own_n = 1, .interchange = &shared, .interchange_n = 1 };
    struct buffer text = buffer_with_most(1 << 20);
    struct pem_reader *reader = size < 1 || size > 65536 ? NULL : pem_reader_new(&keys, true);
    size_t piece = size < 1 ? 1 : data[0] % 64U + 1;
    bool over = false;

    for (size_t messages = 0; reader != NULL && !over;) {
        size_t used = pem_read(reader, bytes_first(input, piece), &text);
        input = bytes_skip(input, used);
        if (pem_reader_asks(reader) != NULL)
            pem_reader_own(reader, &own, 1);
        if (input.n == 0 && pem_reader_found(reader) == NULL) {
            pem_reader_end(reader, &text);
            over = pem_reader_found(reader) == NULL;
        }
        const struct pem_found *found = pem_reader_found(reader);
        if (found == NULL)
            continue;
        assert(found->verdict < PEM_VERDICTS && found->change < PEM_CHANGES);
        assert(pem_is_good(found->verdict) || found->flaw.words[0] != '\0');
        assert(++messages <= size / 30 + 1);
        if (pem_is_good(found->verdict) && found->verified) {
            struct buffer other = buffer_with_most(1 << 20);
            struct pem_flaw flaw;
            if (!pem_convert(found, PEM_MIC_ONLY, buffer_bytes(&text), &other, &flaw))
                assert(flaw.words[0] != '\0');
            buffer_done(&other);
        }
        buffer_clear(&text);
        pem_reader_next(reader);
    }
    pem_reader_free(reader);
    buffer_done(&text);
    return 0;
}
