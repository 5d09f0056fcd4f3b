/* SPDX-License-Identifier: ISC
 *
 * For whom a letter is when aliases are followed: what the store is asked, and what it gets.
 */
#include "role/front_world_int.h"

#include "base/reader.h"
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char aliases[] = "team: anna, bob@elsewhere.example, carl\n"
                              "loop-a: loop-b\nloop-b: loop-a\nself: self, anna\n";
static const char virtual[] = "@b\xc3\xbc" "cher.example carl@example.org\n";

/* RCPTs, each with the mailboxes asked for in order and whether they are there ("+", "-"), and its
   reply; then the recipients that the store gets, with their ORCPT. */
static const struct {
    const char *paths[3];
    const char *asked[6];
    const char *reply, *got;
} rows[] = {
    { { "<anna@example.org>" }, { "+anna@example.org" }, "250 2.1.5", "anna@example.org" },
    { { "<team@example.org>" }, { NULL }, "250 2.1.5",
      "anna@example.org(rfc822;team@example.org) bob@elsewhere.example(rfc822;team@example.org) "
      "carl@example.org(rfc822;team@example.org)" },
    { { "<carl@example.org>", "<team@example.org>" }, { "+carl@example.org" }, "250 2.1.5",
      "carl@example.org anna@example.org(rfc822;team@example.org) "
      "bob@elsewhere.example(rfc822;team@example.org)" },
    { { "<Anna@example.org>", "<Anna@EXAMPLE.org>" }, { "+Anna@example.org" }, "250 2.1.5",
      "Anna@example.org" },
    { { "<anna+a+b@example.org>" }, { "-anna+a+b@example.org", "+anna@example.org" }, "250 2.1.5",
      "anna@example.org(rfc822;anna+2Ba+2Bb@example.org)" },
    { { "<anna+x@example.org>" }, { "+anna+x@example.org" }, "250 2.1.5", "anna+x@example.org" },
    { { "<who+x@example.org>" }, { "-who+x@example.org", "-who@example.org" }, "550 5.1.1", NULL },
    { { "<who@xn--bcher-kva.example>" }, { "-who@xn--bcher-kva.example" }, "250 2.1.5",
      "carl@example.org(rfc822;who@xn--bcher-kva.example)" },
    { { "<loop-a@example.org>" }, { NULL }, "554 5.4.6", NULL },
    { { "<self@example.org>" }, { NULL }, "250 2.1.5",
      "self@example.org(rfc822;self@example.org) anna@example.org(rfc822;self@example.org)" },
    { { "<abuse@example.org>" }, { "-abuse@example.org" }, "250 2.1.5",
      "anna@example.org(rfc822;abuse@example.org)" },
    { { "<postmaster>" }, { "+postmaster@example.org" }, "250 2.1.5", "postmaster" },
};

static void say(struct world *w, const char *before, const char *path, const char *after)
{
    struct buffer line = buffer_with_most(2000);

    buffer_put_text(&line, before);
    buffer_put_text(&line, path);
    buffer_put_text(&line, after);
    client_says(w, 0, buffer_bytes(&line));
    buffer_done(&line);
}

static void put_recipients(struct bytes blocks, struct buffer *to)
{
    struct reader in = reader_of(blocks);

    while (!reader_empty(&in)) {
        struct recipient recipient;
        assert_true(recipient_read(read_block(&in), &recipient));
        if (to->n > 0)
            buffer_put_char(to, ' ');
        buffer_put(to, recipient.address);
        if (recipient.orcpt.n == 0)
            continue;
        buffer_put_char(to, '(');
        buffer_put(to, recipient.orcpt);
        buffer_put_char(to, ')');
    }
}

static void the_store_gets_those_it_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer got = buffer_with_most(4096);
        struct world w;
        size_t asked = 0;
        world_prepare(&w);
        w.conf.subaddress = BYTES("+");
        w.conf.postmaster = BYTES("anna@example.org");
        w.conf.aliases_text = bytes_of(aliases);
        w.conf.virtual_text = bytes_of(virtual);
        world_open(&w);
        client_comes(&w, 0);
        client_says(&w, 0, BYTES("EHLO c.example\r\nMAIL FROM:<al@s.example>\r\n"));
        client_hears_last(&w, 0, "250 2.1.0");
        for (size_t k = 0; k < COUNT(rows[i].paths) && rows[i].paths[k] != NULL; k++) {
            say(&w, "RCPT TO:", rows[i].paths[k], "\r\n");
            for (; k == 0 && rows[i].asked[asked] != NULL; asked++)
                mailbox_is(&w, store_is_asked(&w, rows[i].asked[asked] + 1),
                           rows[i].asked[asked][0] == '+' ? MAILBOX_YES : MAILBOX_NO);
            world_turn(&w);
            client_hears_last(&w, 0, rows[i].reply);
        }
        assert_true(store_hears_nothing(&w));
        if (rows[i].got != NULL) {
            client_says(&w, 0, BYTES("DATA\r\n"));
            client_says(&w, 0, BYTES("Subject: x\r\n\r\nx\r\n.\r\n"));
            put_recipients(store_gets_letter(&w).to, &got);
            buffer_put_char(&got, '\0');
            assert_string_equal(got.at, rows[i].got);
        }
        buffer_done(&got);
        world_stop(&w);
    }
}

/* SRV-102: a forward that comes back to the alias it was sent from, though it was delivered to
   another address. */
static void a_forward_does_not_come_back(void **state)
{
    static const struct { const char *path, *field, *reply; } loops[] = {
        { "<team@example.org>", "Delivered-To: bob@elsewhere.example\r\n", "554 5.4.6" },
        { "<team@example.org>", "Delivered-To: ANNA@example.org\r\n", "554 5.4.6" },
        { "<team@example.org>", "Delivered-To: team@example.org\r\n", "554 5.4.6" },
        { "<team@example.org>", "Delivered-To: dora@example.org\r\n", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(loops); i++) {
        struct world w;
        world_prepare(&w);
        w.conf.aliases_text = bytes_of(aliases);
        world_open(&w);
        client_comes(&w, 0);
        client_says(&w, 0, BYTES("EHLO c.example\r\nMAIL FROM:<al@s.example>\r\n"));
        say(&w, "RCPT TO:", loops[i].path, "\r\nDATA\r\n");
        say(&w, loops[i].field, "Subject: x\r\n\r\nx", "\r\n.\r\n");
        world_turn(&w);
        if (loops[i].reply == NULL)
            assert_true(store_gets_letter(&w).to.n > 0);
        else
            client_hears_last(&w, 0, loops[i].reply);
        world_stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_gets_those_it_is_for),
        cmocka_unit_test(a_forward_does_not_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
