/* SPDX-License-Identifier: ISC
 *
 * Messages under keys that both sides know: RFC 1421, 4.6.2.1 and 4.6.4.1; RFC 1423, 1.1 and 1.3.
 * Key and MIC are enciphered block by block, so a MIC has whole blocks.
 */
#include "seal/pem_int.h"
#include "seal/pem_write.h"
#include "seal/pem_write_int.h"

#include <string.h>

enum { TEXT_MOST = 1 << 30, PART_MOST = 64 };

static bool refuse(struct pem_flaw *reterr, const char *words)
{
    return pem_flaw(reterr, 0, PEM_UNSUPPORTED, "", words);
}

static bool may_write(const struct pem_shared_order *order, struct pem_flaw *reterr)
{
    if (order->mic == DIGEST_SHA1 || (order->dek != CIPHER_DES_CBC
                                      && order->dek != CIPHER_DES_EDE_CBC))
        return refuse(reterr, "shared keys go with MD2, MD5 or SHA256, and DES");
    if (order->to_n == 0 || order->to_n > PEM_RECIPIENTS_MOST || order->from.n == 0)
        return refuse(reterr, "a message has a sender and 1 to 1000 recipients");
    for (size_t i = 0; i < order->to_n; i++)
        if (order->to[i].n != 8 && order->to[i].n != 16)
            return refuse(reterr, "a shared key has 8 or 16 octets");
    return pem_has_chance(order->chance) || refuse(reterr, "there are no random octets");
}

static bool put_under(struct ciphers *ciphers, const struct pem_interchange *one,
                      struct bytes part, struct buffer *to)
{
    enum cipher_kind kind = one->n == 16 ? CIPHER_DES_EDE_ECB : CIPHER_DES_ECB;
    struct buffer shut = buffer_with_most(PART_MOST);
    bool done = cipher_run(ciphers, kind, CIPHER_SEAL, one->key, NULL, part, &shut);

    pem_put_hex(to, (const uint8_t *)shut.at, done ? shut.n : 0);
    buffer_done(&shut);
    return done;
}

/* What each recipient gets: its key and MIC, under the key that he knows. */
struct content {
    enum digest_kind mic_kind;
    struct bytes dek, mic;
};

static bool put_recipient(struct ciphers *ciphers, const struct content *content,
                          const struct pem_interchange *one, struct buffer *to)
{
    buffer_put(to, BYTES("Recipient-ID-Symmetric: "));
    buffer_put(to, one->entity);
    buffer_put_char(to, ',');
    buffer_put(to, one->issuer);
    buffer_put_char(to, ',');
    buffer_put(to, one->version);
    buffer_put_text(to, one->n == 16 ? "\nKey-Info: DES-EDE," : "\nKey-Info: DES-ECB,");
    buffer_put_text(to, pem_digest_text(content->mic_kind));
    buffer_put_char(to, ',');
    bool done = put_under(ciphers, one, content->dek, to);
    buffer_put(to, BYTES(",\n "));
    done = put_under(ciphers, one, content->mic, to) && done;
    buffer_put_char(to, '\n');
    return done;
}

static bool put_all(const struct pem_shared_order *order, struct bytes canonical,
                    struct buffer *to)
{
    uint8_t dek[CIPHER_KEY_MOST], iv[CIPHER_IV_MOST], digest[DIGEST_MOST];
    struct buffer shut = buffer_with_most(TEXT_MOST);
    struct ciphers ciphers = { 0 };
    const struct content content = {
        order->mic, { (const char *)dek, cipher_key_size(order->dek) },
        { (const char *)digest, digest_size(order->mic) },
    };

    pem_make_dek(order->dek, order->chance, dek, iv);
    bool done = digest_of(order->mic, canonical, digest)
             && cipher_run(&ciphers, order->dek, CIPHER_SEAL, dek, iv, canonical, &shut);
    pem_put_begin(to, 4, PEM_ENCRYPTED);
    buffer_put(to, BYTES("Content-Domain: RFC822\nDEK-Info: "));
    buffer_put_text(to, pem_cipher_text(order->dek));
    buffer_put_char(to, ',');
    pem_put_hex(to, iv, cipher_iv_size(order->dek));
    buffer_put(to, BYTES("\nOriginator-ID-Symmetric: "));
    buffer_put(to, order->from);
    buffer_put(to, BYTES(",,\n"));
    for (size_t i = 0; i < order->to_n && done; i++)
        done = put_recipient(&ciphers, &content, &order->to[i], to);
    buffer_put_char(to, '\n');
    pem_put_base64(to, "", buffer_bytes(&shut));
    pem_put_end(to);
    mem_wipe(dek, sizeof(dek));
    ciphers_done(&ciphers);
    buffer_done(&shut);
    return done && !to->bad;
}

bool pem_write_shared(const struct pem_shared_order *order, struct bytes text, struct buffer *to,
                      struct pem_flaw *reterr_flaw)
{
    struct buffer canonical = buffer_with_most(TEXT_MOST);

    if (!may_write(order, reterr_flaw))
        return false;
    pem_put_canonical(&canonical, text);
    bool done = !canonical.bad && put_all(order, buffer_bytes(&canonical), to);
    if (canonical.room > 0)
        mem_wipe(canonical.at, canonical.room);
    buffer_done(&canonical);
    return done || refuse(reterr_flaw, "enciphering failed");
}
