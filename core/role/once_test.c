/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/id.h"
#include "mail/envelope.h"
#include "role/once.h"

enum { NOW = 1000000000 };      /* 1970-01-12T13:46:40.000Z */

static size_t split(char *line, struct bytes *words)
{
    size_t n = 0;

    for (char *at = line; *at != '\0'; n++) {
        char *end = strchrnul(at, ' ');
        words[n] = (struct bytes){ at, (size_t)(end - at) };
        at = *end == '\0' ? end : end + 1;
    }
    return n;
}

static const struct {
    const char *line;
    const char *want;       /* NULL: well; else what is said */
    enum once_command command;
    bool json, relative, help;
} lines[] = {
    { "queue", NULL, ONCE_QUEUE, false, false, false },
    { "queue --json --relative", NULL, ONCE_QUEUE, true, true, false },
    { "trace 06CQ4KZ0R2J8M", NULL, ONCE_TRACE, false, false, false },
    { "trace --json <a@b>", NULL, ONCE_TRACE, true, false, false },
    { "trace -- -a@b.example", NULL, ONCE_TRACE, false, false, false },
    { "trace --help", NULL, ONCE_TRACE, false, false, true },
    { "status", NULL, ONCE_STATUS, false, false, false },
    { "", "there is no command \"\"\n", ONCE_QUEUE, false, false, false },
    { "quueue", "there is no command \"quueue\"\n", ONCE_QUEUE, false, false, false },
    { "queue --yaml", "there is no option \"--yaml\"; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "queue delete", "say which: a filter, or --all; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "queue redirect --all", "redirect wants an address behind it\n",
      ONCE_QUEUE, false, false, false },
    { "queue --dry-run", "--dry-run and --reason go with a verb; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "queue hold --older-than 2x", "--older-than wants a span such as 90s, 15m, 2h or 3d\n",
      ONCE_QUEUE, false, false, false },
    { "queue hold --from you", "--from wants an address or @DOMAIN\n",
      ONCE_QUEUE, false, false, false },
    { "queue hold --id x", "--id wants a letter's id, 13 letters and digits\n",
      ONCE_QUEUE, false, false, false },
    { "queue hold --to", "--to wants a value\n",
      ONCE_QUEUE, false, false, false },
    { "queue --destinations --json", NULL, ONCE_QUEUE, true, false, false },
    { "queue suspend a.example --for 2h", NULL, ONCE_QUEUE, false, false, false },
    { "queue suspend a.example moving --for 2h", NULL, ONCE_QUEUE, false, false, false },
    { "queue suspend [192.0.2.1] --reason moving", NULL, ONCE_QUEUE, false, false, false },
    { "queue resume B\303\274cher.example", NULL, ONCE_QUEUE, false, false, false },
    { "queue suspend", "say which domain; see --help\n", ONCE_QUEUE, false, false, false },
    { "queue suspend a..example", "say which domain; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "queue suspend a.example --for ever", "--for wants a span such as 90s, 15m, 2h or 3d\n",
      ONCE_QUEUE, false, false, false },
    { "queue suspend a.example --for 0", "--for wants a span such as 90s, 15m, 2h or 3d\n",
      ONCE_QUEUE, false, false, false },
    { "queue suspend a.example --all", "there is no option \"--all\"; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "queue suspend a.example --dry-run",
      "suspend and resume take no --dry-run and no --destinations\n",
      ONCE_QUEUE, false, false, false },
    { "queue resume a.example x", "nothing is known of the word \"x\"; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "queue delete --all --destinations", "--destinations goes with no verb\n",
      ONCE_QUEUE, false, false, false },
    { "queue x", "nothing is known of the word \"x\"; see --help\n",
      ONCE_QUEUE, false, false, false },
    { "trace a@b c@d", "nothing is known of the word \"c@d\"; see --help\n",
      ONCE_TRACE, false, false, false },
    { "trace", "expected a letter's id (13 letters and digits), a Message-ID or an address, found"
      " \"\"\n", ONCE_TRACE, false, false, false },
    { "trace ../../etc/passwd", "expected a letter's id (13 letters and digits), a Message-ID or an"
      " address, found \"../../etc/passwd\"\n", ONCE_TRACE, false, false, false },
    { "trace A", "expected a letter's id (13 letters and digits), a Message-ID or an address, found"
      " \"A\"\n", ONCE_TRACE, false, false, false },
    { "trace a\n@b", "expected a letter's id (13 letters and digits), a Message-ID or an address,"
      " found \"a\\x0a@b\"\n", ONCE_TRACE, false, false, false },
    { "trace \x1b[2J", "expected a letter's id (13 letters and digits), a Message-ID or an address,"
      " found \"\\x1b[2J\"\n", ONCE_TRACE, false, false, false },
};

