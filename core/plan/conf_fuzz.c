/* SPDX-License-Identifier: ISC */
#include "plan/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena = arena_with_ceiling(LIMIT_CONF_MEMORY);
    struct buffer words = buffer_with_most(4096);
    struct bytes text = { (const char *)data, n };
    struct conf conf;
    struct conf_flaw flaw;
    struct conf_listen listen;

    if (!conf_read(text, BYTES("/etc/postern"), &arena, &conf, &flaw))
        conf_flaw_put(&words, BYTES("postern.conf"), &flaw);
    if (words.bad || bytes_find(buffer_bytes(&words), '\n') < words.n)
        __builtin_trap();
    (void)!conf_listen_parse(text, &listen);
    buffer_done(&words);
    arena_done(&arena);
    return 0;
}
