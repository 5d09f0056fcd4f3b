/* SPDX-License-Identifier: ISC
 *
 * The pages of codes: /codes, /codes/5.7.7, /v1/codes, /v1/codes/5.7.7.
 */
#include "bounce/page.h"
#include "web/frame.h"

static void say_unknown(const struct web_asked *asked, struct web_response *response)
{
    struct buffer flaw = buffer_with_most(4096);

    page_put_flaw(&flaw, asked->rest);
    web_say(response, 404, "");
    buffer_put(&response->body, buffer_bytes(&flaw));
    buffer_put_char(&response->body, '\n');
    buffer_done(&flaw);
}

void web_code_page(const struct web_asked *asked, struct web_response *response)
{
    struct buffer title = buffer_with_most(4096);
    struct page page;

    if (!page_find(asked->rest, &page)) {
        say_unknown(asked, response);
        return;
    }
    page_put_name(&title, &page);
    buffer_put_text(&title, ": ");
    buffer_put_text(&title, page.words->headline);
    response->status = 200;
    response->type = "text/html; charset=utf-8";
    web_put_head(&response->body, lang_english(), buffer_bytes(&title));
    page_put_article(&response->body, &page, "/codes/");
    web_put_foot(&response->body, lang_english());
    buffer_done(&title);
}

void web_code_list(const struct web_asked *asked, struct web_response *response)
{
    response->status = 200;
    response->type = "text/html; charset=utf-8";
    web_put_head(&response->body, lang_english(),
                 lang_text(lang_english(), LANG_PAGE_CODES));
    page_list_article(&response->body, "/codes/");
    web_put_foot(&response->body, lang_english());
}

void web_code_json(const struct web_asked *asked, struct web_response *response)
{
    struct json json = json_to(&response->body);
    struct page page;

    if (!page_find(asked->rest, &page)) {
        say_unknown(asked, response);
        return;
    }
    response->status = 200;
    response->type = "application/json";
    page_put_json(&json, &page);
    json_line_end(&json);
}

void web_code_list_json(const struct web_asked *asked, struct web_response *response)
{
    response->status = 200;
    response->type = "application/x-ndjson";
    page_list_json(&response->body);
}
