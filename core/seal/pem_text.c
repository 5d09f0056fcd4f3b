/* SPDX-License-Identifier: ISC
 *
 * The text of a message: base64 and cipher taken off, canonical form digested, and the verdict.
 *
 * Behind a decryption there is one way through: whatever is wrong, each step is made with octets of
 * the same length, and what comes out is PEM_ALTERED without a reason.
 */
#include "seal/pem_text_int.h"

#include "seal/pem_int.h"

#include <string.h>

static bool refuse(struct pem_text *text, enum pem_verdict verdict, uint32_t line,
                   const char *name, const char *what)
{
    text->found->verdict = verdict;
    return pem_flaw(&text->found->flaw, line, verdict, name, what);
}

static bool out_of_memory(struct pem_text *text)
{
    return refuse(text, PEM_UNSUPPORTED, 0, "", "memory is short");
}

/* ---- the beginning */

/* The key of the text from under a key that both sides know (RFC 1423, 1.1 and 1.3): each block by
   itself. */
static bool open_shared(struct pem_text *text, const struct pem_interchange *with)
{
    const struct pem_party *own = text->own;
    bool ede = own->way == PEM_KEY_DES_EDE;
    enum cipher_kind kind = ede ? CIPHER_DES_EDE_ECB : CIPHER_DES_ECB;
    struct buffer key = buffer_with_most(64), mic = buffer_with_most(64);
    bool well = with->n == cipher_key_size(kind)
             && cipher_run(text->ciphers, kind, CIPHER_OPEN, with->key, NULL, own->key, &key)
             && cipher_run(text->ciphers, kind, CIPHER_OPEN, with->key, NULL, own->key_mic, &mic)
             && key.n == cipher_key_size(text->found->header.dek) && mic.n <= DIGEST_MOST;

    if (well) {
        memcpy(text->dek, key.at, key.n);
        memcpy(text->shared_mic, mic.at, mic.n);
        text->shared = true;
        text->found->mic = own->key_mic_kind;
        mem_wipe(key.at, key.n);
    }
    buffer_done(&key);
    buffer_done(&mic);
    return well || refuse(text, PEM_UNSUPPORTED, own->line, "Key-Info",
                          "cannot be opened with the key at hand");
}

static bool find_dek(struct pem_text *text)
{
    const struct pem_header *header = &text->found->header;
    const struct rsa_private *key;
    const struct pem_interchange *shared;

    text->own = pem_find_own(text->keys, header, &key);
    if (text->own != NULL)
        return rsa_decipher(key, text->own->way == PEM_KEY_RSA_OAEP ? RSA_WRAP_OAEP
                                                                    : RSA_WRAP_PKCS1,
                            text->own->key, cipher_key_size(header->dek), text->dek)
            || out_of_memory(text);
    text->own = pem_find_interchange(text->keys, header, &shared);
    if (text->own != NULL)
        return open_shared(text, shared);
    return refuse(text, PEM_NO_KEY, header->line, "",
                  "it is enciphered, and for none of the keys at hand");
}

static bool begin_cipher(struct pem_text *text)
{
    const struct pem_header *header = &text->found->header;

    if (header->type != PEM_ENCRYPTED)
        return true;
    if (!header->dek_known)
        return refuse(text, PEM_UNSUPPORTED, header->line, "DEK-Info",
                      "names a cipher that is not known here");
    if (!find_dek(text))
        return false;
    text->cipher = cipher_new(text->ciphers, header->dek, CIPHER_OPEN, text->dek, header->iv);
    text->found->weak_dek = cipher_is_weak(header->dek);
    return text->cipher != NULL
        || refuse(text, PEM_UNSUPPORTED, header->line, "DEK-Info",
                  "names a cipher that OpenSSL does not give here (its legacy provider)");
}

bool pem_text_begin(struct pem_text *text)
{
    const struct pem_header *header = &text->found->header;

    text->raw = buffer_with_most(PEM_STEP_MOST);
    text->clear = buffer_with_most(PEM_STEP_MOST);
    text->found->mic = header->mic;
    if (!begin_cipher(text))
        return false;
    if (!text->shared && !header->mic_known)
        return refuse(text, PEM_UNSUPPORTED, header->line, "MIC-Info",
                      "names an algorithm that is not known here");
    text->canon = pem_canon_new(text->found->mic);
    if (text->canon == NULL)
        return out_of_memory(text);
    text->canon->ripem = text->ripem;
    return true;
}

