/* SPDX-License-Identifier: ISC
 *
 * The page where one pastes or drops what came back, and POST /v1/explain.
 */
#include "base/html.h"
#include "bounce/explain.h"
#include "web/form.h"
#include "web/frame.h"

enum { MESSAGES_MOST = 1000, SHOWN_MOST = 50 };

/* What was sent to be explained: a field of a form, or the body itself, which some clients call a
   form though it has no fields. */
static struct bytes text_of(const struct web_request *request, struct buffer *room)
{
    struct bytes text;

    if (!form_is(request->content_type))
        return request->body;
    if (form_field(request->content_type, request->body, BYTES("file"), room, &text) && text.n > 0)
        return text;
    if (form_field(request->content_type, request->body, BYTES("text"), room, &text))
        return text;
    return bytes_begins_nocase(request->content_type, BYTES("multipart/")) ? BYTES_NONE
                                                                             : request->body;
}

struct explaining {
    const struct web_asked *asked;
    struct bounce_reader *reader;
    enum explain_form form;
    const char *codes;
    size_t most, explained;
};

/* The words are the reader's who chose a language, by ?lang= or in the browser; else the report's.
   */
static void explain_one(struct explaining *run, struct bytes text, struct buffer *to)
{
    struct card_style style = { .now = (int64_t)(run->asked->facts->wall_ms / 1000),
                                .codes = run->codes };
    struct bounce_report report;
    bool chosen;

    explain_read(run->reader, text, &report);
    style.lang = web_lang(run->asked, &chosen);
    if (!chosen)
        style.lang = card_lang(run->asked->request->accept_language, &report);
    explain_put(to, &report, run->form, &style, BYTES_NONE, (unsigned)run->explained++);
    if (run->form == EXPLAIN_JSON || (run->form == EXPLAIN_TEXT && run->most > 1))
        buffer_put_char(to, '\n');
}

static void explain_text(struct explaining *run, struct bytes text, struct buffer *to)
{
    struct bytes message;

    if (bounce_input_of(text) != INPUT_MBOX) {
        explain_one(run, text, to);
        return;
    }
    while (run->explained < run->most && !to->bad && bounce_mbox_next(&text, &message))
        explain_one(run, message, to);
}

/* False: there is no memory. */
static bool explain_into(struct explaining *run, struct bytes text, struct buffer *to)
{
    struct rules *rules = rules_builtin();

    run->reader = rules == NULL ? NULL : bounce_reader_new(rules);
    bool well = run->reader != NULL;
    if (well)
        explain_text(run, text, to);
    bounce_reader_free(run->reader);
    rules_free(rules);
    return well;
}

/* ---- the page */

static void put_said(struct buffer *to, const char *open, const struct lang *lang,
                     enum lang_text text, const char *close)
{
    buffer_put_text(to, open);
    html_put(to, lang_text(lang, text));
    buffer_put_text(to, close);
}

static void put_form(struct buffer *to, const struct lang *lang, bool chosen)
{
    buffer_put_text(to, "<form id=\"explain\" method=\"post\" action=\"/");
    buffer_put_text(to, chosen ? "?lang=" : "");
    buffer_put_text(to, chosen ? lang->code : "");
    put_said(to, "\" enctype=\"multipart/form-data\">\n<label for=\"text\">", lang,
             LANG_PAGE_PASTE, "</label>\n<textarea id=\"text\" name=\"text\" rows=\"10\""
             " spellcheck=\"false\" autocomplete=\"off\" dir=\"auto\"></textarea>\n");
    put_said(to, "<label for=\"file\">", lang, LANG_PAGE_FILE,
             "</label>\n<input id=\"file\" name=\"file\" type=\"file\">\n");
    put_said(to, "<p><button>", lang, LANG_PAGE_EXPLAIN, "</button></p>\n");
    put_said(to, "<p class=\"soft\">", lang, LANG_PAGE_PRIVATE, "</p>\n</form>\n");
    buffer_put_text(to, "<script>");
    buffer_put_text(to, web_script);
    buffer_put_text(to, "</script>\n");
}

void web_front_page(const struct web_asked *asked, struct web_response *response)
{
    struct explaining run = { .asked = asked, .form = EXPLAIN_HTML, .codes = "/codes/",
                              .most = SHOWN_MOST };
    struct buffer room = buffer_with_most(WEB_BODY_MOST), *to = &response->body;
    struct bytes text = text_of(asked->request, &room);
    bool chosen;
    const struct lang *lang = web_lang(asked, &chosen);

    response->status = 200;
    response->type = "text/html; charset=utf-8";
    web_put_head(to, lang, lang_text(lang, LANG_PAGE_TITLE));
    put_said(to, "<h1>", lang, LANG_PAGE_TITLE, "</h1>\n");
    if (text.n > 0) {
        to->bad = !explain_into(&run, text, to) || to->bad;
        put_said(to, "<h2>", lang, LANG_PAGE_AGAIN, "</h2>\n");
    }
    put_form(to, lang, chosen);
    web_put_foot(to, lang);
    buffer_done(&room);
}

/* ---- the interface for programs */

/* ?format=, else what the client would rather have; JSON when it does not say. */
static enum explain_form form_of(const struct web_asked *asked)
{
    struct buffer wanted = buffer_with_most(16);
    struct bytes accept = asked->request->accept, said = BYTES_NONE;

    if (web_read_field(asked->query, BYTES("format"), &wanted))
        said = buffer_bytes(&wanted);
    else if (bytes_begins_nocase(accept, BYTES("text/")))
        said = bytes_upto(bytes_upto(bytes_skip(accept, 5), ','), ';');
    enum explain_form form = bytes_equal_nocase(said, BYTES("html")) ? EXPLAIN_HTML
        : bytes_equal_nocase(said, BYTES("text")) || bytes_equal_nocase(said, BYTES("plain"))
        ? EXPLAIN_TEXT : EXPLAIN_JSON;
    buffer_done(&wanted);
    return form;
}

static const char *type_of(enum explain_form form, size_t explained)
{
    switch (form) {
    case EXPLAIN_TEXT: return "text/plain; charset=utf-8";
    case EXPLAIN_HTML: return "text/html; charset=utf-8";
    case EXPLAIN_JSON:
    case EXPLAIN_FORMS: break;
    }
    return explained > 1 ? "application/x-ndjson" : "application/json";
}

void web_explain(const struct web_asked *asked, struct web_response *response)
{
    struct explaining run = { .asked = asked, .form = form_of(asked), .most = MESSAGES_MOST };
    struct buffer room = buffer_with_most(WEB_BODY_MOST), *to = &response->body;
    struct bytes text = text_of(asked->request, &room);
    bool chosen;
    const struct lang *lang = web_lang(asked, &chosen);

    if (text.n == 0) {
        web_say(response, 400, "Send what came back as the body, or as the field text of a form."
                               "\n");
        buffer_done(&room);
        return;
    }
    if (run.form == EXPLAIN_HTML)
        card_put_html_begin(to, lang, lang_text(lang, LANG_PAGE_TITLE));
    to->bad = !explain_into(&run, text, to) || to->bad;
    if (run.form == EXPLAIN_HTML)
        card_put_html_end(to);
    response->status = 200;
    response->type = type_of(run.form, run.explained);
    buffer_done(&room);
}
