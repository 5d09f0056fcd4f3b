/* SPDX-License-Identifier: ISC */
#include "dns/provider.h"

#include "dns/provider.def"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void names_say_who_runs_a_host(void **state)
{
    static const struct { const char *host, *name; } rows[] = {
        { "aspmx.l.google.com", "Google" }, { "ASPMX2.GoogleMail.com.", "Google" },
        { "example-com.mail.protection.outlook.com", "Microsoft" },
        { "mx-aol.mail.gm0.yahoodns.net", "Yahoo" }, { "mx01.mail.icloud.com", "Apple" },
        { "cluster8.eu.messagelabs.com", "Symantec Email Security (Broadcom)" },
        { "mx00.kundenserver.de", "IONOS" }, { "google.com", "Google" },
        /* below somebody else's domain, or beside */
        { "aspmx.l.google.com.example.org", "" }, { "notgoogle.com", "" }, { "com", "" },
        { "mx.example.org", "" }, { "", "" }, { ".", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(provider_of(bytes_of(rows[i].host)), rows[i].name);
}

/* Each row is found, in lower case, and none hides behind another. */
static void each_row_is_reached(void **state)
{
    static const struct { const char *domain, *name; } rows[] = {
#define P(domain, name) { domain, name },
        PROVIDER_LIST(P)
#undef P
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char host[300] = "mx.";
        strncat(host, rows[i].domain, sizeof(host) - 4);
        assert_string_equal(provider_of(bytes_of(host)), rows[i].name);
        for (const char *at = rows[i].domain; *at != '\0'; at++)
            assert_true(*at == '.' || *at == '-' || (*at >= '0' && *at <= '9')
                        || (*at >= 'a' && *at <= 'z'));
        for (size_t before = 0; before < i; before++)
            assert_string_not_equal(rows[i].domain, rows[before].domain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_say_who_runs_a_host),
                                       cmocka_unit_test(each_row_is_reached) };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
