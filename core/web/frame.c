/* SPDX-License-Identifier: ISC */
#include "web/frame.h"

#include "base/html.h"
#include "bounce/page.h"

const char web_script[] =
    "const f=document.getElementById(\"explain\"),i=document.getElementById(\"file\");"
    "addEventListener(\"dragover\",e=>{e.preventDefault();f.classList.add(\"over\")});"
    "addEventListener(\"dragleave\",()=>f.classList.remove(\"over\"));"
    "addEventListener(\"drop\",e=>{e.preventDefault();f.classList.remove(\"over\");"
    "const d=e.dataTransfer,t=d.getData(\"text\");"
    "if(d.files.length){i.files=d.files;f.submit()}"
    "else if(t){f.elements.text.value=t;f.submit()}});";

static const char frame_css[] =
    ".site{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;align-items:baseline;max-width:44rem;"
    "margin:0 auto;padding:.8rem 1rem 0}"
    ".site strong{font-size:1.05rem}.site ul{margin:0;padding:0}"
    "h1{font-size:1.6rem;line-height:1.25}"
    "form{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
    "padding:1rem 1.25rem}"
    "form.over{outline:.2rem dashed var(--link)}"
    "label{display:block}"
    "textarea{box-sizing:border-box;width:100%;margin:.5rem 0;padding:.5rem;border-radius:.4rem;"
    "border:1px solid var(--soft);background:var(--bg);color:var(--fg);"
    "font:.9rem/1.4 ui-monospace,monospace}"
    "input[type=file]{max-width:100%;margin:.3rem 0 1rem;color:var(--fg)}"
    "button{font:inherit;font-weight:600;padding:.55rem 1.4rem;border:0;border-radius:.4rem;"
    "background:var(--link);color:var(--bg);cursor:pointer}"
    ".page{--paper:var(--card);border:1px solid var(--line);border-radius:.6rem}"
    ".soft{color:var(--soft)}"
    "footer{max-width:44rem;margin:0 auto;padding:0 1rem 1.5rem;color:var(--soft)}"
    "footer ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0}"
    ":focus-visible{outline:.15rem solid var(--link);outline-offset:.15rem}";

const struct lang *web_lang(const struct web_asked *asked, bool *ret_chosen)
{
    struct buffer wanted = buffer_with_most(64);
    const struct lang *lang = NULL;

    if (web_read_field(asked->query, BYTES("lang"), &wanted))
        lang = lang_find(buffer_bytes(&wanted));
    buffer_done(&wanted);
    *ret_chosen = lang != NULL;
    if (lang == NULL)
        lang = lang_of_list(asked->request->accept_language);
    return lang != NULL ? lang : lang_english();
}

void web_put_head(struct buffer *to, const struct lang *lang, struct bytes title)
{
    buffer_put_text(to, "<!doctype html>\n<html lang=\"");
    html_put(to, bytes_of(lang->code));
    buffer_put_text(to, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                        "<title>");
    html_put(to, title);
    buffer_put_text(to, " \xe2\x80\x93 Postern</title>\n<link rel=\"icon\" href=\"data:,\">\n"
                        "<style>");
    buffer_put_text(to, page_style);
    buffer_put_text(to, card_css);
    buffer_put_text(to, frame_css);
    buffer_put_text(to, "</style>\n</head>\n<body>\n<header class=\"site\">"
                        "<strong><a href=\"/\">Postern</a></strong> <a href=\"/codes\">");
    html_put(to, lang_text(lang, LANG_PAGE_CODES));
    buffer_put_text(to, "</a></header>\n<main>\n");
}

void web_put_foot(struct buffer *to, const struct lang *lang)
{
    buffer_put_text(to, "</main>\n<footer><nav><ul>\n");
    for (size_t i = 0; lang_at(i) != NULL; i++) {
        const struct lang *other = lang_at(i);
        buffer_put_text(to, "<li><a lang=\"");
        buffer_put_text(to, other->code);
        buffer_put_text(to, "\" hreflang=\"");
        buffer_put_text(to, other->code);
        buffer_put_text(to, "\" href=\"/?lang=");
        buffer_put_text(to, other->code);
        buffer_put_text(to, other == lang ? "\" aria-current=\"true\">" : "\">");
        html_put(to, lang_text(other, LANG_NAME));
        buffer_put_text(to, "</a></li>\n");
    }
    buffer_put_text(to, "</ul></nav></footer>\n</body>\n</html>\n");
}