/* ---- the lines */

/* CRLF of the canonical form becomes LF; a lone CR stays. */
static void give_octets(struct pem_text *text, struct bytes octets, struct buffer *to)
{
    size_t before = to->n;

    while (octets.n > 0) {
        if (text->cut && octets.at[0] != '\n')
            buffer_put_char(to, '\r');
        text->cut = false;
        size_t cr = bytes_find(octets, '\r');
        buffer_put(to, bytes_first(octets, cr));
        text->cut = cr < octets.n;
        octets = bytes_skip(octets, cr + 1);
    }
    text->found->text_octets += to->n - before;
}

static void take_octets(struct pem_text *text, struct bytes octets, struct buffer *to)
{
    if (text->cipher != NULL) {
        buffer_clear(&text->clear);
        cipher_put(text->cipher, octets, &text->clear);
        octets = buffer_bytes(&text->clear);
        text->failed = text->failed || text->clear.bad;
    }
    pem_canon_put(text->canon, octets);
    if (text->wanted)
        give_octets(text, octets, to);
}

static bool take_base64(struct pem_text *text, struct bytes piece)
{
    enum { BAD = BASE64_ODD_OCTET | BASE64_INSIDE_PAD | BASE64_BAD_PAD };

    base64_decode(&text->base64, piece, &text->raw);
    return (text->base64.flaws & BAD) == 0
        || refuse(text, PEM_MALFORMED, 0, "", "the text is no base64");
}

/* Lines are short: some are gathered before the next step. */
static void step(struct pem_text *text, struct buffer *to)
{
    take_octets(text, buffer_bytes(&text->raw), to);
    buffer_clear(&text->raw);
}

bool pem_text_line(struct pem_text *text, struct bytes piece, bool ends, struct buffer *to)
{
    if (text->found->header.type == PEM_MIC_CLEAR) {
        struct bytes line = pem_canon_line(text->canon, piece, ends);
        if (!text->wanted)
            return true;
        buffer_put(to, line);
        if (ends)
            buffer_put_char(to, '\n');
        text->found->text_octets += line.n + ends;
        return true;
    }
    if (!take_base64(text, piece))
        return false;
    if (text->raw.n >= PEM_PIECE_MOST)
        step(text, to);
    return true;
}

size_t pem_text_lines(struct pem_text *text, struct bytes input, uint32_t *ret_lines,
                      struct buffer *to)
{
    struct pem_canon *canon = text->canon;
    size_t from, used;

    if (text->found->header.type != PEM_MIC_CLEAR)
        return 0;
    used = pem_canon_lines(canon, input, ret_lines, &from);
    if (text->wanted && used > 0)
        give_octets(text, (struct bytes){ canon->batch + from, canon->n - from }, to);
    return used;
}

/* ---- the end */

struct matching {
    struct pem_text *text;
    struct bytes signature;
};

static bool is_signed(const void *of, const uint8_t *digest)
{
    const struct matching *matching = of;
    struct pem_found *found = matching->text->found;
    uint8_t info[DIGEST_INFO_MOST];
    size_t n = digest_info(found->mic, digest, info);

    for (size_t i = 0; i < found->sender.tries_n; i++) {
        if (rsa_signed(found->sender.tries[i], matching->signature,
                       (struct bytes){ (const char *)info, n })) {
            found->key = found->sender.tries[i];
            found->verified = true;
            return true;
        }
    }
    return false;
}

static bool is_shared_mic(const void *of, const uint8_t *digest)
{
    const struct pem_text *text = of;
    uint8_t other = 0;

    for (size_t i = 0; i < digest_size(text->found->mic); i++)
        other |= digest[i] ^ text->shared_mic[i];
    return other == 0;
}

/* RFC 1421, 4.6.2.2: the signature of an enciphered message is enciphered as its text is. In GCM,
   where no nonce may be used twice, with the first bit of the nonce turned. */
