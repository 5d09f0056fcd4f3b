/* SPDX-License-Identifier: ISC
 *
 * postern key request, issue: certificates asked for and given by mail (RFC 1424, 3.1 and 3.2).
 */
#include "role/once_key_int.h"

#include "crypt/sign.h"
#include "mail/header.h"
#include "seal/pem_reader.h"
#include "seal/pem_write.h"

#define BEGIN_LINE BYTES("-----BEGIN PRIVACY-ENHANCED MESSAGE-----")
#define END_LINE BYTES("-----END PRIVACY-ENHANCED MESSAGE-----")

enum { PEM_MEMORY = 4 << 20, PIECE = 65536, SERIAL = 20 };

static enum once_exit no_memory(struct key_work *work)
{
    return key_say(work, ONCE_OS, "memory is short, or there are no random octets", BYTES_NONE,
                   "");
}

/* ---- headers in a text */

/* The octets between the line of BEGIN and the blank line or END. */
static bool cut_header(struct bytes *rest, struct bytes *ret_header)
{
    struct bytes line;
    bool begun = false;

    while (!begun && bytes_cut(rest, '\n', &line))
        begun = bytes_equal(bytes_trim(line), BEGIN_LINE);
    if (!begun)
        return false;
    struct bytes header = { rest->at, 0 };
    while (bytes_cut(rest, '\n', &line) && bytes_trim(line).n > 0
           && !bytes_begins(line, BYTES("-----")))
        header.n = (size_t)(rest->at - header.at);
    *ret_header = header;
    return true;
}

bool key_next_header(struct key_work *work, struct bytes *rest, struct pem_header *ret_header)
{
    struct pem_flaw flaw;
    struct bytes text;

    while (cut_header(rest, &text)) {
        uint32_t line = 1;
        for (const char *at = work->input.at; at < text.at; at++)
            line += *at == '\n';
        if (pem_header_read(text, line, &work->arena, ret_header, &flaw))
            return true;
        buffer_put(&work->err, BYTES("line "));
        buffer_put_uint(&work->err, flaw.line);
        buffer_put(&work->err, BYTES(": "));
        buffer_put_text(&work->err, flaw.words);
        buffer_put_char(&work->err, '\n');
    }
    return false;
}

/* ---- asking */

/* 3.1: version 1, serial number 0, valid from and to the beginning of 1970. */
static bool request_cert(struct key_work *work, struct bytes subject, struct buffer *to)
{
    struct key_style style = key_style_of(work->request->profile);
    struct x509_plan plan = {
        .version = 1, .digest = style.digest, .key_form = style.form, .serial = BYTES("\0"),
        .issuer = subject, .subject = subject, .mailbox = BYTES_NONE,
    };

    return x509_make(&plan, rsa_private_public(work->key), work->key, to);
}

enum once_exit key_ask(struct key_work *work)
{
    const struct keyring_key *own = key_find_cert(work, rsa_private_public(work->key));
    struct buffer cert = buffer_with_most(KEY_DER_MOST);
    struct pem_order order = {
        .profile = PEM_PROFILE_RFC1421, .has_mic = true,
        .type = work->request->clear ? PEM_MIC_CLEAR : PEM_MIC_ONLY,
        .mic = key_style_of(work->request->profile).digest, .key = work->key,
        .from = BYTES_NONE,
    };
    enum once_exit status = ONCE_WELL;
    struct pem_flaw flaw = { 0 };

    if (own == NULL || !own->certified)
        return key_say(work, ONCE_NO_INPUT, "there is no certificate that says the name of",
                       work->request->subject, "");
    if (!request_cert(work, own->cert.subject, &cert)) {
        status = no_memory(work);
    } else {
        order.certificate = buffer_bytes(&cert);
        pem_order_complete(&order);
        if (!pem_write(&order, BYTES("Please certify this key.\n"), &work->out, &flaw)) {
            buffer_clear(&work->out);
            status = key_say(work, ONCE_SOFTWARE, flaw.words, BYTES_NONE, "");
        }
    }
    buffer_done(&cert);
    return status;
}

/* ---- answering */

/* What was asked, when the message is whole and both of its signatures are right. */
static enum once_exit read_request(struct key_work *work, struct x509 *ret_cert,
                                   struct bytes *ret_message)
{
    struct keyring *none = keyring_new();
    struct pem_keys keys = { .ring = none, .rules = { .now = work->now } };
    struct pem_reader *reader = none == NULL ? NULL : pem_reader_new(&keys, false);
    struct buffer text = buffer_with_most(PIECE);
    struct bytes rest = work->input, der = BYTES_NONE;
    const struct pem_found *found = NULL;
    enum once_exit status = ONCE_DATA;

    while (reader != NULL && found == NULL && rest.n > 0) {
        rest = bytes_skip(rest, pem_read(reader, rest, &text));
        found = pem_reader_found(reader);
        if (found == NULL && pem_reader_asks(reader) != NULL)
            break;
    }
    if (found != NULL && (found->header.type == PEM_MIC_ONLY
                          || found->header.type == PEM_MIC_CLEAR)) {
        der = arena_copy(&work->arena, found->header.originator.certificate);
        *ret_message = bytes_skip(bytes_first(work->input, (size_t)found->to),
                                  (size_t)found->from);
    }
    if (reader == NULL)
        status = no_memory(work);
    else if (der.at == NULL || der.n == 0 || x509_read(der, ret_cert) != X509_WELL)
        status = key_say(work, ONCE_DATA, "no request for a certificate stands in it", BYTES_NONE,
                         "");
    else if (!pem_is_good(found->verdict))
        status = key_say(work, ONCE_DENIED, "the request was changed on its way, or its text is not"
                         " signed by its key", BYTES_NONE, "");
    else if (!x509_is_self_issued(ret_cert) || !x509_signed_by(ret_cert, ret_cert->key))
        status = key_say(work, ONCE_DENIED, "the certificate of the request is not signed by its"
                         " own key", BYTES_NONE, "");
    else
        status = ONCE_WELL;
    pem_reader_free(reader);
    keyring_free(none);
    buffer_done(&text);
    return status;
}

