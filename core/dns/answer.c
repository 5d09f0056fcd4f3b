/* SPDX-License-Identifier: ISC */
#include "dns/answer.h"

#include "base/reader.h"

#include <string.h>

const char *dns_verdict_name(enum dns_verdict verdict)
{
    switch (verdict) {
    case DNS_SECURE: return "secure";
    case DNS_INSECURE: return "insecure";
    case DNS_BOGUS: return "bogus";
    case DNS_NXDOMAIN: return "nxdomain";
    case DNS_NODATA: return "nodata";
    case DNS_FAILED: case DNS_VERDICTS: break;
    }
    return "failed";
}

void dns_answer_put(struct buffer *to, const struct dns_answer *answer)
{
    buffer_put_u8(to, (uint8_t)answer->verdict);
    buffer_put_u8(to, answer->proved);
    buffer_put_u32(to, answer->ttl);
    buffer_put_block(to, answer->canonical);
    buffer_put(to, answer->records);
}

bool dns_answer_read(struct bytes text, struct dns_answer *ret_answer)
{
    struct reader in = reader_of(text);
    unsigned verdict = read_u8(&in), proved = read_u8(&in);
    uint32_t ttl = read_u32(&in);
    struct bytes canonical = read_block(&in), records = read_rest(&in);
    struct dns_answer answer = { .verdict = (enum dns_verdict)verdict, .proved = proved == 1,
                                 .ttl = ttl > DNS_TTL_MOST ? DNS_TTL_MOST : ttl,
                                 .canonical = canonical, .records = records };

    if (!reader_ok(&in) || verdict < DNS_SECURE || verdict >= DNS_VERDICTS || proved > 1
        || records.n > DNS_ANSWER_MOST || (canonical.n > 0 && !dns_name_is_plain(canonical)))
        return false;
    if ((records.n > 0) != dns_found(&answer) || (answer.proved && !dns_is_negative(&answer)))
        return false;
    *ret_answer = answer;
    return true;
}

bool dns_next_record(struct bytes *rest, struct bytes *ret_data)
{
    struct reader in = reader_of(*rest);
    struct bytes data = read_block(&in);

    if (rest->n == 0 || !reader_ok(&in)) {
        *rest = BYTES_NONE;
        return false;
    }
    *rest = reader_left(&in);
    *ret_data = data;
    return true;
}

size_t dns_addresses(const struct dns_answer *answer, uint8_t (*ret_ips)[16], size_t most)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };
    struct bytes rest = answer->records, data;
    size_t n = 0;

    while (n < most && dns_next_record(&rest, &data)) {
        if (data.n == 16) {
            memcpy(ret_ips[n++], data.at, 16);
        } else if (data.n == 4) {
            memcpy(ret_ips[n], mapped, sizeof(mapped));
            memcpy(ret_ips[n++] + sizeof(mapped), data.at, 4);
        }
    }
    return n;
}

bool dns_text(struct bytes data, struct buffer *to)
{
    struct reader in = reader_of(data);
    size_t before = to->n;

    while (!reader_empty(&in) && reader_ok(&in))
        buffer_put(to, read_bytes(&in, read_u8(&in)));
    if (data.n == 0 || !reader_finished(&in) || to->bad) {
        to->n = before;
        return false;
    }
    return true;
}

bool dns_tlsa_read(struct bytes data, struct dns_tlsa *ret_tlsa)
{
    struct reader in = reader_of(data);
    struct dns_tlsa tlsa = { .usage = read_u8(&in), .selector = read_u8(&in),
                             .matching = read_u8(&in) };

    tlsa.data = read_rest(&in);
    if (!reader_ok(&in) || tlsa.data.n == 0)
        return false;
    *ret_tlsa = tlsa;
    return true;
}
