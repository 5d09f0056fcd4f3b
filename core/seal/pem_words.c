/* SPDX-License-Identifier: ISC */
#include "seal/pem_words.h"

#include "base/safe.h"
#include "seal/pem_int.h"

#include <string.h>

enum { SHOWN_MOST = 300 };

const char *pem_kind_name(const struct pem_header *header)
{
    if (header->version == 2001)
        return "ripem";
    return header->has_dek && header->dek_known && header->dek == CIPHER_AES_256_GCM ? "modern"
                                                                                      : "rfc1421";
}

struct bytes pem_find_date(struct bytes start)
{
    static const struct bytes names[] = { BYTES_INIT("FILED AS OF DATE:"), BYTES_INIT("Date:") };
    struct bytes line;

    while (bytes_cut(&start, '\n', &line))
        for (size_t i = 0; i < COUNT(names); i++)
            if (bytes_begins(line, names[i]))
                return bytes_first(bytes_trim(bytes_skip(line, names[i].n)), SHOWN_MOST);
    return BYTES_NONE;
}

/* ---- sentences */

static const char *sentence_of(const struct pem_found *found)
{
    switch (found->verdict) {
    case PEM_GOOD: return "unchanged, and signed by a key that is trusted here";
    case PEM_GOOD_UNTRUSTED: return "unchanged, but nobody here vouches for the key that signed it";
    case PEM_GOOD_WEAK:
        return found->weak_key || found->weak_mic || found->weak_path || !found->weak_dek
             ? "unchanged, but signed in a way too weak to prove that today"
             : "unchanged, but enciphered in a way that others can open today";
    case PEM_ALTERED: return "CHANGED: it is not what was signed";
    case PEM_NO_KEY: return "not verified: a key is missing";
    case PEM_UNSUPPORTED: return "not verified: it uses what is not supported here";
    case PEM_MALFORMED: return "not readable";
    case PEM_VERDICTS: break;
    }
    return "";
}

/* A list with no signature, and a request, are nobody's word. */
static bool is_request(const struct pem_found *found)
{
    return found->has_header && found->header.type == PEM_CRL_RETRIEVAL_REQUEST;
}

static void begin_fact(struct buffer *to, const char *name)
{
    enum { WIDTH = 10 };
    size_t before = to->n;

    buffer_put(to, BYTES("  "));
    buffer_put_text(to, name);
    while (!to->bad && to->n < before + 2 + WIDTH)
        buffer_put_char(to, ' ');
}

static void put_fact(struct buffer *to, const char *name, struct bytes value)
{
    begin_fact(to, name);
    safe_put_plain(to, bytes_first(value, SHOWN_MOST));
    buffer_put_char(to, '\n');
}

static void put_type(const struct pem_found *found, struct buffer *to)
{
    const struct pem_header *header = &found->header;

    begin_fact(to, "type");
    buffer_put_text(to, pem_type_name(header->type));
    bool modern = bytes_equal(bytes_of(pem_kind_name(header)), BYTES("modern"));
    buffer_put_text(to, header->version == 2001 ? ", in RIPEM's dialect"
                      : modern ? ", Postern's modern profile" : ", RFC 1421");
    if (header->has_mic && header->mic_known) {
        buffer_put(to, BYTES(", "));
        buffer_put_text(to, pem_digest_text(header->mic));
    }
    if (header->has_dek) {
        buffer_put(to, BYTES(", "));
        safe_put_plain(to, bytes_first(header->dek_name, 40));
    }
    buffer_put_char(to, '\n');
}

/* Attack: a name in the header that is not the certificate's (RIPEM's own list of attacks). */
static bool is_mismatched(const struct pem_found *found)
{
    struct bytes claim = found->header.originator.name;

    return found->sender.certified && claim.n > 0
        && !bytes_equal_nocase(claim, dname_mailbox(found->sender.cert.subject));
}

static void put_mismatch(const struct pem_found *found, struct buffer *to)
{
    if (!is_mismatched(found))
        return;
    put_fact(to, "but calls", found->header.originator.name);
    put_fact(to, "", BYTES("(its sender by another name; the certificate is what counts)"));
}

