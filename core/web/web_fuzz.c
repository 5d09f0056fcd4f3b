/* SPDX-License-Identifier: ISC
 *
 * Any request, with and without a server behind it: METHOD SP TARGET LF TYPE LF LANGUAGE LF BODY.
 * There is an answer, it is complete, and the same one twice.
 */
#include "web/web.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static struct bytes take(struct bytes *input, char stop)
{
    struct bytes piece = BYTES_NONE;

    (void)bytes_cut(input, stop, &piece);
    return piece;
}

static void check(const struct web_response *response)
{
    must(response->status >= 200 && response->status < 600);
    must(response->type != NULL && response->n_headers <= WEB_HEADERS_MOST);
    must(!response->body.bad);
    for (size_t i = 0; i < response->n_headers; i++)
        must(response->headers[i].name != NULL && response->headers[i].value != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes input = { (const char *)data, n };
    static const struct web_figures figures = { .store_known = true };
    struct web_request request = { .method = take(&input, ' '), .target = take(&input, '\n'),
                                   .content_type = take(&input, '\n'),
                                   .accept_language = take(&input, '\n'), .body = input };
    struct web_facts facts = { .wall_ms = 1790000000000, .server = n % 2 == 0,
                               .store = (enum web_store)(n % 4),
                               .figures = web_needs_figures(&request) ? &figures : NULL };
    struct web_response one = web_response_new(), two = web_response_new();

    web_answer(&request, &facts, &one);
    check(&one);
    web_answer(&request, &facts, &two);
    must(one.status == two.status && one.type == two.type
         && bytes_equal(buffer_bytes(&one.body), buffer_bytes(&two.body)));
    web_response_done(&one);
    web_response_done(&two);
    return 0;
}
