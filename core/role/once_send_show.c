/* SPDX-License-Identifier: ISC
 *
 * The transcript: when, how long it took, who, what.
 *
 *     0.054    54 ms  S: 220 mx.example.org ESMTP
 *     0.054           C: EHLO client.example.com
 *     0.108    54 ms  S: 250-mx.example.org at your service
 *                     S: 250 SMTPUTF8
 *     0.283   125 ms   * TLS version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256
 *                   * verified: an authority that is believed here vouches for mx.example.org
 *
 * What is ours begins with a star. With --json the same as objects of a list.
 */
#include "role/once_send_int.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/reader.h"
#include "base/safe.h"
#include "mail/width.h"

enum { MARGIN = 20, COLUMNS = 80, LINE_ROOM = 8 * SEND_LINE_MOST };

static bool in_json(const struct sender *sender) { return sender->order->json; }
static bool in_text(const struct sender *sender)
{
    return !sender->order->json && !sender->order->quiet;
}

/* ---- times */

/* "  0.054" */
static void put_at(struct buffer *to, uint64_t us)
{
    uint64_t seconds = us / 1000000;

    for (uint64_t wide = 100; wide > 1 && seconds < wide; wide /= 10)
        buffer_put_char(to, ' ');
    buffer_put_uint(to, seconds);
    buffer_put_char(to, '.');
    buffer_put_uint_wide(to, us / 1000 % 1000, 3);
}

/* "0.04 ms", "4.2 ms", "54 ms", "1.25 s", in 8 columns. */
static void put_took(struct buffer *to, uint64_t us)
{
    struct buffer text = buffer_with_most(32);

    if (us < 1000) {
        buffer_put_text(&text, "0.");
        buffer_put_uint_wide(&text, us / 10, 2);
        buffer_put_text(&text, " ms");
    } else if (us < 10000) {
        buffer_put_uint(&text, us / 1000);
        buffer_put_char(&text, '.');
        buffer_put_uint(&text, us / 100 % 10);
        buffer_put_text(&text, " ms");
    } else if (us < 1000000) {
        buffer_put_uint(&text, us / 1000);
        buffer_put_text(&text, " ms");
    } else {
        buffer_put_uint(&text, us / 1000000);
        buffer_put_char(&text, '.');
        buffer_put_uint_wide(&text, us / 10000 % 100, 2);
        buffer_put_text(&text, " s");
    }
    for (size_t i = text.n; i < 8; i++)
        buffer_put_char(to, ' ');
    buffer_put(to, buffer_bytes(&text));
    buffer_done(&text);
}

/* The margin of a line that has its time; took 0: it waited for nobody. */
static void put_margin(struct sender *sender, uint64_t took_us)
{
    put_at(&sender->show, sender->now_us - sender->began_us);
    if (took_us > 0)
        put_took(&sender->show, took_us);
    else
        buffer_put_chars(&sender->show, ' ', 8);
    buffer_put_text(&sender->show, "  ");
}

static void begin_step(struct sender *sender, const char *who, uint64_t took_us)
{
    struct json *json = &sender->json;

    if (!sender->lists) {
        json_put_object(json);
        json_key(json, "steps");
        json_put_array(json);
        sender->lists = true;
    }
    json_put_object(json);
    json_key(json, "who");
    json_text(json, bytes_of(who));
    json_put_uint(json, "at_us", sender->now_us - sender->began_us);
    if (took_us > 0)
        json_put_uint(json, "took_us", took_us);
}

void send_show_end(struct sender *sender)
{
    if (!sender->lists)
        begin_step(sender, "postern", 0), json_put_object_end(&sender->json);
    json_put_array_end(&sender->json);
}

/* ---- lines */

void send_put_masked(const struct sender *sender, struct buffer *to, struct bytes line)
{
    while (line.n > 0) {
        size_t at = line.n, n = 0;
        for (size_t i = 0; i < SEND_SECRETS; i++) {
            struct bytes secret = buffer_bytes(&sender->secrets[i]);
            size_t found = secret.n == 0 ? line.n : bytes_search(line, secret);
            if (found < at || (found == at && found < line.n && secret.n > n)) {
                at = found;
                n = secret.n;
            }
        }
        buffer_put(to, bytes_first(line, at));
        buffer_put_text(to, at < line.n ? "***" : "");
        line = bytes_skip(line, at + n);
    }
}

static void put_line(struct sender *sender, const char *who, struct bytes line, const char *colour)
{
    struct buffer *to = &sender->show;

    buffer_put_text(to, who);
    buffer_put_text(to, sender->means->colour ? colour : "");
    safe_put_plain(to, line);
    buffer_put_text(to, sender->means->colour && colour[0] != '\0' ? "\x1b[0m\n" : "\n");
}

