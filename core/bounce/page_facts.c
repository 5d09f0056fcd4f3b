/* SPDX-License-Identifier: ISC
 *
 * What a page shows beside its words.
 */
#include "bounce/page_int.h"
#include "bounce/page_private.def"

const char *page_outcome(enum page_class class)
{
    static const char *const outcomes[PAGE_CLASSES] = {
        [PAGE_TEMPORARY] = "not delivered yet", [PAGE_PERMANENT] = "not delivered",
        [PAGE_SUCCESS] = "reported as a success",
    };

    return outcomes[class];
}

const char *page_class_name(enum page_class class)
{
    static const char *const names[PAGE_CLASSES] = {
        [PAGE_TEMPORARY] = "temporary", [PAGE_PERMANENT] = "permanent",
        [PAGE_SUCCESS] = "success",
    };

    return names[class];
}

const char *page_class_title(enum page_class class)
{
    static const char *const titles[PAGE_CLASSES] = {
        [PAGE_TEMPORARY] = "Temporary", [PAGE_PERMANENT] = "Permanent",
        [PAGE_SUCCESS] = "Success",
    };

    return titles[class];
}

/* RFC 3886, 3.3.4: 2.1.9 always goes with "relayed". */
const char *page_action(const struct page *page, enum page_class class)
{
    static const char *const actions[PAGE_CLASSES] = {
        [PAGE_TEMPORARY] = "delayed", [PAGE_PERMANENT] = "failed", [PAGE_SUCCESS] = "delivered",
    };
    bool relayed = class == PAGE_SUCCESS && page->entry != NULL
        && page->entry == status_find(status_of(2, STATUS_RELAYED_NO_TRACKING));

    return relayed ? "relayed" : actions[class];
}

const char page_action_note[] =
    "With Action: failed in the same report, the server has given up and tries no more.";

bool page_class_only(const struct page *page, enum page_class *ret_class)
{
    if (page->code.class == 0)
        return false;
    *ret_class = page_class_of(page->code.class);
    return true;
}

bool page_has(const struct page *page, enum page_class class)
{
    return (page->code.class == 0 || page_class_of(page->code.class) == class)
        && page->words->sense[class].reason != NULL;
}

bool page_sibling(const struct page *page, enum page_class class, struct page *ret_page)
{
    if (page->kind == PAGE_CLASS || page->kind == PAGE_BASIC)
        return false;
    *ret_page = *page;
    ret_page->code.class = page_class_digit(class);
    return true;
}

const char *page_verified(const struct page *page)
{
    enum page_class only;

    return page_class_only(page, &only) ? page->words->sense[only].verified : NULL;
}

const char *page_retried(const struct page *page, enum page_class class)
{
    const char *retried = page->words->sense[class].retried;

    return retried != NULL ? retried : "No: nothing failed, so there is nothing to try again.";
}

/* "550 no such user" and 5.1.1: "550 5.1.1 no such user". */
void page_put_example(struct buffer *to, const struct page *page, enum page_class class)
{
    const char *example = page->words->sense[class].example;

    if (example == NULL || page->kind == PAGE_BASIC) {
        buffer_put_text(to, example == NULL ? "" : example);
        return;
    }
    struct bytes text = bytes_of(example);
    struct page full = *page;
    full.code.class = page_class_digit(class);
    buffer_put(to, bytes_first(text, 4));
    if (page->kind == PAGE_STATUS) {
        page_put_name(to, &full);
        buffer_put_char(to, ' ');
    }
    buffer_put(to, bytes_skip(text, 4));
}

const char *page_unregistered(const struct page *page)
{
    if (page->registered)
        return "";
    if (page->kind == PAGE_BASIC)
        return "Nobody has defined this number. By RFC 5321, 4.2.1, its first digit alone decides;"
               " what the server wrote behind it tells more.";
    if (page_words_of_subject(page->code.subject) == NULL)
        return "Nobody has registered this code, nor its second number. By RFC 3463, 2, its first"
               " number still counts; what the server wrote behind it tells more.";
    return "Nobody has registered this code. By RFC 3463, 2, it is read by its first two numbers;"
           " the third is the server's own, and what it wrote behind it tells more.";
}

#define ROW(class, subject, first, last, provider, text) \
    { (class), (subject), (first), (last), provider, text },
static const struct {
    uint16_t class, subject, first, last;
    const char *provider, *text;
} privates[] = { PRIVATE_LIST(ROW) };
#undef ROW

bool page_elsewhere(const struct page *page, const char **ret_provider, const char **ret_text)
{
    for (size_t i = 0; page->kind == PAGE_STATUS && i < COUNT(privates); i++) {
        if ((privates[i].class != 0 && page->code.class != 0
             && privates[i].class != page->code.class)
            || privates[i].subject != page->code.subject || page->code.detail < privates[i].first
            || page->code.detail > privates[i].last)
            continue;
        *ret_provider = privates[i].provider;
        *ret_text = privates[i].text;
        return true;
    }
    return false;
}

bool page_failed(const struct page *page)
{
    return page->kind == PAGE_BASIC || page->code.class != 2;
}

bool page_mendable(const struct page *page)
{
    return page->code.class != 2 && page->words->category != CAUSE_DELIVERED;
}

const char *page_who(const struct page *page)
{
    static const char *const names[CAUSE_WHOS] = {
        [CAUSE_WHO_NOBODY] = "nobody in particular", [CAUSE_WHO_SENDER] = "the sender",
        [CAUSE_WHO_SENDER_ADMIN] = "whoever runs the sender's mail",
        [CAUSE_WHO_RECIPIENT] = "the recipient",
        [CAUSE_WHO_RECIPIENT_ADMIN] = "whoever runs the recipient's mail",
        [CAUSE_WHO_ANYONE] = "either side, as the server's words tell",
    };

    return names[page->words->who];
}