static void reads_words(void **state)
{
    for (size_t i = 0; i < COUNT(lines); i++) {
        char line[200] = { 0 };
        struct bytes words[8];
        struct once_request request = { .command = ONCE_COMMANDS };
        struct buffer flaw = buffer_with_most(1024);

        memcpy(line, lines[i].line, strlen(lines[i].line));
        bool read = once_read(words, split(line, words), &request, &flaw);
        buffer_put_char(&flaw, '\0');
        if (read != (lines[i].want == NULL) || (!read && strcmp(flaw.at, lines[i].want) != 0))
            fail_msg("%s: %s", lines[i].line, flaw.at);
        if (read)
            assert_true(request.command == lines[i].command && request.json == lines[i].json
                        && request.relative == lines[i].relative && request.help == lines[i].help);
        buffer_done(&flaw);
    }
}

static void a_huge_word_is_cut(void **state)
{
    static char huge[10 << 20];
    struct bytes words[] = { BYTES("trace"), { huge, sizeof(huge) } };
    struct once_request request;
    struct buffer flaw = buffer_with_most(1024);

    memset(huge, 'a', sizeof(huge));
    assert_false(once_read(words, 2, &request, &flaw));
    assert_false(flaw.bad);
    buffer_done(&flaw);
}

static const struct {
    const char *word;
    enum trace_by ways[2];
    const char *keys[2];
} keys[] = {
    { "06cq4kz0r2j8m", { TRACE_BY_ID }, { "06CQ4KZ0R2J8M" } },
    { "O6CQ4KZ0R2J8M", { TRACE_BY_ID }, { "06CQ4KZ0R2J8M" } },
    { "06CQ4KZ0R2J8MM", { 0 }, { NULL } },
    { "06CQ4KZ0R2J8U", { 0 }, { NULL } },
    { "ZZZZZZZZZZZZZ", { 0 }, { NULL } },
    { "a@B.example", { TRACE_BY_ADDRESS, TRACE_BY_MESSAGE_ID }, { "a@b.example", "a@B.example" } },
    { "\"a\"@b", { TRACE_BY_ADDRESS, TRACE_BY_MESSAGE_ID }, { "a@b", "\"a\"@b" } },
    { "<x.1@B>", { TRACE_BY_MESSAGE_ID, TRACE_BY_ADDRESS }, { "x.1@B", "x.1@b" } },
    { "<x..1@[odd>", { TRACE_BY_MESSAGE_ID }, { "x..1@[odd" } },
    { "@b", { 0 }, { NULL } },
    { "a@", { 0 }, { NULL } },
    { "", { 0 }, { NULL } },
};

static void decides_by_form(void **state)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        enum trace_by ways[2] = { 0 };
        size_t n = once_trace_ways(bytes_of(keys[i].word), ways);

        for (size_t way = 0; way < 2; way++) {
            struct buffer key = buffer_with_most(1024);
            if ((way < n) != (keys[i].ways[way] != 0))
                fail_msg("%s has %zu ways", keys[i].word, n);
            if (way < n) {
                assert_int_equal(ways[way], keys[i].ways[way]);
                once_trace_key(bytes_of(keys[i].word), ways[way], &key);
                assert_true(bytes_equal(buffer_bytes(&key), bytes_of(keys[i].keys[way])));
            }
            buffer_done(&key);
        }
    }
}

static uint64_t id_of(const char *text)
{
    uint64_t id = 0;

    assert_true(id_parse(bytes_of(text), &id));
    return id;
}

static void put_head(struct buffer *to, const char *sender)
{
    envelope_put(to, &(struct envelope){
        .sender = bytes_of(sender), .body = BODY_8BITMIME, .received_ms = NOW - 200,
        .protocol = BYTES("ESMTP"), .helo = BYTES("relay.example\x1b[31m"),
        .peer = BYTES("192.0.2.1"), .host = BYTES("mx.example.org"), .message_id = BYTES("x@y"),
    });
}

static void put_entry(struct buffer *to, const char *address)
{
    recipient_put(to, &(struct recipient){ .address = bytes_of(address) });
}

