/* SPDX-License-Identifier: ISC */
#include "dns/mx.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Records of an answer, as each of the readers takes them; what comes out keeps its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_answer answer = { .verdict = DNS_INSECURE,
                                 .records = { (const char *)data, size } };
    struct bytes rest = answer.records, one;
    struct buffer text = buffer_with_most(4096);
    struct mx_list list;
    struct dns_tlsa tlsa;
    uint8_t ips[8][16];

    struct dns_answer coded;
    if (dns_answer_read(answer.records, &coded) && coded.records.n > DNS_ANSWER_MOST)
        abort();
    mx_read(&answer, size, &list);
    for (size_t i = 0; i < list.n; i++)
        if (!dns_name_is_plain(mx_name(&list.hosts[i]))
            || (i > 0 && list.hosts[i - 1].preference > list.hosts[i].preference))
            abort();
    if ((list.verdict == MX_HOSTS) != (list.n > 0))
        abort();
    if (dns_addresses(&answer, ips, COUNT(ips)) > COUNT(ips))
        abort();
    while (dns_next_record(&rest, &one)) {
        size_t before = text.n;
        if (!dns_text(one, &text) && text.n != before)
            abort();
        if (dns_tlsa_read(one, &tlsa) && tlsa.data.n + 3 != one.n)
            abort();
    }
    buffer_done(&text);
    return 0;
}
