/* SPDX-License-Identifier: ISC
 *
 * Octets of a stranger into the TLS engine, cut as the first one says: TLS-001.
 */
#include "crypt/tls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct tls_context *context;
static struct sign_key *key;

static void prepare(void)
{
    struct buffer chain = buffer_with_most(65536);

    key = sign_key_self_signed(BYTES("mx.test"), &chain);
    context = tls_context_new(BYTES("mx.test"));
    if (key == NULL || context == NULL || !tls_context_add(context, buffer_bytes(&chain), 0))
        abort();
    buffer_done(&chain);
}

static enum tls_said step(struct tls *tls, struct bytes in)
{
    enum tls_said said = tls_step(tls, in);

    if (said == TLS_KEYOP) {
        struct buffer signature = buffer_with_most(SIGNATURE_MOST);
        if (!sign_key_sign(key, tls_keyop(tls).scheme, tls_keyop(tls).tbs, &signature))
            abort();
        tls_key_answer(tls, buffer_bytes(&signature));
        buffer_done(&signature);
        said = tls_step(tls, BYTES_NONE);
    }
    tls_cipher_sent(tls);
    return said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes in = { (const char *)data, n };

    if (context == NULL)
        prepare();
    if (n == 0)
        return 0;
    size_t cut = (size_t)data[0] + 1;
    struct tls *tls = tls_new(context, 0);
    for (in = bytes_skip(in, 1); in.n > 0 && tls != NULL; in = bytes_skip(in, cut))
        if (step(tls, bytes_first(in, cut)) == TLS_OPENED || tls_plain(tls).n > 0)
            abort();        /* without the other half of a key exchange it cannot open */
    tls_free(tls);
    return 0;
}