static void check(struct buffer *out, const char *want)
{
    buffer_put_char(out, '\0');
    assert_false(out->bad);
    assert_string_equal(out->at, want);
    buffer_done(out);
}

/* One letter with two recipients, one held; then one of nobody whose head cannot be read. */
static void put_rows(struct once_queue *queue, struct buffer *out)
{
    struct buffer head = buffer_with_most(4096), to = buffer_with_most(4096);
    struct wire_queue_row row = {
        .letter = id_of("06CQ4KZ0R2J8M"), .size = 12595, .received_ms = NOW - 180000,
    };

    put_head(&head, "a b@peer.example");
    put_entry(&to, "bob@example.org");
    row.head = buffer_bytes(&head);
    row.to = buffer_bytes(&to);
    once_queue_row(queue, &row, out);
    row.recipient = 1;
    row.attempts = 2;
    row.due_ms = NOW + 60000;
    row.note = BYTES("4.2.2 \"full\"\r\n\x9b");
    once_queue_row(queue, &row, out);
    row.letter = id_of("06CQ4KZ0R2J8N");
    row.held = 1;
    row.due_ms = 0;
    row.size = 1;
    row.head = row.to = BYTES("?");
    row.note = BYTES_NONE;
    once_queue_row(queue, &row, out);
    buffer_done(&head);
    buffer_done(&to);
}

static void lists_the_queue(void **state)
{
    struct once_queue queue = { .style = { .now_ms = NOW, .relative = true } };
    struct buffer out = buffer_with_most(65536);

    put_rows(&queue, &out);
    once_queue_end(&queue, &out);
    check(&out,
          "06CQ4KZ0R2J8M  3 minutes old, 12.2 KiB, from <a b@peer.example>\n"
          "    <bob@example.org>  new: not tried yet\n"
          "    <bob@example.org>  waiting: 2 attempts, next at 1970-01-12T13:47:40.000Z"
          " (in 1 minute)\n"
          "        4.2.2 \"full\"\\x0d\\x0a\\x9b\n"
          "06CQ4KZ0R2J8N  3 minutes old, 1 octet, from a sender that cannot be read\n"
          "    <an entry that cannot be read>  held: kept until somebody acts; 2 attempts\n"
          "2 letters, 3 recipients, 12.3 KiB.\n");
}

static void lists_the_queue_as_json(void **state)
{
    struct once_queue queue = { .style = { .now_ms = NOW, .json = true } };
    struct buffer out = buffer_with_most(65536);

    put_rows(&queue, &out);
    once_queue_end(&queue, &out);
    check(&out,
          "{\"id\":\"06CQ4KZ0R2J8M\",\"received\":\"1970-01-12T13:43:40.000Z\",\"size\":12595,"
          "\"sender\":\"a b@peer.example\",\"recipient\":\"bob@example.org\","
          "\"recipient_number\":0,"
          "\"state\":\"new\","
          "\"in_flight\":false,\"attempts\":0,\"next_attempt\":null,\"reason\":\"\"}\n"
          "{\"id\":\"06CQ4KZ0R2J8M\",\"received\":\"1970-01-12T13:43:40.000Z\",\"size\":12595,"
          "\"sender\":\"a b@peer.example\",\"recipient\":\"bob@example.org\","
          "\"recipient_number\":1,"
          "\"state\":\"waiting\","
          "\"in_flight\":false,\"attempts\":2,\"next_attempt\":\"1970-01-12T13:47:40.000Z\","
          "\"reason\":\"4.2.2 \\\"full\\\"\\r\\n\\ufffd\"}\n"
          "{\"id\":\"06CQ4KZ0R2J8N\",\"received\":\"1970-01-12T13:43:40.000Z\",\"size\":1,"
          "\"sender\":null,\"recipient\":\"an entry that cannot be read\",\"recipient_number\":1,"
          "\"state\":\"held\","
          "\"in_flight\":false,\"attempts\":2,\"next_attempt\":null,\"reason\":\"\"}\n");
}

static void says_that_it_is_empty(void **state)
{
    struct once_queue queue = { .style = { .now_ms = NOW } };
    struct buffer out = buffer_with_most(256);

    once_queue_end(&queue, &out);
    check(&out, "The queue is empty.\n");
}