static void put_signer(const struct pem_found *found, struct buffer *to)
{
    struct buffer name = buffer_with_most(16384);
    bool good = pem_is_good(found->verdict);

    pem_put_sender(&found->header, &found->sender, &name);
    if (name.n > 0)
        put_fact(to, good ? "signed by" : "names", buffer_bytes(&name));
    if (name.n > 0 && !found->sender.certified)
        put_fact(to, "", BYTES("(that name is the message's own word; the key is what counts)"));
    buffer_done(&name);
    put_mismatch(found, to);
}

/* The key that signed; of a message that does not verify the one that ought to have. */
static bool key_of(const struct pem_found *found, struct rsa_public *ret_key)
{
    if (!found->verified && found->sender.tries_n != 1)
        return false;
    *ret_key = found->verified ? found->key : found->sender.tries[0];
    return true;
}

static void put_key(const struct pem_found *found, struct buffer *to)
{
    uint8_t digest[KEY_DIGEST];
    static const char digits[] = "0123456789abcdef";
    struct rsa_public key;

    if (!key_of(found, &key))
        return;
    begin_fact(to, "key");
    buffer_put(to, BYTES("RSA, "));
    buffer_put_uint(to, rsa_bits(key));
    buffer_put(to, BYTES(" bits"));
    if (found->sender.from_message)
        buffer_put(to, BYTES(", came with the message"));
    if (keyring_digest(key, digest)) {
        buffer_put(to, BYTES("; digest "));
        for (size_t i = 0; i < 8; i++) {
            buffer_put_char(to, digits[digest[i] >> 4]);
            buffer_put_char(to, digits[digest[i] & 15]);
        }
    }
    buffer_put_char(to, '\n');
}

static void put_weak(const struct pem_found *found, struct buffer *to)
{
    if (!pem_is_good(found->verdict))
        return;
    if (found->weak_key) {
        begin_fact(to, "weak");
        buffer_put(to, BYTES("a key of "));
        buffer_put_uint(to, found->bits);
        buffer_put(to, BYTES(" bits can be broken today; 2048 is the least\n"));
    }
    if (found->weak_mic) {
        begin_fact(to, "weak");
        buffer_put_text(to, digest_name(found->mic));
        buffer_put(to, BYTES(": other texts with the same digest can be made\n"));
    }
    if (found->weak_dek)
        put_fact(to, "weak", BYTES("DES: others can have read it"));
    if (found->weak_path)
        put_fact(to, "weak", BYTES("a certificate of its signer is signed in a weak way"));
}

static void put_path(const struct pem_found *found, struct buffer *to)
{
    const struct cert_path *path = &found->sender.path;

    for (size_t i = 0; found->sender.certified && i < path->n; i++) {
        const struct cert_step *step = &path->steps[i];
        struct buffer name = buffer_with_most(16384);
        dname_put_text(step->cert.subject, &name);
        begin_fact(to, i == 0 ? "path" : "");
        buffer_put_text(to, cert_status_name(step->status));
        if (step->because != CERT_BECAUSE_STATUS) {
            buffer_put(to, BYTES(" ("));
            buffer_put_text(to, cert_because_words(step->because));
            buffer_put_char(to, ')');
        }
        buffer_put(to, BYTES(": "));
        safe_put_plain(to, bytes_first(buffer_bytes(&name), SHOWN_MOST));
        buffer_put_char(to, '\n');
        buffer_done(&name);
    }
}

void pem_put_report(const struct pem_found *found, const struct pem_report *report,
                    struct buffer *to)
{
    buffer_put(to, BYTES("message "));
    buffer_put_uint(to, report->number);
    buffer_put(to, BYTES(", from line "));
    buffer_put_uint(to, report->line);
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, is_request(found) && pem_is_good(found->verdict)
                    ? "a request for lists of revoked certificates; nobody signs these"
                    : sentence_of(found));
    buffer_put_char(to, '\n');
    if (found->flaw.words[0] != '\0' && found->verdict != PEM_ALTERED) {
        begin_fact(to, "because");
        if (found->flaw.line > 0) {
            buffer_put(to, BYTES("line "));
            buffer_put_uint(to, found->flaw.line);
            buffer_put(to, BYTES(": "));
        }
        buffer_put_text(to, found->flaw.words);
        buffer_put_char(to, '\n');
    }
    if (found->verdict == PEM_ALTERED)
        put_fact(to, "because", bytes_of(found->header.type == PEM_ENCRYPTED ? found->flaw.words
                                         : pem_change_words(found->change)));
    if (found->has_header) {
        put_type(found, to);
        put_signer(found, to);
        put_key(found, to);
    }
    if (report->when.n > 0)
        put_fact(to, "dated", report->when);
    put_path(found, to);
    put_weak(found, to);
    begin_fact(to, "status");
    status_put(to, pem_verdict_status(found->verdict));
    buffer_put(to, BYTES("; its page: postern code "));
    status_put(to, pem_verdict_status(found->verdict));
    buffer_put_char(to, '\n');
}

