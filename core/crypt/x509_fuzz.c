/* SPDX-License-Identifier: ISC */
#include "crypt/x509.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Certificates, lists, keys and names from anywhere: bounded, and within what was given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n }, rest, mailbox;
    struct buffer to = buffer_with_most(1 << 20);
    struct x509_revoked entry;
    struct x509 cert;
    struct x509_crl crl;
    size_t entries = 0;

    if (x509_read(text, &cert) == X509_WELL) {
        assert(cert.version >= 1 && cert.version <= 3 && rsa_bits(cert.key) >= RSA_BITS_LEAST);
        dname_put_text(cert.subject, &to);
        x509_put_serial(&to, cert.serial);
        assert(!to.bad);
        mailbox = x509_signed_by(&cert, cert.key) ? cert.subject : cert.issuer;
        rest = cert.alternative;
        while (x509_next_mailbox(&rest, &mailbox))
            assert(mailbox.at >= text.at && mailbox.at + mailbox.n <= text.at + text.n);
    }
    if (x509_crl_read(text, &crl) == X509_WELL) {
        rest = crl.revoked;
        while (x509_crl_next(&rest, &entry))
            entries++;
        assert(entries == crl.revoked_n);
    }
    rsa_private_free(rsa_private_read(text));
    buffer_done(&to);
    return 0;
}