static bool open_signature(struct pem_text *text, struct bytes *ret_signature)
{
    struct pem_found *found = text->found;
    const struct pem_header *header = &found->header;
    size_t modulus = found->sender.tries_n > 0 ? rsa_octets(found->sender.tries[0]) : 1;
    struct buffer octets = buffer_with_most(PEM_HEADER_MOST);
    uint8_t iv[CIPHER_IV_MOST];

    memcpy(iv, header->iv, sizeof(iv));
    if (header->dek == CIPHER_AES_256_GCM)
        iv[0] ^= 0x80;
    bool well = cipher_run(text->ciphers, header->dek, CIPHER_OPEN, text->dek, iv,
                           header->signature, &octets);
    if (!well) {                        /* go on with as many octets, so that it takes as long */
        buffer_clear(&octets);
        buffer_put_chars(&octets, '\0', modulus);
    }
    *ret_signature = arena_copy(text->arena, buffer_bytes(&octets));
    buffer_done(&octets);
    return well && ret_signature->at != NULL;
}

/* The last octets out of base64 and cipher. False: altered; *ret_malformed: the base64 is. */
static bool close_body(struct pem_text *text, struct buffer *to, bool *ret_malformed)
{
    bool well = true;

    *ret_malformed = false;
    if (text->found->header.type == PEM_MIC_CLEAR)
        return true;
    base64_decode_end(&text->base64, &text->raw);
    *ret_malformed = (text->base64.flaws & BASE64_BAD_PAD) != 0;
    step(text, to);
    if (text->cipher != NULL) {
        buffer_clear(&text->clear);
        well = cipher_end(text->cipher, &text->clear);
        pem_canon_put(text->canon, buffer_bytes(&text->clear));
        if (text->wanted)
            give_octets(text, buffer_bytes(&text->clear), to);
    }
    if (text->cut && text->wanted)
        buffer_put_char(to, '\r');
    return well;
}

static void judge(struct pem_text *text)
{
    struct pem_found *found = text->found;

    found->weak_mic = digest_is_weak(found->mic);
    if (text->shared) {
        found->verdict = PEM_GOOD_WEAK;     /* DES and its keys */
        found->trusted = true;
        return;
    }
    pem_judge_sender(text->keys, found->key, &found->sender);
    found->bits = rsa_bits(found->key);
    found->trusted = found->sender.trusted;
    found->weak_key = found->bits < 2048;
    for (size_t i = 0; found->sender.certified && i + 1 < found->sender.path.n; i++)
        found->weak_path = found->weak_path || found->sender.path.steps[i].weak;
    bool weak = found->weak_key || found->weak_mic || found->weak_dek || found->weak_path;
    found->verdict = weak ? PEM_GOOD_WEAK : found->trusted ? PEM_GOOD : PEM_GOOD_UNTRUSTED;
}

static void altered(struct pem_text *text)
{
    bool shut = text->cipher != NULL;

    text->found->verified = false;
    if (shut)
        text->found->change = PEM_CHANGE_UNKNOWN;
    (void)refuse(text, PEM_ALTERED, 0, "", shut
                 ? "it cannot be opened: changed on its way, or not for the key at hand"
                 : "the text is not as it was signed");
}

void pem_text_end(struct pem_text *text, struct buffer *to)
{
    struct pem_found *found = text->found;
    struct matching matching = { .text = text, .signature = found->header.signature };
    uint8_t digest[DIGEST_MOST];
    bool malformed, well = close_body(text, to, &malformed);
    struct pem_fits fits = { is_signed, &matching };

    if (text->shared)
        fits = (struct pem_fits){ is_shared_mic, text };
    else if (text->cipher != NULL)
        well = open_signature(text, &matching.signature) && well;
    found->change = pem_canon_end(text->canon, &fits, digest);
    found->signature = matching.signature;
    if (malformed)
        (void)refuse(text, PEM_MALFORMED, 0, "", "the text is no base64: its end is cut");
    else if (text->failed || to->bad || text->raw.bad)
        (void)out_of_memory(text);
    else if (!text->shared && found->sender.tries_n == 0)
        (void)refuse(text, PEM_NO_KEY, found->header.originator.line, "",
                     "the sender's key is not known here");
    else if (!well || found->change > PEM_CHANGE_RIPEM_DASHES)
        altered(text);
    else
        judge(text);
}

void pem_text_done(struct pem_text *text)
{
    pem_canon_free(text->canon);
    cipher_free(text->cipher);
    if (text->clear.room > 0)
        mem_wipe(text->clear.at, text->clear.room);
    buffer_done(&text->raw);
    buffer_done(&text->clear);
    mem_wipe(text, sizeof(*text));
}
