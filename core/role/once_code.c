/* SPDX-License-Identifier: ISC
 *
 * postern code: the page of a code, or all there are.
 */
#include "role/once_int.h"

#include "base/safe.h"
#include "bounce/page.h"

static const char help[] =
    "usage: postern code [--json | --html] CODE ...\n"
    "       postern code --list [--json | --html]\n"
    "\n"
    "Tells what a code of mail means, who can do what about it, whether the message is tried\n"
    "again, and what the standard says.\n"
    "\n"
    "  CODE     as it stands in a report: 5.7.1, or 550; X.7.1 for all its classes; 5.7 or 5\n"
    "           for its first numbers alone\n"
    "  --list   all codes, with the class left open\n"
    "  --json   one JSON object a line; with --list, every page there is\n"
    "  --html   one HTML document, for one code\n";

enum form { FORM_TEXT, FORM_JSON, FORM_HTML };

struct request {
    enum form form;
    bool list, help;
};

static enum once_exit refuse(struct buffer *to, const char *what, struct bytes word)
{
    if (word.n > 0) {
        once_refuse(to, what, word, "; see --help");
        return ONCE_USAGE;
    }
    buffer_put_text(to, what);
    buffer_put(to, BYTES("; see --help\n"));
    return ONCE_USAGE;
}

static bool take_option(struct bytes word, struct request *request)
{
    if (bytes_equal(word, BYTES("--json")))
        request->form = FORM_JSON;
    else if (bytes_equal(word, BYTES("--html")))
        request->form = FORM_HTML;
    else if (bytes_equal(word, BYTES("--list")))
        request->list = true;
    else if (bytes_equal(word, BYTES("--help")) || bytes_equal(word, BYTES("-h")))
        request->help = true;
    else
        return false;
    return true;
}

static void put_list(enum form form, bool colour, struct buffer *to)
{
    switch (form) {
    case FORM_TEXT:
        page_list_text(to, colour);
        break;
    case FORM_JSON:
        page_list_json(to);
        break;
    case FORM_HTML:
        page_list_html(to);
        break;
    }
}

static void put_page(enum form form, const struct page *page, bool colour, struct buffer *to)
{
    struct json json = json_to(to);

    switch (form) {
    case FORM_TEXT:
        buffer_put_text(to, to->n > 0 ? "\n\n" : "");
        page_put_text(to, page, colour);
        break;
    case FORM_JSON:
        page_put_json(&json, page);
        json_line_end(&json);
        break;
    case FORM_HTML:
        page_put_html(to, page);
        break;
    }
}

/* Each word that is no option; what is no code is named, the others are told all the same. */
static enum once_exit put_pages(const struct request *request, const struct bytes *words, size_t n,
                                bool colour, struct buffer *to, struct buffer *reterr_words)
{
    enum once_exit status = ONCE_WELL;
    struct page page;

    for (size_t i = 1; i < n; i++) {
        if (bytes_begins(words[i], BYTES("-")))
            continue;
        if (page_find(words[i], &page)) {
            put_page(request->form, &page, colour, to);
            continue;
        }
        page_put_flaw(reterr_words, words[i]);
        buffer_put_char(reterr_words, '\n');
        status = ONCE_USAGE;
    }
    return status;
}

enum once_exit once_code(const struct bytes *words, size_t n, bool colour, struct buffer *to,
                         struct buffer *reterr_words)
{
    struct request request = { .form = FORM_TEXT };
    size_t codes = 0;

    for (size_t i = 1; i < n; i++) {
        bool dashed = bytes_begins(words[i], BYTES("-"));
        if (dashed && !take_option(words[i], &request))
            return refuse(reterr_words, "there is no option", words[i]);
        codes += !dashed;
    }
    if (request.help)
        buffer_put_text(to, help);
    else if (request.list && codes > 0)
        return refuse(reterr_words, "--list tells all codes and wants none", BYTES_NONE);
    else if (request.list)
        put_list(request.form, colour, to);
    else if (codes == 0)
        return refuse(reterr_words, "say a code, such as 5.7.1 or 550, or --list", BYTES_NONE);
    else if (codes > 1 && request.form == FORM_HTML)
        return refuse(reterr_words, "a document tells one code: with --html say one", BYTES_NONE);
    else
        return put_pages(&request, words, n, colour, to, reterr_words);
    return ONCE_WELL;
}
