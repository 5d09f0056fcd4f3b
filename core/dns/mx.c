/* SPDX-License-Identifier: ISC */
#include "dns/mx.h"

#include "base/hash.h"
#include "base/reader.h"

#include <string.h>

/* The place of a host among those of its preference: a number nobody can guess, but always the
   same for one `chance`. */
static uint64_t draw(uint64_t chance, const struct mx_host *host)
{
    uint8_t key[16] = { 0 };

    memcpy(key, &chance, sizeof(chance));
    return siphash(key, mx_name(host));
}

static bool is_before(uint64_t chance, const struct mx_host *a, const struct mx_host *b)
{
    if (a->preference != b->preference)
        return a->preference < b->preference;
    return draw(chance, a) < draw(chance, b);
}

static void take_out(struct mx_list *list, size_t i)
{
    list->n--;
    memmove(&list->hosts[i], &list->hosts[i + 1], (list->n - i) * sizeof(list->hosts[0]));
}

/* Into its place; when the list is full the last one falls out. */
static void insert(struct mx_list *list, uint64_t chance, const struct mx_host *host)
{
    size_t at = 0;

    for (size_t i = 0; i < list->n; i++)
        if (bytes_equal(mx_name(&list->hosts[i]), mx_name(host))) {
            if (list->hosts[i].preference <= host->preference)
                return;
            take_out(list, i);
            break;
        }
    while (at < list->n && !is_before(chance, host, &list->hosts[at]))
        at++;
    if (at == MX_HOSTS_MOST)
        return;
    if (list->n == MX_HOSTS_MOST)
        list->n--;
    memmove(&list->hosts[at + 1], &list->hosts[at], (list->n - at) * sizeof(list->hosts[0]));
    list->hosts[at] = *host;
    list->n++;
}

/* False: it is no MX record. An empty name is the root. */
static bool read_host(struct bytes data, struct mx_host *ret_host)
{
    struct reader in = reader_of(data);
    unsigned high = read_u8(&in), low = read_u8(&in);
    struct buffer name = buffer_with_most(DNS_NAME_MOST);
    bool well = dns_name_read(&in, &name) && reader_finished(&in);
    struct mx_host host = { .preference = (uint16_t)(high << 8 | low), .n = (uint8_t)name.n };

    if (well) {
        if (name.n > 0)
            memcpy(host.name, name.at, name.n);
        *ret_host = host;
    }
    buffer_done(&name);
    return well;
}

static void read_hosts(struct bytes rest, uint64_t chance, struct mx_list *list)
{
    struct bytes data;
    size_t looked_at = 0;
    bool root = false;

    while (looked_at++ < DNS_RECORDS_MOST && dns_next_record(&rest, &data)) {
        struct mx_host host;
        if (!read_host(data, &host))
            continue;
        if (host.n == 0)
            root = true;
        else if (dns_name_is_plain(mx_name(&host)))
            insert(list, chance, &host);
    }
    if (list->n == 0)
        list->verdict = root ? MX_NULL : MX_UNUSABLE;
}

void mx_read(const struct dns_answer *answer, uint64_t chance, struct mx_list *ret_list)
{
    *ret_list = (struct mx_list){ .verdict = MX_LATER };
    switch (answer->verdict) {
    case DNS_SECURE: case DNS_INSECURE:
        ret_list->verdict = MX_HOSTS;
        ret_list->secure = answer->verdict == DNS_SECURE;
        read_hosts(answer->records, chance, ret_list);
        return;
    case DNS_NODATA: case DNS_NXDOMAIN:
        ret_list->verdict = answer->verdict == DNS_NODATA ? MX_IMPLICIT : MX_NO_DOMAIN;
        ret_list->secure = answer->proved;
        return;
    case DNS_BOGUS: case DNS_FAILED: case DNS_VERDICTS:
        return;
    }
}

bool mx_drop_from(struct mx_list *list, struct bytes host)
{
    for (size_t i = 0; i < list->n; i++)
        if (bytes_equal_nocase(mx_name(&list->hosts[i]), host)) {
            uint16_t ours = list->hosts[i].preference;
            while (list->n > 0 && list->hosts[list->n - 1].preference >= ours)
                list->n--;
            return list->n > 0;
        }
    return true;
}