void send_show_said(struct sender *sender, struct bytes line)
{
    struct buffer masked = buffer_with_most(LINE_ROOM);

    send_put_masked(sender, &masked, line);
    if (in_json(sender)) {
        begin_step(sender, "client", 0);
        json_put_text(&sender->json, "line", buffer_bytes(&masked));
        json_put_object_end(&sender->json);
    } else if (in_text(sender)) {
        put_margin(sender, 0);
        put_line(sender, "C: ", buffer_bytes(&masked), "\x1b[1m");
    }
    buffer_done(&masked);
}

void send_show_octets(struct sender *sender, size_t n)
{
    if (in_json(sender)) {
        begin_step(sender, "client", 0);
        json_put_uint(&sender->json, "octets", n);
        json_put_object_end(&sender->json);
    } else if (in_text(sender)) {
        buffer_put_chars(&sender->show, ' ', MARGIN - 3);
        buffer_put_text(&sender->show, "C: (");
        buffer_put_uint(&sender->show, n);
        buffer_put_text(&sender->show, " octets of the letter)\n");
    }
}

static const char *colour_of(struct bytes line)
{
    return line.n > 0 && (line.at[0] == '4' || line.at[0] == '5') ? "\x1b[31m" : "";
}

void send_show_heard(struct sender *sender, struct bytes line, bool first, uint64_t took_us)
{
    if (!in_text(sender))
        return;
    if (first)
        put_margin(sender, took_us == 0 ? 1 : took_us);
    else
        buffer_put_chars(&sender->show, ' ', MARGIN - 3);
    put_line(sender, "S: ", line, colour_of(line));
}

/* What a refusal means, in one line, and whose side must act. */
static void show_meaning(struct sender *sender)
{
    struct buffer headline = buffer_with_most(LANG_TEXT_MOST);
    struct buffer who = buffer_with_most(LANG_TEXT_MOST);

    if (send_put_meaning(sender, buffer_bytes(&sender->reply), sender->about, &headline, &who)) {
        if (in_json(sender)) {
            json_put_text(&sender->json, "meaning", buffer_bytes(&headline));
            json_put_text(&sender->json, "who_must_act", buffer_bytes(&who));
        } else if (in_text(sender)) {
            buffer_put_text(&headline, ". ");
            buffer_put(&headline, buffer_bytes(&who));
            send_show_note(sender, buffer_bytes(&headline), 0);
        }
    }
    buffer_done(&headline);
    buffer_done(&who);
}

void send_show_reply(struct sender *sender, uint64_t took_us)
{
    struct bytes rest = buffer_bytes(&sender->reply), line;
    struct json *json = &sender->json;
    bool fails = sender->answer.code >= 400;

    if (in_json(sender)) {
        begin_step(sender, "server", took_us == 0 ? 1 : took_us);
        json_put_uint(json, "code", sender->answer.code);
        json_key(json, "lines");
        json_put_array(json);
        while (bytes_cut(&rest, '\n', &line))
            json_text(json, line);
        json_put_array_end(json);
    }
    if (fails)
        show_meaning(sender);
    if (in_json(sender))
        json_put_object_end(json);
}

void send_show_note(struct sender *sender, struct bytes words, uint64_t took_us)
{
    if (in_json(sender)) {
        begin_step(sender, "postern", took_us);
        json_put_text(&sender->json, "note", words);
        json_put_object_end(&sender->json);
    } else if (in_text(sender)) {
        if (took_us > 0)
            put_margin(sender, took_us);
        else
            buffer_put_chars(&sender->show, ' ', MARGIN - 3);
        buffer_put_text(&sender->show, " * ");
        width_put(&sender->show, words, MARGIN, MARGIN, COLUMNS, "\n");
        buffer_put_char(&sender->show, '\n');
    }
}

void sender_note(struct sender *sender, uint64_t began_us, uint64_t now_us, struct bytes words)
{
    struct buffer safe = buffer_with_most(LINE_ROOM);

    send_begin_clock(sender, began_us);
    sender->now_us = now_us;
    safe_put_plain(&safe, words);
    send_show_note(sender, buffer_bytes(&safe), now_us - began_us);
    buffer_done(&safe);
}

/* mx.example.org [192.0.2.1]:25 */
void send_put_peer(struct buffer *to, const struct send_peer *peer)
{
    safe_put_plain(to, peer->name);
    if (peer->address.n == 0)
        return;
    if (!bytes_equal(peer->name, peer->address)) {
        buffer_put_text(to, " [");
        buffer_put(to, peer->address);
        buffer_put_char(to, ']');
    }
    buffer_put_text(to, " port ");
    buffer_put_uint(to, peer->port);
}

