/* SPDX-License-Identifier: ISC */
#include "role/once_explain.h"

#include "base/safe.h"
#include "mail/width.h"
#include "role/once_int.h"

const char once_explain_help[] =
    "usage: postern explain [--json | --html | --text] [--lang LANG] [--summary]\n"
    "                       [--rules FILE] [FILE | FOLDER | TEXT ...]\n"
    "\n"
    "Tells in plain words what became of a message: what happened, who must act, what to do,\n"
    "and whether it is still tried. Reads standard input when nothing is named.\n"
    "\n"
    "  FILE          a message, an mbox, a log, or a text with the answer of a server\n"
    "  FOLDER        all files in it and below; a Maildir too\n"
    "  TEXT          what a server answered, a line of a log, or a code:\n"
    "                postern explain '550 5.1.1 User unknown'\n"
    "  --json        one JSON object a line (see doc/explain-json.md)\n"
    "  --html        one HTML document\n"
    "  --text        as text, also when that is not a terminal; so without any of these\n"
    "  --lang LANG   in this language: en de fr es pt it nl pl ru ja zh\n"
    "  --summary     only how many messages had which cause\n"
    "  --rules FILE  rules of your own beside those of the program\n";

/* ---- words */

/* An option without a value. */
static bool take_flag(struct bytes word, struct once_explain_request *request)
{
    if (bytes_equal(word, BYTES("--json")))
        request->form = EXPLAIN_JSON;
    else if (bytes_equal(word, BYTES("--html")))
        request->form = EXPLAIN_HTML;
    else if (bytes_equal(word, BYTES("--text")))
        request->form = EXPLAIN_TEXT;
    else if (bytes_equal(word, BYTES("--summary")))
        request->summary = true;
    else if (bytes_equal(word, BYTES("--help")) || bytes_equal(word, BYTES("-h")))
        request->help = true;
    else
        return false;
    return true;
}

/* "--lang de" or "--lang=de": where the value is to go, and the value when it follows "=". */
static struct bytes *find_value(struct bytes word, struct once_explain_request *request,
                                struct bytes *ret_value)
{
    struct bytes name = bytes_upto(word, '=');

    *ret_value = bytes_skip(word, name.n + 1);
    if (bytes_equal(name, BYTES("--lang")))
        return &request->lang;
    return bytes_equal(name, BYTES("--rules")) ? &request->rules : NULL;
}

static bool is_option(struct bytes word)
{
    return word.n > 1 && word.at[0] == '-';
}

bool once_explain_read(struct bytes *words, size_t n, struct once_explain_request *ret_request,
                       struct buffer *reterr_words)
{
    struct once_explain_request request = { .lang = BYTES_NONE, .rules = BYTES_NONE };
    bool options = true;

    for (size_t i = 1; i < n; i++) {
        struct bytes value, *place = find_value(words[i], &request, &value);
        if (!options || !is_option(words[i])) {
            words[request.inputs++] = words[i];
        } else if (bytes_equal(words[i], BYTES("--"))) {
            options = false;
        } else if (place != NULL) {
            if (value.n == 0 && i + 1 == n)
                return once_refuse(reterr_words, "a value is missing behind", words[i],
                                   "; see --help");
            *place = value.n > 0 ? value : words[++i];
        } else if (!take_flag(words[i], &request)) {
            return once_refuse(reterr_words, "there is no option", words[i], "; see --help");
        }
    }
    if (request.lang.n > 0 && lang_find(request.lang) == NULL)
        return once_refuse(reterr_words, "there is no language", request.lang, "; see --help");
    *ret_request = request;
    return true;
}

/* ---- one report */

static void count_report(struct once_explain *explain, const struct bounce_report *report)
{
    explain->texts++;
    explain->kinds[report->kind]++;
    explain->reports += report->kind != BOUNCE_NOT_A_REPORT;
    explain->recipients += report->recipients_all;
    for (uint32_t i = 0; i < report->recipients_n; i++)
        explain->categories[report->recipients[i].cause.category]++;
}

/* "FILE", and of an mbox or a log which of its messages: "FILE:3". */
static void put_name(struct buffer *to, const struct once_explain_file *file)
{
    buffer_put(to, file->name);
    if (file->input == INPUT_MBOX || file->input == INPUT_LINE) {
        buffer_put_char(to, ':');
        buffer_put_uint(to, file->messages);
    }
}

