/* SPDX-License-Identifier: ISC */
#include "seal/pem.h"

static const struct {
    const char *name;
    uint8_t class;
    enum status_detail status;
} verdicts[] = {
    [PEM_GOOD] = { "good", 2, STATUS_OTHER_SECURITY },
    [PEM_GOOD_UNTRUSTED] = { "good-untrusted", 2, STATUS_CRYPTO_FAILURE },
    [PEM_GOOD_WEAK] = { "good-weak", 2, STATUS_CRYPTO_ALGORITHM },
    [PEM_ALTERED] = { "altered", 5, STATUS_INTEGRITY_FAILURE },
    [PEM_NO_KEY] = { "no-key", 5, STATUS_CRYPTO_FAILURE },
    [PEM_UNSUPPORTED] = { "unsupported", 5, STATUS_CRYPTO_ALGORITHM },
    [PEM_MALFORMED] = { "malformed", 5, STATUS_OTHER_SECURITY },
};
_Static_assert(COUNT(verdicts) == PEM_VERDICTS, "a verdict without a row");

const char *pem_verdict_name(enum pem_verdict verdict)
{
    return verdicts[verdict].name;
}

struct status_code pem_verdict_status(enum pem_verdict verdict)
{
    return status_of(verdicts[verdict].class, verdicts[verdict].status);
}
