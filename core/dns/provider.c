/* SPDX-License-Identifier: ISC */
#include "dns/provider.h"

#include "dns/provider.def"

static const struct { const char *domain, *name; } providers[] = {
#define P(domain, name) { domain, name },
    PROVIDER_LIST(P)
#undef P
};

static bool is_below(struct bytes host, struct bytes domain)
{
    if (host.n < domain.n)
        return false;
    return bytes_equal_nocase(bytes_skip(host, host.n - domain.n), domain)
        && (host.n == domain.n || host.at[host.n - domain.n - 1] == '.');
}

const char *provider_of(struct bytes host)
{
    const char *name = "";
    size_t longest = 0;

    if (bytes_ends(host, BYTES(".")))
        host.n--;
    for (size_t i = 0; i < COUNT(providers); i++) {
        struct bytes domain = bytes_of(providers[i].domain);
        if (domain.n > longest && is_below(host, domain)) {
            longest = domain.n;
            name = providers[i].name;
        }
    }
    return name;
}
