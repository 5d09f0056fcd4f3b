/* SPDX-License-Identifier: ISC */
#include "mail/content.h"
#include "mail/mime.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_part(const struct mime *mime, uint32_t i)
{
    const struct mime_part *part = &mime->parts[i];
    struct content content = content_parse(part->content_type);
    struct buffer name = buffer_with_most(part->content_type.n * 4);
    unsigned flaws = 0;

    assert(part->header_at <= part->body_at && part->body_at <= part->end && part->end <= mime->at);
    assert(part->depth <= LIMIT_MIME_DEPTH);
    assert(i == 0 ? part->parent == MIME_NO_PARENT
                  : part->parent >= 0 && part->parent < (int32_t)i);
    if (i > 0) {
        const struct mime_part *around = &mime->parts[part->parent];
        assert(around->body_at <= part->header_at && part->end <= around->end);
        assert(around->depth + 1 == part->depth && around->kind != MIME_LEAF);
    }
    (void)content_parameter(&content, "name", &name, &flaws);
    buffer_done(&name);
}

/* The first octet says how long the pieces are; whole and in pieces must give the same tree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t size = n > 0 ? data[0] % 16 + 1u : 1;
    struct bytes text = bytes_skip((struct bytes){ (const char *)data, n }, 1);
    struct mime whole, pieces;
    bool ready = mime_init(&whole), also = mime_init(&pieces);

    assert(ready && also);
    mime_feed(&whole, text);
    mime_finish(&whole);
    for (struct bytes rest = text; rest.n > 0; rest = bytes_skip(rest, size))
        mime_feed(&pieces, bytes_first(rest, size));
    mime_finish(&pieces);
    assert(whole.n == pieces.n && whole.n > 0 && whole.parts[0].end == text.n);
    for (uint32_t i = 0; i < whole.n; i++) {
        const struct mime_part *a = &whole.parts[i], *b = &pieces.parts[i];
        assert(a->flaws == b->flaws && a->kind == b->kind && a->parent == b->parent);
        assert(a->header_at == b->header_at && a->body_at == b->body_at && a->end == b->end);
        assert(bytes_equal(a->type, b->type) && bytes_equal(a->subtype, b->subtype));
        check_part(&whole, i);
    }
    mime_done(&whole);
    mime_done(&pieces);
    return 0;
}
