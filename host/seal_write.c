/* SPDX-License-Identifier: ISC
 *
 * postern seal: the text of a file, the keys of whom it is from and for, and the message.
 */
#include "host/seal_int.h"

#include "host/clock.h"
#include "host/ctl_int.h"
#include "host/keystore.h"
#include "seal/pem_letter.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

/* One more than may be, so that too many are found out. */
enum { NAMES_MOST = SEAL_TO_MOST + 1 };

struct sealing {
    struct seal_words *words;
    struct seal_keys keys;
    struct pem_to to[SEAL_TO_MOST];
    struct bytes names[NAMES_MOST];
    size_t names_n;
    struct buffer input, message;
    struct bytes header, text;
};

/* ---- the recipients */

static int say_no_key(struct bytes name)
{
    char words[PEM_NAME_MOST + 100];

    snprintf(words, sizeof(words), "no key for %.*s that may be used: nothing is written (5.7.3)",
             (int)(name.n < PEM_NAME_MOST ? name.n : PEM_NAME_MOST), name.at);
    return seal_say(NULL, words, SEAL_NO_KEY);
}

/* A certificate that ran out, was revoked or is not for enciphering is no key at all, whether or
   not its issuer is trusted: a path that nobody vouches for has one status, which says nothing of
   dates. */
static bool is_dead(const struct x509 *cert, enum cert_status status, int64_t now)
{
    return status == CERT_REVOKED || status == CERT_EXPIRED || status == CERT_PENDING
        || now < cert->not_before || now > cert->not_after
        || (cert->uses & X509_MAY_ENCIPHER) == 0;
}

/* Of several keys the one whose certificate is best. */
static const struct keyring_key *best_key(struct sealing *sealing, struct bytes name)
{
    struct pem_keys view = seal_keys_view(&sealing->keys, sealing->words->subordinate);
    struct keyring_query query = { .name = name };
    const struct keyring_key *one = NULL, *best = NULL;
    static struct cert_path path;
    enum cert_status best_status = CERT_STATUSES;

    while ((one = keyring_find(sealing->keys.ring, &query, one)) != NULL) {
        enum cert_status status = CERT_UNVALIDATED;
        bool dead = false;
        if (one->certified) {
            cert_judge(sealing->keys.ring, &one->cert, NULL, 0, &view.rules, &path);
            status = path.status;
            dead = is_dead(&one->cert, status, view.rules.now);
        }
        bool better = best == NULL || status < best_status
            || (status == best_status && one->certified && !best->certified);
        if (!dead && better) {
            best = one;
            best_status = status;
        }
    }
    return best;
}

static int add_recipient(struct sealing *sealing, struct bytes name)
{
    struct pem_order *order = &sealing->words->order;
    const struct keyring_key *key = best_key(sealing, name);

    if (key == NULL)
        return sealing->words->without_missing ? 0 : say_no_key(name);
    struct pem_to *to = &sealing->to[order->to_n++];
    *to = (struct pem_to){ name, key->key, BYTES_NONE, BYTES_NONE };
    if (key->certified) {
        to->issuer = key->cert.issuer;
        to->serial = key->cert.serial;
    }
    return 0;
}

static int find_recipients(struct sealing *sealing)
{
    const struct seal_words *words = sealing->words;
    int status = 0;

    for (size_t i = 0; i < words->to_n; i++)
        sealing->names[sealing->names_n++] = bytes_of(words->to[i]);
    if (words->take_to)
        sealing->names_n += pem_letter_recipients(sealing->header, &sealing->keys.arena,
                                                  sealing->names + sealing->names_n,
                                                  NAMES_MOST - sealing->names_n);
    if (words->me_too && words->from != NULL && sealing->names_n < NAMES_MOST)
        sealing->names[sealing->names_n++] = bytes_of(words->from);
    if (sealing->names_n > SEAL_TO_MOST)
        return seal_say(NULL, "there are more than 1000 recipients", EX_DATAERR);
    for (size_t i = 0; i < sealing->names_n && status == 0; i++)
        status = add_recipient(sealing, sealing->names[i]);
    return status;
}

/* ---- the sender */

static int find_sender(struct sealing *sealing)
{
    struct pem_order *order = &sealing->words->order;
    struct rsa_public half;
    struct keyring_query query = { .key = &half };
    const struct keyring_key *one = NULL;
    int status = EX_UNAVAILABLE;

    order->key = seal_keys_sender(sealing->words, &sealing->keys, &status);
    if (order->key == NULL)
        return status;
    half = rsa_private_public(order->key);
    while ((one = keyring_find(sealing->keys.ring, &query, one)) != NULL) {
        bool self = one->certified && x509_is_self_issued(&one->cert);
        if (one->certified && (order->certificate.n == 0 || !self))
            order->certificate = one->cert.der;
        if (order->from.n == 0 && one->names_n > 0)
            order->from = one->names[0];
    }
    if (sealing->words->from != NULL)
        order->from = bytes_of(sealing->words->from);
    return 0;
}

/* ---- the text */

