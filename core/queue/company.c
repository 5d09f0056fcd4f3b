/* SPDX-License-Identifier: ISC */
#include "queue/company_int.h"

static void count_to(struct company *company, uint64_t now_ms)
{
    if (now_ms == company->tick_ms)
        return;
    company->before_n = now_ms == company->tick_ms + 1 ? company->now_n : 0;
    company->now_n = 0;
    company->tick_ms = now_ms;
}

void company_came(struct company *company, uint64_t now_ms)
{
    count_to(company, now_ms);
    company->now_n++;
}

bool company_waits(struct company *company, size_t n, uint64_t now_ms)
{
    count_to(company, now_ms);
    if (n >= COMPANY_ENOUGH || company->last_n <= COMPANY_SMALL
        || company->now_n + company->before_n < COMPANY_THICK
        || (company->until_ms != 0 && now_ms >= company->until_ms)) {
        company->until_ms = 0;
        return false;
    }
    if (company->until_ms == 0)
        company->until_ms = now_ms + 1;
    return true;
}

void company_went(struct company *company, size_t n)
{
    company->until_ms = 0;
    company->last_n = n;
}