static enum once_exit certify(struct key_work *work, const struct x509 *asked,
                              const struct x509 *issuer, struct buffer *to)
{
    const struct key_request *request = work->request;
    struct key_style style = key_style_of(request->profile);
    struct buffer serial = buffer_with_most(SERIAL);
    uint64_t days = request->days > 0 ? request->days : style.days;
    struct x509_plan plan = {
        .version = style.version, .digest = style.digest, .key_form = style.form,
        .issuer = issuer->subject, .subject = asked->subject, .not_before = work->now,
        .not_after = work->now + (int64_t)days * KEY_SECONDS_A_DAY,
        .authority = request->authority, .mailbox = dname_mailbox(asked->subject),
    };
    bool done = sign_random(&serial, SERIAL);

    if (done) {
        serial.at[0] = (char)((serial.at[0] & 0x3F) | 0x40);
        plan.serial = buffer_bytes(&serial);
        done = x509_make(&plan, asked->key, work->key, to);
    }
    buffer_done(&serial);
    return done ? ONCE_WELL : no_memory(work);
}

/* The name of a field of a header's line; empty for a line that goes on. */
static struct bytes field_of(struct bytes line)
{
    return line.n > 0 && is_space(line.at[0]) ? BYTES_NONE : bytes_trim(bytes_upto(line, ':'));
}

static void put_chain(struct key_work *work, struct bytes cert, const struct x509 *issuer)
{
    const struct cert_rules rules = { .now = work->now };
    struct cert_path path;

    pem_put_field(&work->out, "Originator-Certificate", cert);
    cert_judge(work->ring, issuer, NULL, 0, &rules, &path);
    for (size_t i = 0; i < path.n; i++)
        pem_put_field(&work->out, "Issuer-Certificate", path.steps[i].cert.der);
}

/* 3.2: the request with other certificates; MIC and text stay, octet by octet. */
static void put_reply(struct key_work *work, struct bytes message, struct bytes cert,
                      const struct x509 *issuer)
{
    bool leave = false, put = false;
    struct bytes line;

    while (bytes_cut(&message, '\n', &line) && bytes_trim(line).n > 0) {
        struct bytes field = field_of(line);
        if (field.n > 0)
            leave = bytes_equal_nocase(field, BYTES("Originator-Certificate"))
                 || bytes_equal_nocase(field, BYTES("Issuer-Certificate"));
        if (leave && !put) {
            put_chain(work, cert, issuer);
            put = true;
        }
        if (leave)
            continue;
        buffer_put(&work->out, bytes_trim(line).n == 0 ? BYTES_NONE : line);
        buffer_put_char(&work->out, '\n');
    }
    buffer_put_char(&work->out, '\n');
    buffer_put(&work->out, message);
    if (!bytes_ends(message, BYTES("\n")))
        buffer_put_char(&work->out, '\n');
}

/* 2: the reply goes to Reply-To, else to From; when the request came as a letter. */
static void put_letter_head(struct key_work *work)
{
    static const char *const fields[] = { "\nReply-To:", "\nFrom:" };
    struct bytes head = bytes_first(work->input, bytes_search(work->input, BEGIN_LINE));

    for (size_t i = 0; i < COUNT(fields); i++) {
        struct bytes name = bytes_of(fields[i] + 1);
        struct bytes rest = head, line;
        while (bytes_cut(&rest, '\n', &line) && bytes_trim(line).n > 0) {
            if (!bytes_begins_nocase(line, name))
                continue;
            buffer_put(&work->out, BYTES("To: "));
            buffer_put(&work->out, bytes_trim(bytes_skip(line, name.n)));
            buffer_put(&work->out, BYTES("\nSubject: your certificate\n\n"));
            return;
        }
    }
}

enum once_exit key_issue(struct key_work *work)
{
    const struct keyring_key *own = key_find_cert(work, rsa_private_public(work->key));
    struct buffer cert = buffer_with_most(KEY_DER_MOST);
    struct bytes message = BYTES_NONE;
    struct x509 asked;
    enum once_exit status;

    if (own == NULL || !own->certified || (own->cert.uses & X509_MAY_CERTIFY) == 0)
        return key_say(work, ONCE_DENIED, "the certificate of", work->request->by,
                       " does not let it certify others; make an authority with --authority");
    struct x509 issuer = own->cert;
    status = read_request(work, &asked, &message);
    if (status == ONCE_WELL)
        status = certify(work, &asked, &issuer, &cert);
    if (status == ONCE_WELL) {
        if (keyring_add_cert(work->ring, buffer_bytes(&cert), NULL, 0) != KEYRING_ADDED
            || !key_put_cert(work, buffer_bytes(&cert), NULL, 0)) {
            status = no_memory(work);
        } else {
            put_letter_head(work);
            put_reply(work, message, buffer_bytes(&cert), &issuer);
        }
    }
    buffer_done(&cert);
    return status;
}