const char *page_fix_heading(const struct page *page)
{
    return page->code.class == 2 ? "What to do" : "How to fix it";
}

/* ---- what the standard says */

static const char *class_label(uint8_t class)
{
    return class == 2 ? "2.X.X" : class == 4 ? "4.X.X" : "5.X.X";
}

static const char *subject_label(uint16_t subject)
{
    static const char *const labels[] = {
        "X.0.X", "X.1.X", "X.2.X", "X.3.X", "X.4.X", "X.5.X", "X.6.X", "X.7.X",
    };

    return labels[subject];
}

size_t page_official(const struct page *page, struct page_official ret[static PAGE_OFFICIAL_MOST])
{
    const struct page_words *subject = page_words_of_subject(page->code.subject);
    const struct page_words *class = page_words_of_class(page->code.class);
    bool enhanced = page->kind == PAGE_STATUS || page->kind == PAGE_SUBJECT;
    size_t n = 0;

    if (page->reply != NULL)
        ret[n++] = (struct page_official){ "", page->words->official, page->reply->reference };
    if (page->entry != NULL)
        ret[n++] = (struct page_official){ "", page->words->official, page->entry->reference };
    if (enhanced && subject != NULL)
        ret[n++] = (struct page_official){ subject_label(page->code.subject), subject->official,
                                           status_subject_reference(page->code.subject) };
    if (class != NULL && (page->kind != PAGE_BASIC || !page->registered))
        ret[n++] = (struct page_official){ class_label(page->code.class), class->official,
                                           status_class_reference(page->code.class) };
    return n;
}

/* ---- its neighbours */

static bool before(const struct page *a, const struct page *b)
{
    if (a->kind == PAGE_BASIC)
        return a->basic < b->basic;
    if (a->kind == PAGE_CLASS)
        return a->code.class < b->code.class;
    return a->code.subject != b->code.subject ? a->code.subject < b->code.subject
                                              : a->code.detail < b->code.detail;
}

static bool comparable(const struct page *page, const struct page *other)
{
    return page->kind == other->kind
        && (page->kind == PAGE_CLASS || page->kind == PAGE_BASIC
            || page->code.class == other->code.class)
        && (page->kind != PAGE_STATUS || page->code.subject == other->code.subject);
}

size_t page_neighbours(const struct page *page, struct page ret[static PAGE_NEIGHBOURS])
{
    struct page other;
    size_t n = 0, after = 0;

    for (size_t i = 0; after < PAGE_NEIGHBOURS / 2 && page_at(i, &other); i++) {
        if (!comparable(page, &other))
            continue;
        if (before(page, &other)) {
            ret[n++] = other;
            after++;
        } else if (before(&other, page)) {
            if (n == PAGE_NEIGHBOURS / 2)
                ret[0] = ret[1];
            n = n == PAGE_NEIGHBOURS / 2 ? n : n + 1;
            ret[n - 1] = other;
        }
    }
    return n;
}

/* ---- what it goes with */

static bool basic_of_class(const struct basic_entry *basic, uint8_t class)
{
    return class == 0 || (basic->code / 100 == 3 ? 2 : basic->code / 100) == class;
}

static bool basic_that_goes_with(const struct page *page, size_t i, struct page *ret_page)
{
    const struct basic_entry *basic;

    for (size_t row = 0; (basic = basic_entry_at(row)) != NULL; row++) {
        if (status_goes_with(page->entry, basic->code) && basic_of_class(basic, page->code.class)
            && i-- == 0)
            return page_of_basic(basic->code, ret_page);
    }
    return false;
}

static bool status_that_goes_with(const struct page *page, size_t i, struct page *ret_page)
{
    const struct status_entry *entry;

    for (size_t row = 0; (entry = status_entry_at(row)) != NULL; row++) {
        if (!status_goes_with(entry, page->basic) || i-- > 0)
            continue;
        *ret_page = page_of(STATUS(page->code.class, entry->subject, entry->detail));
        return true;
    }
    return false;
}

bool page_goes_with(const struct page *page, size_t i, struct page *ret_page)
{
    if (page->entry != NULL)
        return basic_that_goes_with(page, i, ret_page);
    return page->reply != NULL && status_that_goes_with(page, i, ret_page);
}

/* ---- its name */

void page_put_name(struct buffer *to, const struct page *page)
{
    if (page->kind == PAGE_BASIC) {
        buffer_put_uint(to, page->basic);
        return;
    }
    buffer_put_char(to, page->code.class == 0 ? 'X' : (char)('0' + page->code.class));
    buffer_put_char(to, '.');
    if (page->kind == PAGE_CLASS)
        buffer_put(to, BYTES("X.X"));
    else
        buffer_put_uint(to, page->code.subject);
    if (page->kind == PAGE_SUBJECT)
        buffer_put(to, BYTES(".X"));
    if (page->kind == PAGE_STATUS) {
        buffer_put_char(to, '.');
        buffer_put_uint(to, page->code.detail);
    }
}

void page_put_title(struct buffer *to, const struct page *page)
{
    enum page_class class;

    buffer_put_text(to, page->words->headline);
    if (!page_class_only(page, &class) || page->kind == PAGE_CLASS || page->basic / 100 == 3
        || (page->kind == PAGE_BASIC && class == PAGE_SUCCESS))
        return;
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, page_outcome(class));
}
