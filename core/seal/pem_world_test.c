/* SPDX-License-Identifier: ISC */
#include "seal/pem_world_test.h"

#include "base/base64.h"
#include "crypt/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

bool world_file(const char *name, struct buffer *to)
{
    const char *shared = getenv("POSTERN_SHARED");
    char path[4096];
    size_t n = 1;

    snprintf(path, sizeof(path), "%s/vectors/%s", shared == NULL ? "../shared" : shared, name);
    FILE *file = fopen(path, "rb");
    while (file != NULL && n > 0) {
        char *at = buffer_grow(to, 65536);
        n = at == NULL ? 0 : fread(at, 1, 65536, file);
        to->n -= 65536 - n;
    }
    if (file != NULL)
        fclose(file);
    return file != NULL && !to->bad;
}

/* A number in decimal as octets, most significant first. */
static void put_decimal(struct bytes text, struct buffer *to)
{
    uint8_t octets[RSA_OCTETS_MOST] = { 0 };
    size_t first = 0;

    for (size_t i = 0; i < text.n && is_digit(text.at[i]); i++) {
        unsigned carry = (unsigned)(text.at[i] - '0');
        for (size_t j = sizeof(octets); j-- > 0;) {
            carry += octets[j] * 10U;
            octets[j] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    while (first + 1 < sizeof(octets) && octets[first] == 0)
        first++;
    der_put_unsigned(to, (struct bytes){ (const char *)octets + first, sizeof(octets) - first });
}

/* The numbers of a key as the vectors' notes have them, in JSON. */
static struct rsa_private *key_of_json(struct bytes json)
{
    static const char *const names[] = { "\"n\": ", "\"e\": ", "\"d\": ", "\"p\": ", "\"q\": ",
                                         "\"dp\": ", "\"dq\": ", "\"qinv\": " };
    struct buffer der = buffer_with_most(8192);
    size_t begun = der_begin(&der);

    der_put_small(&der, 0);
    for (size_t i = 0; i < COUNT(names); i++)
        put_decimal(bytes_skip(json, bytes_search(json, bytes_of(names[i])) + strlen(names[i])),
                    &der);
    der_end(&der, begun, DER_SEQUENCE);
    struct rsa_private *key = rsa_private_read(buffer_bytes(&der));
    buffer_done(&der);
    return key;
}

struct rsa_private *world_key(const char *name)
{
    struct buffer pem = buffer_with_most(1 << 20), der = buffer_with_most(1 << 20);
    struct base64_decoder decoder = { 0 };
    struct rsa_private *key = NULL;
    struct bytes rest, line;

    if (!world_file(name, &pem))
        return NULL;
    if (bytes_begins(buffer_bytes(&pem), BYTES("{"))) {
        key = key_of_json(buffer_bytes(&pem));
    } else {
        rest = buffer_bytes(&pem);
        while (bytes_cut(&rest, '\n', &line))
            if (!bytes_begins(line, BYTES("-")))
                base64_decode(&decoder, line, &der);
        base64_decode_end(&decoder, &der);
        key = rsa_private_read(buffer_bytes(&der));
    }
    buffer_done(&pem);
    buffer_done(&der);
    return key;
}

static void take_found(struct pem_reader *reader, struct world_read *read)
{
    const struct pem_found *found = pem_reader_found(reader);

    if (found == NULL)
        return;
    if (read->messages++ == 0) {
        read->found = *found;
        pem_put_sender(&found->header, &found->sender, &read->sender);
    }
    pem_reader_next(reader);
}

void world_read(struct bytes input, const struct pem_keys *keys, size_t piece,
                struct world_read *ret_read)
{
    struct pem_reader *reader = pem_reader_new(keys, true);

    *ret_read = (struct world_read){ .text = buffer_with_most(64 << 20),
                                     .sender = buffer_with_most(4096) };
    assert_non_null(reader);
    while (input.n > 0) {
        input = bytes_skip(input, pem_read(reader, bytes_first(input, piece), &ret_read->text));
        if (pem_reader_asks(reader) != NULL)
            pem_reader_own(reader, keys->own, keys->own_n);
        take_found(reader, ret_read);
    }
    for (int i = 0; i < 2; i++) {       /* a BEGIN boundary may be the last line */
        pem_reader_end(reader, &ret_read->text);
        take_found(reader, ret_read);
    }
    ret_read->notes_n = pem_reader_notes(reader, ret_read->notes);
    pem_reader_free(reader);
}

void world_read_done(struct world_read *read)
{
    buffer_done(&read->text);
    buffer_done(&read->sender);
}