static void put_story(struct once_trace *trace, struct buffer *out)
{
    struct buffer head = buffer_with_most(4096), one = buffer_with_most(4096);
    struct buffer list = buffer_with_most(4096);
    struct history_event event = { .what = HISTORY_ACCEPTED, .id = id_of("06CQ4KZ0R2J8M"),
                                   .at_ms = NOW - 150, .size = 42 };

    put_head(&head, "");
    put_entry(&one, "bob@example.org");
    buffer_put_block(&list, buffer_bytes(&one));
    buffer_put_block(&list, buffer_bytes(&one));
    event.head = buffer_bytes(&head);
    event.to = buffer_bytes(&list);
    once_trace_event(trace, &event, out);
    event = (struct history_event){ .what = HISTORY_DELIVERED, .id = event.id, .at_ms = NOW - 100,
        .begun_ms = NOW - 112, .attempt = 1, .class = 2, .subject = 1, .detail = 5,
        .to = buffer_bytes(&one) };
    once_trace_event(trace, &event, out);
    event.what = HISTORY_DEFERRED;
    event.recipient = 1;
    event.class = 4;
    event.subject = 7;
    event.detail = 25;
    event.due_ms = NOW + 60000;
    event.words = BYTES("not now\x07");
    once_trace_event(trace, &event, out);
    event.id++;
    event.what = HISTORY_FAILED;
    event.recipient = UINT32_MAX;
    event.begun_ms = 0;
    once_trace_event(trace, &event, out);
    once_trace_end(trace, true, out);
    buffer_done(&head);
    buffer_done(&one);
    buffer_done(&list);
}

static void tells_the_story(void **state)
{
    struct once_trace *trace = test_calloc(1, sizeof(*trace));
    struct buffer out = buffer_with_most(65536);

    trace->style.now_ms = NOW;
    put_story(trace, &out);
    check(&out,
          "Letter 06CQ4KZ0R2J8M\n"
          "  1970-01-12T13:46:39.800Z  received from 192.0.2.1, which called itself"
          " relay.example\\x1b[31m, by mx.example.org with ESMTP\n"
          "      from <>, 42 octets, Message-ID <x@y>\n"
          "      for <bob@example.org>\n"
          "      for <bob@example.org>\n"
          "  1970-01-12T13:46:39.850Z  safe on disk; only now it was answered with 250\n"
          "  1970-01-12T13:46:39.900Z  delivered to <bob@example.org>: 2.1.5 (attempt 1, 12 ms)\n"
          "  1970-01-12T13:46:39.900Z  not delivered yet to <bob@example.org>: 4.7.25 not now\\x07"
          " (attempt 1, 12 ms)\n"
          "      next attempt at 1970-01-12T13:47:40.000Z\n"
          "  Now: 1 recipient: in the mailbox; 1 recipient: in the queue, to be tried again.\n"
          "\n"
          "Letter 06CQ4KZ0R2J8N\n"
          "  (the beginning of its story is not kept)\n"
          "  1970-01-12T13:46:39.900Z  could not be delivered to <bob@example.org>: 4.7.25"
          " not now\\x07 (attempt 1)\n"
          "  Now: nothing is known.\n"
          "\n"
          "There are more letters than are told here: ask for one of them by its id or"
          " Message-ID.\n");
    test_free(trace);
}

static void tells_the_story_as_json(void **state)
{
    struct once_trace *trace = test_calloc(1, sizeof(*trace));
    struct buffer out = buffer_with_most(65536);

    trace->style = (struct once_style){ .now_ms = NOW, .json = true };
    put_story(trace, &out);
    check(&out,
          "{\"event\":\"accepted\",\"id\":\"06CQ4KZ0R2J8M\",\"time\":\"1970-01-12T13:46:39.850Z\","
          "\"received\":\"1970-01-12T13:46:39.800Z\",\"peer\":\"192.0.2.1\","
          "\"helo\":\"relay.example\\u001b[31m\",\"protocol\":\"ESMTP\","
          "\"host\":\"mx.example.org\","
          "\"sender\":\"\",\"message_id\":\"x@y\",\"body\":\"8bitmime\",\"smtputf8\":false,"
          "\"size\":42,\"recipients\":[\"bob@example.org\",\"bob@example.org\"]}\n"
          "{\"event\":\"delivered\",\"id\":\"06CQ4KZ0R2J8M\",\"time\":\"1970-01-12T13:46:39.900Z\","
          "\"recipient\":\"bob@example.org\",\"recipient_number\":0,\"attempt\":1,\"took_ms\":12,"
          "\"code\":\"2.1.5\",\"text\":\"\"}\n"
          "{\"event\":\"deferred\",\"id\":\"06CQ4KZ0R2J8M\",\"time\":\"1970-01-12T13:46:39.900Z\","
          "\"recipient\":\"bob@example.org\",\"recipient_number\":1,\"attempt\":1,\"took_ms\":12,"
          "\"code\":\"4.7.25\",\"text\":\"not now\\u0007\","
          "\"next_attempt\":\"1970-01-12T13:47:40.000Z\"}\n"
          "{\"event\":\"failed\",\"id\":\"06CQ4KZ0R2J8N\",\"time\":\"1970-01-12T13:46:39.900Z\","
          "\"recipient\":\"bob@example.org\",\"recipient_number\":4294967295,\"attempt\":1,"
          "\"code\":\"4.7.25\",\"text\":\"not now\\u0007\"}\n");
    test_free(trace);
}

