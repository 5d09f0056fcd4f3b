/* SPDX-License-Identifier: ISC
 *
 * A local part in quotation marks is an address like any other (RFC 5321, 4.1.2: "."@example.org),
 * but there are servers that take the marks away and refuse what is left, with a code that speaks
 * of the domain (553 5.1.2). Whoever wrote the address did nothing wrong, nor is the domain.
 */
#include "bounce/read.h"
#include "mail/address.h"

/* About the form of an address, as far as the code tells: 5.1.0, 5.1.2, 5.1.3, 5.1.7. */
static bool code_may_mean_form(const struct bounce_recipient *recipient)
{
    struct status_code code = recipient->status.class != 0 ? recipient->status
                                                           : recipient->cause.status;

    return code.class == 5 && code.subject == 1
        && (code.detail == 0 || code.detail == 2 || code.detail == 3 || code.detail == 7);
}

void quotes_know(struct bounce_recipient *recipient, struct bytes address, bool by_words)
{
    struct cause *cause = &recipient->cause;
    enum cause_category category = cause->category;
    bool form = category == CAUSE_ADDRESS_INVALID
        || (!by_words && (category == CAUSE_DOMAIN_ISSUE || category == CAUSE_BLOCKED_AUTH)
            && code_may_mean_form(recipient));
    struct address read;

    if (!form || !address_parse(address, true, &read, NULL) || !read.quoted)
        return;
    cause->category = CAUSE_ADDRESS_INVALID;
    cause->quotes = true;
    cause->who = CAUSE_WHO_RECIPIENT_ADMIN;
    cause->permanence = CAUSE_UNTIL_FIXED;
    cause->retry_would_help = CAUSE_NO;
    cause->address_bad = CAUSE_NO;
}

bool quotes_by_words(const struct bounce_recipient *recipient)
{
    return recipient->evidence_n > 0 && (recipient->evidence[0].proof == PROOF_WORDS
                                         || recipient->evidence[0].proof == PROOF_TOKEN);
}
