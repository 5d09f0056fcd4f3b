/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "web/web_int.h"

static const struct web_figures figures = { .store_known = true, .store.queued = 17 };

/* What is asked of a server whose store stands so; `wanted` is somewhere in the body. */
static const struct {
    const char *method, *target;
    enum web_store store;
    bool alone;
    unsigned status;
    const char *type, *wanted;
} rows[] = {
    { "GET", "/healthz", WEB_STORE_OPEN, false, 200, "application/json", "\"status\":\"ok\"" },
    { "HEAD", "/healthz", WEB_STORE_OPEN, false, 200, "application/json", "\"store\":\"open\"" },
    { "GET", "/healthz?x=%zz", WEB_STORE_OPEN, false, 200, "application/json", "ok" },
    { "GET", "/%68ealthz", WEB_STORE_OPEN, false, 200, "application/json", "ok" },
    { "GET", "/healthz", WEB_STORE_CLOSED, false, 503, "application/json", "being started" },
    { "GET", "/healthz", WEB_STORE_LOW, false, 503, "application/json", "nearly full" },
    { "GET", "/healthz", WEB_STORE_READ_ONLY, false, 503, "application/json", "disk" },
    { "GET", "/healthz", WEB_STORE_CLOSED, true, 404, "text/plain; charset=utf-8", "no such" },
    { "GET", "/metrics", WEB_STORE_OPEN, false, 200, "text/plain; version=0.0.4; charset=utf-8",
      "\npostern_queue_letters 17\n" },
    { "POST", "/metrics", WEB_STORE_OPEN, false, 405, "text/plain; charset=utf-8", "method" },
    { "get", "/metrics", WEB_STORE_OPEN, false, 405, "text/plain; charset=utf-8", "method" },
    { "GET", "/healthz/", WEB_STORE_OPEN, false, 404, "text/plain; charset=utf-8", "no such" },
    { "GET", "/healthz/x", WEB_STORE_OPEN, false, 404, "text/plain; charset=utf-8", "no such" },
    { "GET", "/nothing", WEB_STORE_OPEN, false, 404, "text/plain; charset=utf-8", "no such" },
    { "GET", "//healthz", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "/a/../healthz", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "/%2e%2e/x", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "/healthz%00", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "/healthz%2", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "/%ff", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "healthz", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "http://a/healthz", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8",
      "address" },
    { "OPTIONS", "*", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
    { "GET", "", WEB_STORE_OPEN, false, 400, "text/plain; charset=utf-8", "address" },
};

static void answers(void **state)
{
    struct web_response response = web_response_new();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct web_request request = { .method = bytes_of(rows[i].method),
                                       .target = bytes_of(rows[i].target) };
        struct web_facts facts = { .figures = &figures, .server = !rows[i].alone,
                                   .store = rows[i].store };
        web_answer(&request, &facts, &response);
        struct bytes body = buffer_bytes(&response.body);
        if (response.status != rows[i].status || strcmp(response.type, rows[i].type) != 0
            || bytes_search(body, bytes_of(rows[i].wanted)) == body.n)
            fail_msg("%s %s: %u %s %.*s", rows[i].method, rows[i].target, response.status,
                     response.type, (int)body.n, body.at);
    }
    web_response_done(&response);
}

static void a_405_names_the_methods(void **state)
{
    struct web_response response = web_response_new();
    struct web_facts facts = { .server = true };

    struct web_request put = { .method = BYTES("PUT"), .target = BYTES("/metrics") };
    struct web_request get = { .method = BYTES("GET"), .target = BYTES("/metrics") };

    web_answer(&put, &facts, &response);
    assert_int_equal(response.status, 405);
    assert_int_equal(response.n_headers, 1);
    assert_string_equal(response.headers[0].name, "Allow");
    assert_string_equal(response.headers[0].value, "GET, HEAD");
    web_answer(&get, &facts, &response);
    assert_int_equal(response.n_headers, 0);
    web_response_done(&response);
}

static void too_much_is_refused(void **state)
{
    static char path[WEB_TARGET_MOST + 1] = "/";
    struct web_response response = web_response_new();
    struct web_facts facts = { .server = true };
    struct web_request request = { .method = BYTES("POST"), .target = BYTES("/metrics"),
                                   .body = { "", WEB_BODY_MOST + 1 } };

    web_answer(&request, &facts, &response);
    assert_int_equal(response.status, 413);
    memset(path + 1, 'a', sizeof(path) - 1);
    request = (struct web_request){ .method = BYTES("GET"), .target = { path, sizeof(path) } };
    web_answer(&request, &facts, &response);
    assert_int_equal(response.status, 414);
    assert_false(web_needs_figures(&request));
    request.target.n--;
    web_answer(&request, &facts, &response);
    assert_int_equal(response.status, 404);
    web_response_done(&response);
}

static void only_metrics_needs_figures(void **state)
{
    struct web_request metrics = { .method = BYTES("GET"), .target = BYTES("/metrics?a") };
    struct web_request health = { .method = BYTES("GET"), .target = BYTES("/healthz") };

    assert_true(web_needs_figures(&metrics));
    assert_false(web_needs_figures(&health));
}

static const struct {
    const char *query, *name, *value;       /* NULL: none */
} fields[] = {
    { "a=1&b=2", "b", "2" }, { "a=1&b=2", "a", "1" }, { "a", "a", "" }, { "a=1", "b", NULL },
    { "text=two+words%21", "text", "two words!" }, { "text=%zz", "text", NULL },
    { "text=%f0", "text", NULL }, { "", "a", NULL }, { "a=b=c", "a", "b=c" },
    { "a=%0D%0A", "a", "\r\n" },
};

static void reads_fields(void **state)
{
    struct buffer value = buffer_with_most(100);

    for (size_t i = 0; i < COUNT(fields); i++) {
        bool read = web_read_field(bytes_of(fields[i].query), bytes_of(fields[i].name), &value);
        if (read != (fields[i].value != NULL)
            || (read && !bytes_equal(buffer_bytes(&value), bytes_of(fields[i].value))))
            fail_msg("%s", fields[i].query);
    }
    buffer_done(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(a_405_names_the_methods),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(only_metrics_needs_figures),
        cmocka_unit_test(reads_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
