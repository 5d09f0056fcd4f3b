/* SPDX-License-Identifier: ISC */
#include "plan/route.h"

#include "base/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is an address, the rest the file of aliases, and of virtual users too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bytes domains[] = { BYTES_INIT("x"), BYTES_INIT("y.example") };
    struct bytes rest = { (const char *)data, size }, address = BYTES_NONE;
    struct buffer to = buffer_with_most(1 << 20);
    struct route_flaw flaw;

    (void)bytes_cut(&rest, '\n', &address);
    for (int i = 0; i < 2; i++) {
        struct conf conf = { .domains = { domains, 2 }, .subaddress = BYTES("+") };
        *(i == 0 ? &conf.aliases_text : &conf.virtual_text) = rest;
        struct routes *routes = routes_new(&conf, &flaw);
        if (routes == NULL && flaw.words == NULL)
            abort();
        if (routes == NULL)
            continue;
        buffer_clear(&to);
        if (routes_expand(routes, address, true, &to) == ROUTES_CHANGED) {
            struct reader in = reader_of(buffer_bytes(&to));
            while (!reader_empty(&in))
                (void)read_block(&in);
            if (!reader_ok(&in))
                abort();
        }
        (void)routes_place(routes, address, NULL);
        routes_free(routes);
    }
    buffer_done(&to);
    return 0;
}