static const struct lang *lang_for(const struct once_explain *explain,
                                   const struct bounce_report *report)
{
    const struct lang *lang = lang_find(explain->request.lang);

    return lang != NULL ? lang : card_lang(explain->setting, report);
}

static void put_report(struct once_explain *explain, const struct once_explain_file *file,
                       const struct bounce_report *report, bool many, struct buffer *to)
{
    struct card_style style = explain->style;
    struct buffer name = buffer_with_most(LIMIT_COMMAND_LINE * 2);

    style.lang = lang_for(explain, report);
    put_name(&name, file);
    if (many && explain->request.form == EXPLAIN_TEXT) {
        buffer_put_text(to, explain->reports > 1 ? "\n\n== " : "== ");
        safe_put_plain(to, buffer_bytes(&name));
        buffer_put_text(to, "\n\n");
    }
    explain_put(to, report, explain->request.form, &style, buffer_bytes(&name),
                (unsigned)explain->texts);
    if (explain->request.form == EXPLAIN_JSON)
        buffer_put_char(to, '\n');
    buffer_done(&name);
}

static void explain_one(struct once_explain *explain, struct once_explain_file *file,
                        const struct bounce_report *report, struct buffer *to)
{
    bool many = explain->many || file->input == INPUT_MBOX || file->input == INPUT_LINE;
    bool left_out = many && report->kind == BOUNCE_NOT_A_REPORT
        && explain->request.form != EXPLAIN_JSON;

    count_report(explain, report);
    if (!explain->request.summary && !left_out)
        put_report(explain, file, report, many, to);
}

/* ---- a file through the window */

static enum once_window next_of_mbox(struct once_explain *explain, struct once_explain_file *file,
                                     struct bytes window, bool full, bool whole,
                                     struct buffer *to, size_t *ret_used)
{
    struct bounce_report report;
    struct bytes message;

    switch (mbox_next(&file->mbox, window, full, whole, &message, ret_used)) {
    case MBOX_MESSAGE:
        file->messages++;
        bounce_read(explain->reader, message, &report);
        report.cut = report.cut || file->mbox.skipping;
        explain_one(explain, file, &report, to);
        return ONCE_WINDOW_DROP;
    case MBOX_DROP:
        return ONCE_WINDOW_DROP;
    case MBOX_MORE:
        return ONCE_WINDOW_MORE;
    case MBOX_END:
        break;
    }
    return ONCE_WINDOW_OVER;
}

/* A log: its lines that are about deliveries, one after the other. */
static enum once_window next_of_log(struct once_explain *explain, struct once_explain_file *file,
                                    struct bytes window, bool full, bool whole,
                                    struct buffer *to, size_t *ret_used)
{
    struct bounce_report report;
    size_t n = bytes_find(window, '\n');

    if (window.n == 0 && whole)
        return ONCE_WINDOW_OVER;
    if (n == window.n && !full && !whole)
        return ONCE_WINDOW_MORE;
    *ret_used = n < window.n ? n + 1 : n;
    file->messages++;
    if (bounce_explain_line(explain->reader, bytes_first(window, n), &report))
        explain_one(explain, file, &report, to);
    return ONCE_WINDOW_DROP;
}

static enum once_window whole_text(struct once_explain *explain, struct once_explain_file *file,
                                   struct bytes window, bool full, bool whole, struct buffer *to)
{
    struct bounce_report report;

    if (!full && !whole)
        return ONCE_WINDOW_MORE;
    file->messages++;
    explain_read(explain->reader, window, &report);
    report.cut = report.cut || !whole;
    explain_one(explain, file, &report, to);
    return ONCE_WINDOW_OVER;
}

enum once_window once_explain_window(struct once_explain *explain, struct once_explain_file *file,
                                     struct bytes window, bool full, bool whole,
                                     struct buffer *to, size_t *ret_used)
{
    enum { ENOUGH_TO_KNOW = 4096 };

    if (!file->known && !full && !whole && window.n < ENOUGH_TO_KNOW)
        return ONCE_WINDOW_MORE;
    if (!file->known)
        file->input = bounce_input_of(window);
    file->known = true;
    if (file->input == INPUT_MBOX)
        return next_of_mbox(explain, file, window, full, whole, to, ret_used);
    if (file->input == INPUT_LINE)
        return next_of_log(explain, file, window, full, whole, to, ret_used);
    return whole_text(explain, file, window, full, whole, to);
}

/* ---- the ends */

static const struct lang *own_lang(const struct once_explain *explain)
{
    static const struct bounce_report none;

    return lang_for(explain, &none);
}