/* ---- TLS */

static void put_day(struct buffer *to, uint64_t wall_ms)
{
    struct civil day = civil_of(wall_ms);

    buffer_put_uint_wide(to, day.year, 4);
    buffer_put_char(to, '-');
    buffer_put_uint_wide(to, day.month, 2);
    buffer_put_char(to, '-');
    buffer_put_uint_wide(to, day.day, 2);
}

static void put_names(struct buffer *to, const struct send_tls_facts *facts)
{
    struct reader in = reader_of(facts->names);
    const char *before = "";

    while (!reader_empty(&in)) {
        struct bytes name = read_block(&in);
        if (!reader_ok(&in))
            break;
        buffer_put_text(to, before);
        safe_put_plain(to, name);
        before = ", ";
    }
    buffer_put_text(to, before[0] == '\0' ? "no name" : "");
}

static void put_verdict(struct buffer *to, const struct send_tls_facts *facts)
{
    if (facts->verdict.proved && facts->wanted == TLS_PROVE_DANE) {
        buffer_put_text(to, "verified: a TLSA record of the domain fits (DANE)");
    } else if (facts->verdict.proved) {
        buffer_put_text(to, "verified: an authority that is believed here vouches for ");
        safe_put_plain(to, facts->name);
    } else {
        buffer_put_text(to, "not verified: ");
        safe_put_plain(to, bytes_of(facts->verdict.words[0] == '\0' ? "nobody vouches for it"
                                                                     : facts->verdict.words));
        if (facts->verdict.trouble != TLS_TROUBLE_NONE) {
            buffer_put_text(to, " (");
            buffer_put_text(to, tls_trouble_name(facts->verdict.trouble));
            buffer_put_char(to, ')');
        }
    }
}

static void put_tls_json(struct sender *sender, const struct send_tls_facts *facts,
                         struct bytes names, struct bytes verdict)
{
    struct json *json = &sender->json;

    json_key(json, "tls");
    json_put_object(json);
    json_put_text(json, "version", facts->facts.version);
    json_put_text(json, "cipher", facts->facts.cipher);
    json_put_uint(json, "bits", facts->facts.bits);
    json_put_bool(json, "verified", facts->verdict.proved);
    json_put_bool(json, "dane", facts->verdict.proved && facts->wanted == TLS_PROVE_DANE);
    json_put_text(json, "name", facts->name);
    json_put_text(json, "verdict", verdict);
    json_put_text(json, "trouble", bytes_of(tls_trouble_name(facts->verdict.trouble)));
    if (facts->shown) {
        json_put_text(json, "names", names);
        json_put_text(json, "issuer", facts->issuer);
        json_put_uint(json, "from_ms", facts->from_ms);
        json_put_uint(json, "until_ms", facts->until_ms);
    }
    json_put_object_end(json);
}

static void put_certificate(struct buffer *to, const struct send_tls_facts *facts,
                            struct bytes names)
{
    buffer_put_text(to, "certificate for ");
    buffer_put(to, names);
    buffer_put_text(to, "; issued by ");
    safe_put_plain(to, facts->issuer);
    buffer_put_text(to, "; valid from ");
    put_day(to, facts->from_ms);
    buffer_put_text(to, " to ");
    put_day(to, facts->until_ms);
}

void send_show_tls(struct sender *sender, const struct send_tls_facts *facts, uint64_t took_us)
{
    struct buffer *line = &sender->tls_line, names = buffer_with_most(LINE_ROOM);
    struct buffer verdict = buffer_with_most(LINE_ROOM), shown = buffer_with_most(LINE_ROOM);

    buffer_clear(line);
    buffer_put_text(line, "TLS version=");
    buffer_put(line, facts->facts.version);
    buffer_put_text(line, " cipher=");
    buffer_put(line, facts->facts.cipher);
    buffer_put_text(line, " bits=");
    buffer_put_uint(line, facts->facts.bits);
    put_names(&names, facts);
    put_verdict(&verdict, facts);
    if (in_json(sender)) {
        begin_step(sender, "postern", took_us);
        put_tls_json(sender, facts, buffer_bytes(&names), buffer_bytes(&verdict));
        json_put_object_end(&sender->json);
    } else {
        send_show_note(sender, buffer_bytes(line), took_us);
        put_certificate(&shown, facts, buffer_bytes(&names));
        send_show_note(sender, facts->shown ? buffer_bytes(&shown)
                                            : BYTES("it showed no certificate"), 0);
        send_show_note(sender, buffer_bytes(&verdict), 0);
    }
    buffer_done(&names);
    buffer_done(&verdict);
    buffer_done(&shown);
}
