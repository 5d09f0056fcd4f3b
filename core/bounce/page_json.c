/* SPDX-License-Identifier: ISC
 *
 * A page as JSON. Names and meanings are told in man/postern-code.1.
 */
#include "bounce/page_int.h"

static void put_text(struct json *json, const char *key, const char *text)
{
    if (text != NULL) {
        json_put_text(json, key, bytes_of(text));
    } else {
        json_key(json, key);
        json_put_null(json);
    }
}

static void put_name(struct json *json, const char *key, const struct page *page)
{
    struct buffer name = buffer_with_most(16);

    page_put_name(&name, page);
    json_put_text(json, key, buffer_bytes(&name));
    buffer_done(&name);
}

static void put_sense(struct json *json, const struct page *page, enum page_class class)
{
    const struct page_sense *sense = &page->words->sense[class];
    struct buffer example = buffer_with_most(1024);
    struct page full = *page;

    full.code.class = page_class_digit(class);
    json_put_object(json);
    put_name(json, "code", &full);
    put_text(json, "outcome", page->basic / 100 == 3 ? NULL : page_outcome(class));
    put_text(json, "reason", sense->reason);
    put_text(json, "fix_sender", sense->sender);
    put_text(json, "retried", page_retried(page, class));
    if (sense->verified != NULL)
        put_text(json, "verified", sense->verified);
    page_put_example(&example, page, class);
    json_key(json, "example");
    if (example.n > 0)
        json_text(json, buffer_bytes(&example));
    else
        json_put_null(json);
    json_put_object_end(json);
    buffer_done(&example);
}

static void put_official(struct json *json, const struct page *page)
{
    struct page_official official[PAGE_OFFICIAL_MOST];
    size_t n = page_official(page, official);

    json_key(json, "official");
    json_put_array(json);
    for (size_t i = 0; i < n; i++) {
        json_put_object(json);
        if (official[i].about[0] != '\0')
            put_text(json, "about", official[i].about);
        else
            put_name(json, "about", page);
        put_text(json, "text", official[i].text);
        put_text(json, "reference", official[i].reference[0] != '\0' ? official[i].reference
                                                                    : NULL);
        json_put_object_end(json);
    }
    json_put_array_end(json);
}

static void put_others(struct json *json, const struct page *page)
{
    struct page near[PAGE_NEIGHBOURS], other;
    size_t n = page_neighbours(page, near);

    json_key(json, "goes_with");
    json_put_array(json);
    for (size_t i = 0; page_goes_with(page, i, &other); i++) {
        struct buffer name = buffer_with_most(16);
        page_put_name(&name, &other);
        json_text(json, buffer_bytes(&name));
        buffer_done(&name);
    }
    json_put_array_end(json);
    json_key(json, "neighbours");
    json_put_array(json);
    for (size_t i = 0; i < n; i++) {
        json_put_object(json);
        put_name(json, "code", &near[i]);
        put_text(json, "headline", near[i].words->headline);
        json_put_object_end(json);
    }
    json_put_array_end(json);
}

static void put_elsewhere(struct json *json, const struct page *page)
{
    const char *provider, *text;

    json_key(json, "elsewhere");
    if (!page_elsewhere(page, &provider, &text)) {
        json_put_null(json);
        return;
    }
    json_put_object(json);
    put_text(json, "provider", provider);
    put_text(json, "text", text);
    json_put_object_end(json);
}

void page_put_json(struct json *json, const struct page *page)
{
    static const char *const kinds[PAGE_KINDS] = {
        [PAGE_STATUS] = "status", [PAGE_SUBJECT] = "subject", [PAGE_CLASS] = "class",
        [PAGE_BASIC] = "basic",
    };

    json_put_object(json);
    json_put_uint(json, "version", 1);
    put_name(json, "code", page);
    put_text(json, "kind", kinds[page->kind]);
    json_put_bool(json, "registered", page->registered);
    put_text(json, "note", page->registered ? NULL : page_unregistered(page));
    put_elsewhere(json, page);
    put_text(json, "name", page->entry != NULL ? page->entry->title : NULL);
    put_text(json, "headline", page->words->headline);
    put_text(json, "category", page_mendable(page)
                               ? cause_category_name(page->words->category) : NULL);
    put_text(json, "who", page_mendable(page) ? cause_who_name(page->words->who) : NULL);
    json_key(json, "meanings");
    json_put_array(json);
    for (enum page_class class = 0; class < PAGE_CLASSES; class++) {
        if (page_has(page, class))
            put_sense(json, page, class);
    }
    json_put_array_end(json);
    put_text(json, "fix_sender_admin", page_failed(page) ? page->words->admin : NULL);
    put_text(json, "fix_recipient", page_failed(page) ? page->words->recipient : NULL);
    put_official(json, page);
    put_others(json, page);
    json_put_object_end(json);
}

void page_list_json(struct buffer *to)
{
    struct json json = json_to(to);
    struct page page;

    for (size_t i = 0; page_at(i, &page); i++) {
        page_put_json(&json, &page);
        json_line_end(&json);
    }
}