static void tells_how_the_store_stands(void **state)
{
    struct wire_status_is status = { .since_ms = NOW - 7200000, .letters = 1, .accepted = 12,
                                     .delivered = 11, .deferred = 3 };
    static const struct web_figures none;
    struct once_style style = { .now_ms = NOW, .relative = true };
    struct buffer out = buffer_with_most(1024), json = buffer_with_most(1024);

    once_status(&style, STORE_LOW, &status, &none, &out);
    check(&out, "The store runs since 1970-01-12T11:46:40.000Z (2 hours ago). Its disk is "
    "nearly full:"
                " letters are refused for now (452 4.3.1).\n"
                "1 letter in the queue.\n"
                "Since then: 12 letters accepted; 11 recipients delivered; 3 attempts to be "
                "repeated,"
                " 0 failed for good.\n");
    style.json = true;
    once_status(&style, STORE_OPEN, &status, &none, &json);
    check(&json, "{\"state\":\"open\",\"since\":\"1970-01-12T11:46:40.000Z\",\"queued\":1,"
                 "\"accepted\":12,\"delivered\":11,\"deferred\":3,\"failed\":0}\n");
}

static const struct {
    const char *line;
    enum once_exit want;
    const char *answer, *flaw;
} codes[] = {
    { "code 5.7.7", ONCE_WELL, "5.7.7  The message was damaged", "" },
    { "code --json 550", ONCE_WELL, "{\"version\":1,\"code\":\"550\"", "" },
    { "code --html X.1.1", ONCE_WELL, "<!DOCTYPE html>", "" },
    { "code --list", ONCE_WELL, "Classes: the first number\n", "" },
    { "code --help", ONCE_WELL, "usage: postern code", "" },
    { "code 550 7.7", ONCE_USAGE, "550  ", "\"7.7\" is no status code" },
    { "code", ONCE_USAGE, "", "say a code" },
    { "code --bogus 550", ONCE_USAGE, "", "there is no option \"--bogus\"; see --help\n" },
    { "code --html 550 551", ONCE_USAGE, "", "a document tells one code" },
    { "code --list 550", ONCE_USAGE, "", "--list tells all codes" },
};

static void tells_codes(void **state)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct buffer answer = buffer_with_most(1 << 20), flaw = buffer_with_most(4096);
        struct bytes words[8];
        char line[200] = { 0 };

        memcpy(line, codes[i].line, strlen(codes[i].line));
        enum once_exit got = once_code(words, split(line, words), false, &answer, &flaw);
        if (got != codes[i].want || (answer.n > 0) != (codes[i].answer[0] != '\0')
            || (flaw.n > 0) != (codes[i].flaw[0] != '\0')
            || !bytes_begins(buffer_bytes(&answer), bytes_of(codes[i].answer))
            || !bytes_begins(buffer_bytes(&flaw), bytes_of(codes[i].flaw)))
            fail_msg("%s: %d %.*s", codes[i].line, got, (int)flaw.n, buffer_bytes(&flaw).at);
        buffer_done(&answer);
        buffer_done(&flaw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_words),
        cmocka_unit_test(a_huge_word_is_cut),
        cmocka_unit_test(decides_by_form),
        cmocka_unit_test(lists_the_queue),
        cmocka_unit_test(lists_the_queue_as_json),
        cmocka_unit_test(says_that_it_is_empty),
        cmocka_unit_test(tells_the_story),
        cmocka_unit_test(tells_the_story_as_json),
        cmocka_unit_test(tells_how_the_store_stands),
        cmocka_unit_test(tells_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