void once_explain_begin(const struct once_explain *explain, struct buffer *to)
{
    const struct lang *lang = own_lang(explain);

    if (explain->request.form == EXPLAIN_HTML && !explain->request.summary)
        card_put_html_begin(to, lang, lang_text(lang, LANG_PAGE_TITLE));
}

struct row {
    uint64_t count;
    const char *name;
    struct bytes words;
};
enum { ROWS_MOST = CAUSE_COUNT + BOUNCE_KINDS };

/* The causes that were met, and what was no failure, most first. */
static size_t rows_of(const struct once_explain *explain, struct row ret_rows[static ROWS_MOST])
{
    const struct lang *lang = own_lang(explain);
    size_t n = 0;

    for (enum cause_category one = CAUSE_FIRST; one <= CAUSE_LAST; one++)
        ret_rows[n++] = (struct row){ explain->categories[one], cause_category_name(one),
                                      lang_card(lang, one, CARD_HEADLINE) };
    for (enum bounce_kind kind = BOUNCE_SUCCESS; kind < BOUNCE_KINDS; kind++)
        ret_rows[n++] = (struct row){ explain->kinds[kind], bounce_kind_name(kind),
                                      lang_text(lang, card_kind_headline(kind)) };
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && ret_rows[k].count > ret_rows[k - 1].count; k--) {
            struct row row = ret_rows[k];
            ret_rows[k] = ret_rows[k - 1];
            ret_rows[k - 1] = row;
        }
    while (n > 0 && ret_rows[n - 1].count == 0)
        n--;
    return n;
}

static void put_count(struct buffer *to, const struct lang *lang, enum lang_text label,
                      uint64_t count)
{
    buffer_put(to, lang_text(lang, label));
    buffer_put_text(to, ": ");
    lang_put_number(to, lang, count);
    buffer_put_char(to, '\n');
}

/* At the right end of a column of `width`. */
static void put_right(struct buffer *to, struct bytes text, size_t width)
{
    size_t columns = width_of(text);

    buffer_put_chars(to, ' ', columns < width ? width - columns : 0);
    buffer_put(to, text);
}

static void put_summary_text(const struct once_explain *explain, struct buffer *to)
{
    enum { COLUMN = 12 };
    const struct lang *lang = own_lang(explain);
    struct row rows[ROWS_MOST];
    size_t n = rows_of(explain, rows);

    put_count(to, lang, LANG_SUMMARY_READ, explain->texts);
    put_count(to, lang, LANG_SUMMARY_REPORTS, explain->reports);
    if (n == 0)
        return;
    buffer_put_char(to, '\n');
    put_right(to, lang_text(lang, LANG_SUMMARY_COUNT), COLUMN);
    buffer_put_text(to, "  ");
    buffer_put(to, lang_text(lang, LANG_SUMMARY_CAUSE));
    buffer_put_char(to, '\n');
    for (size_t i = 0; i < n; i++) {
        struct buffer count = buffer_with_most(64);
        lang_put_number(&count, lang, rows[i].count);
        put_right(to, buffer_bytes(&count), COLUMN);
        buffer_put_text(to, "  ");
        width_put(to, rows[i].words, COLUMN + 2, COLUMN + 2, CARD_COLUMNS, "\n");
        buffer_put_char(to, '\n');
        buffer_done(&count);
    }
}

static void put_summary_json(const struct once_explain *explain, struct buffer *to)
{
    struct row rows[ROWS_MOST];
    struct json json = json_to(to);
    size_t n = rows_of(explain, rows);

    json_put_object(&json);
    json_put_uint(&json, "version", 1);
    json_put_uint(&json, "messages", explain->texts);
    json_put_uint(&json, "reports", explain->reports);
    json_put_uint(&json, "recipients", explain->recipients);
    json_key(&json, "causes");
    json_put_object(&json);
    for (size_t i = 0; i < n; i++)
        json_put_uint(&json, rows[i].name, rows[i].count);
    json_put_object_end(&json);
    json_put_object_end(&json);
    json_line_end(&json);
}

enum once_exit once_explain_end(const struct once_explain *explain, struct buffer *to)
{
    if (explain->request.summary && explain->request.form == EXPLAIN_JSON)
        put_summary_json(explain, to);
    else if (explain->request.summary)
        put_summary_text(explain, to);
    else if (explain->request.form == EXPLAIN_HTML)
        card_put_html_end(to);
    return explain->reports > 0 ? ONCE_WELL : ONCE_FOUND_NOTHING;
}
