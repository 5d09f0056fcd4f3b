/* SPDX-License-Identifier: ISC */
#include "dns/mx.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void put_mx(struct buffer *records, unsigned preference, const char *name)
{
    struct buffer data = buffer_with_most(512);
    struct bytes rest = bytes_of(name), label;

    buffer_put_u8(&data, (uint8_t)(preference >> 8));
    buffer_put_u8(&data, (uint8_t)preference);
    while (bytes_cut(&rest, '.', &label)) {
        buffer_put_u8(&data, (uint8_t)label.n);
        buffer_put(&data, label);
    }
    buffer_put_u8(&data, 0);
    buffer_put_block(records, buffer_bytes(&data));
    buffer_done(&data);
}

static struct mx_list list_of(struct buffer *records, uint64_t chance)
{
    struct dns_answer answer = { .verdict = DNS_SECURE, .records = buffer_bytes(records) };
    struct mx_list list;

    mx_read(&answer, chance, &list);
    return list;
}

/* The order of the hosts as one text. */
static const char *order(const struct mx_list *list)
{
    static char text[MX_HOSTS_MOST * (DNS_NAME_MOST + 1)];
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        memcpy(text + n, list->hosts[i].name, list->hosts[i].n);
        n += list->hosts[i].n;
        text[n++] = ' ';
    }
    text[n == 0 ? 0 : n - 1] = '\0';
    return text;
}

static void the_best_stand_first(void **state)
{
    struct buffer records = buffer_with_most(1 << 16);

    (void)state;
    put_mx(&records, 300, "c.example");
    put_mx(&records, 10, "a.example");
    put_mx(&records, 20, "b.example");
    put_mx(&records, 5, "c.example");       /* again, and better */
    put_mx(&records, 30, "a.example");      /* again, and worse */
    struct mx_list list = list_of(&records, 1);
    assert_int_equal(list.verdict, MX_HOSTS);
    assert_true(list.secure);
    assert_string_equal(order(&list), "c.example a.example b.example");
    buffer_done(&records);
}

/* Over many numbers each of two equals stands first about half of the time. */
static void equals_take_turns(void **state)
{
    struct buffer records = buffer_with_most(1 << 16);
    unsigned first = 0;

    (void)state;
    put_mx(&records, 10, "a.example");
    put_mx(&records, 10, "b.example");
    put_mx(&records, 20, "z.example");
    for (uint64_t chance = 0; chance < 1000; chance++) {
        struct mx_list list = list_of(&records, chance), again = list_of(&records, chance);
        assert_memory_equal(&list, &again, sizeof(list));
        assert_string_equal(order(&list) + 20, "z.example");
        first += order(&list)[0] == 'a';
    }
    assert_in_range(first, 400, 600);
    buffer_done(&records);
}

/* CLI-034, DNS-011: what is no host, too many, and a null MX beside others. */
static void what_is_no_host(void **state)
{
    struct buffer records = buffer_with_most(1 << 16);
    struct mx_list list;

    (void)state;
    put_mx(&records, 0, "");
    list = list_of(&records, 1);
    assert_int_equal(list.verdict, MX_NULL);
    put_mx(&records, 10, "a.example");
    list = list_of(&records, 1);
    assert_int_equal(list.verdict, MX_HOSTS);
    assert_string_equal(order(&list), "a.example");
    buffer_clear(&records);
    put_mx(&records, 1, "*.example");
    buffer_put_block(&records, BYTES("\0"));
    list = list_of(&records, 1);
    assert_int_equal(list.verdict, MX_UNUSABLE);
    buffer_clear(&records);
    for (unsigned i = 0; i < 300; i++) {
        char name[] = "h000.example";
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        put_mx(&records, 1000 - i, name);
    }
    list = list_of(&records, 1);
    assert_int_equal(list.n, MX_HOSTS_MOST);
    assert_true(bytes_equal(mx_name(&list.hosts[0]), BYTES("h099.example")));
    buffer_done(&records);
}

static const struct { enum dns_verdict verdict; bool proved; enum mx_verdict want; } others[] = {
    { DNS_NODATA, true, MX_IMPLICIT }, { DNS_NODATA, false, MX_IMPLICIT },
    { DNS_NXDOMAIN, true, MX_NO_DOMAIN }, { DNS_NXDOMAIN, false, MX_NO_DOMAIN },
    { DNS_BOGUS, false, MX_LATER }, { DNS_FAILED, false, MX_LATER },
};

/* DNS-003: a time-out is never "no MX". */
static void without_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct dns_answer answer = { .verdict = others[i].verdict, .proved = others[i].proved };
        struct mx_list list;
        mx_read(&answer, 7, &list);
        assert_int_equal(list.verdict, others[i].want);
        assert_int_equal(list.secure, others[i].proved);
        assert_int_equal(list.n, 0);
    }
}

static void mail_leads_away_from_us(void **state)
{
    struct buffer records = buffer_with_most(1 << 16);

    (void)state;
    put_mx(&records, 10, "a.example");
    put_mx(&records, 20, "us.example");
    put_mx(&records, 20, "b.example");
    put_mx(&records, 30, "c.example");
    struct mx_list list = list_of(&records, 3);
    assert_true(mx_drop_from(&list, BYTES("other.example")));
    assert_int_equal(list.n, 4);
    assert_true(mx_drop_from(&list, BYTES("US.example")));
    assert_string_equal(order(&list), "a.example");
    assert_false(mx_drop_from(&list, BYTES("a.example")));
    buffer_done(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_stand_first), cmocka_unit_test(equals_take_turns),
        cmocka_unit_test(what_is_no_host), cmocka_unit_test(without_records),
        cmocka_unit_test(mail_leads_away_from_us),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