static int read_text(struct sealing *sealing)
{
    const struct seal_words *words = sealing->words;
    const char *path = words->file == NULL ? "-" : words->file;
    int status = keystore_input(path, SEAL_TEXT_MOST, &sealing->input);

    if (status == EX_DATAERR)
        (void)seal_say(NULL, "what is sealed must be held in memory, and is 256 MiB at most",
                       status);
    if (status != 0)
        return status;
    sealing->text = buffer_bytes(&sealing->input);
    sealing->header = BYTES_NONE;
    if (words->prepend || words->include || words->take_to) {
        struct bytes body;
        pem_letter_split(sealing->text, &sealing->header, &body);
        if (!words->include)
            sealing->text = body;
    }
    return 0;
}

static int write_message(struct sealing *sealing)
{
    struct seal_out out;
    int status = seal_out_open(sealing->words->output, &out);

    if (status != 0)
        return status;
    bool done = seal_out_put(&out, buffer_bytes(&sealing->message)) && seal_out_show(&out, 0);
    if (!done)
        status = seal_say(sealing->words->output, strerror(errno), EX_IOERR);
    int closed = seal_out_close(&out, done);
    return status != 0 ? status : closed;
}

static int seal(struct sealing *sealing)
{
    struct pem_order *order = &sealing->words->order;
    struct pem_flaw flaw = { 0 };
    struct bytes rest, line;

    pem_order_complete(order);
    entropy_fill(order->chance, sizeof(order->chance));
    rest = sealing->words->prepend ? sealing->header : BYTES_NONE;
    while (bytes_cut(&rest, '\n', &line)) {
        buffer_put(&sealing->message, bytes_ends(line, BYTES("\r")) ? bytes_first(line, line.n - 1)
                                                                   : line);
        buffer_put_char(&sealing->message, '\n');
    }
    if (!pem_write(order, sealing->text, &sealing->message, &flaw)) {
        char words[300];
        snprintf(words, sizeof(words), flaw.line > 0 ? "line %u: %s" : "%.0u%s", flaw.line,
                 flaw.words);
        return seal_say(sealing->words->file, words, EX_DATAERR);
    }
    if (pem_order_is_weak(order))
        (void)seal_say(NULL, "warning: what this writes is weak today; --profile modern is not,"
                             " where its reader has Postern", 0);
    return write_message(sealing);
}

/* RFC 1421, 4.6.2.1: keys that both sides know, in place of RSA. */
static int seal_shared(struct sealing *sealing)
{
    const struct seal_words *words = sealing->words;
    struct pem_interchange to[SEAL_FILES_MOST];
    struct pem_shared_order order = {
        .mic = words->order.has_mic ? words->order.mic : DIGEST_SHA256,
        .dek = words->order.has_dek ? words->order.dek : CIPHER_DES_EDE_CBC,
        .from = words->from == NULL ? BYTES_NONE : bytes_of(words->from), .to = to,
    };
    struct pem_flaw flaw = { 0 };

    for (size_t i = 0; i < words->to_n; i++) {
        size_t before = order.to_n;
        for (size_t j = 0; j < sealing->keys.interchange_n && order.to_n < SEAL_FILES_MOST; j++)
            if (bytes_equal_nocase(sealing->keys.interchange[j].entity, bytes_of(words->to[i])))
                to[order.to_n++] = sealing->keys.interchange[j];
        if (order.to_n == before)
            return say_no_key(bytes_of(words->to[i]));
    }
    entropy_fill(order.chance, sizeof(order.chance));
    bool done = pem_write_shared(&order, sealing->text, &sealing->message, &flaw);
    mem_wipe(order.chance, sizeof(order.chance));
    mem_wipe(to, sizeof(to));
    return done ? write_message(sealing) : seal_say(words->file, flaw.words, EX_DATAERR);
}

static int seal_signed(struct sealing *sealing)
{
    int status = find_sender(sealing);

    if (status == 0 && sealing->words->order.type == PEM_ENCRYPTED)
        status = find_recipients(sealing);
    return status == 0 ? seal(sealing) : status;
}

int seal_write_words(struct seal_words *words)
{
    static struct sealing sealing;

    sealing = (struct sealing){ .words = words, .input = buffer_with_most(0),
                                .message = buffer_with_most(4u * SEAL_TEXT_MOST) };
    words->order.to = sealing.to;
    int status = read_text(&sealing);
    if (status == 0)
        status = seal_keys_load(words, &sealing.keys);
    if (status == 0)
        status = words->interchange != NULL ? seal_shared(&sealing) : seal_signed(&sealing);
    if (sealing.keys.ring != NULL)
        seal_keys_done(&sealing.keys);
    password_done(&sealing.input);
    password_done(&sealing.message);
    mem_wipe(words->order.chance, sizeof(words->order.chance));
    return ctl_end(status);
}

int seal_run(int argc, char **argv)
{
    static struct seal_words words;
    int status = seal_words_read(argc, argv, &words);

    if (status != 0)
        return status;
    if (words.help) {
        fputs(seal_help(words.command), stdout);
        return ctl_end(EX_OK);
    }
    return seal_write_words(&words);
}