/* ---- JSON */

static void put_chain(const struct pem_found *found, struct json *json)
{
    const struct cert_path *path = &found->sender.path;

    json_key(json, "chain");
    json_put_array(json);
    for (size_t i = 0; found->sender.certified && i < path->n; i++) {
        struct buffer name = buffer_with_most(16384);
        dname_put_text(path->steps[i].cert.subject, &name);
        json_put_object(json);
        json_put_text(json, "subject", buffer_bytes(&name));
        json_put_text(json, "status", bytes_of(cert_status_name(path->steps[i].status)));
        json_put_object_end(json);
        buffer_done(&name);
    }
    json_put_array_end(json);
}

static void put_weak_json(const struct pem_found *found, struct json *json)
{
    const struct { bool is; const char *name; } weak[] = {
        { found->weak_key, "key" }, { found->weak_mic, "mic" }, { found->weak_dek, "dek" },
        { found->weak_path, "chain" },
    };

    json_key(json, "weak");
    json_put_array(json);
    for (size_t i = 0; i < COUNT(weak); i++)
        if (weak[i].is)
            json_text(json, bytes_of(weak[i].name));
    json_put_array_end(json);
}

static void put_text_or_null(struct json *json, const char *key, struct bytes text)
{
    json_key(json, key);
    if (text.n > 0)
        json_text(json, bytes_first(text, PEM_NAME_MOST));
    else
        json_put_null(json);
}

static void put_header_json(const struct pem_found *found, struct json *json)
{
    const struct pem_header *header = &found->header;
    struct buffer text = buffer_with_most(16384);
    struct rsa_public key;
    bool has = found->has_header;

    if (has) {
        buffer_put_uint(&text, header->version);
        buffer_put_char(&text, ',');
        buffer_put_text(&text, pem_type_name(header->type));
    }
    put_text_or_null(json, "proc_type", buffer_bytes(&text));
    put_text_or_null(json, "profile", has ? bytes_of(pem_kind_name(header)) : BYTES_NONE);
    put_text_or_null(json, "mic", has && header->mic_known
                     ? bytes_of(pem_digest_text(header->mic)) : header->mic_name);
    put_text_or_null(json, "dek", header->dek_name);
    buffer_clear(&text);
    if (has)
        pem_put_sender(header, &found->sender, &text);
    put_text_or_null(json, "originator", buffer_bytes(&text));
    json_key(json, "key_bits");
    if (key_of(found, &key))
        json_uint(json, rsa_bits(key));
    else
        json_put_null(json);
    buffer_done(&text);
}

static const char *reason_of(const struct pem_found *found)
{
    if (found->verdict == PEM_ALTERED && found->header.type != PEM_ENCRYPTED)
        return pem_change_words(found->change);
    return found->flaw.words[0] != '\0' ? found->flaw.words : sentence_of(found);
}

void pem_put_json(const struct pem_found *found, const struct pem_report *report,
                  struct json *json)
{
    struct buffer status = buffer_with_most(32);

    status_put(&status, pem_verdict_status(found->verdict));
    json_put_object(json);
    json_put_text(json, "verdict", bytes_of(pem_verdict_name(found->verdict)));
    put_header_json(found, json);
    put_chain(found, json);
    json_put_text(json, "status", buffer_bytes(&status));
    json_put_text(json, "reason", bytes_of(reason_of(found)));
    json_put_bool(json, "trusted", found->trusted);
    put_text_or_null(json, "claimed_name", is_mismatched(found)
                     ? found->header.originator.name : BYTES_NONE);
    put_weak_json(found, json);
    put_text_or_null(json, "change", found->verdict == PEM_ALTERED
                     ? bytes_of(pem_change_name(found->change)) : BYTES_NONE);
    json_put_uint(json, "line", found->flaw.line > 0 ? found->flaw.line : report->line);
    put_text_or_null(json, "dated", report->when);
    json_put_object_end(json);
    buffer_done(&status);
}
