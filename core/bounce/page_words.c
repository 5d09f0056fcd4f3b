/* SPDX-License-Identifier: ISC */
#include "bounce/page_int.h"

struct row {
    uint16_t key;
    struct page_words words;
};

#define PAGE(NAME, ...) { STATUS_##NAME, { __VA_ARGS__ } },
static const struct row details[] = {
#include "bounce/page_0.def"
#include "bounce/page_1.def"
#include "bounce/page_2.def"
#include "bounce/page_3.def"
#include "bounce/page_4.def"
#include "bounce/page_5.def"
#include "bounce/page_6.def"
#include "bounce/page_7_0.def"
#include "bounce/page_7_10.def"
#include "bounce/page_7_20.def"
};
#undef PAGE

#define PAGE(number, ...) { number, { __VA_ARGS__ } },
static const struct row basics[] = {
#include "bounce/page_4xx.def"
#include "bounce/page_5xx.def"
};
static const struct row classes[] = {
#include "bounce/page_class.def"
};
static const struct row subjects[] = {
#include "bounce/page_subject.def"
};
#undef PAGE

static const struct page_words *find(const struct row *rows, size_t n, uint16_t key)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].key == key)
            return &rows[i].words;
    }
    return NULL;
}

const struct page_words *page_words_of_status(struct status_code code)
{
    if (status_find(code) == NULL)
        return NULL;
    return find(details, COUNT(details), (uint16_t)(code.subject << 10 | code.detail));
}

const struct page_words *page_words_of_basic(uint16_t code)
{
    return find(basics, COUNT(basics), code);
}

const struct page_words *page_words_of_class(uint8_t class)
{
    return find(classes, COUNT(classes), class);
}

const struct page_words *page_words_of_subject(uint16_t subject)
{
    return find(subjects, COUNT(subjects), subject);
}
