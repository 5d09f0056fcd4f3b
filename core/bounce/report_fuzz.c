/* SPDX-License-Identifier: ISC
 *
 * A report about any envelope and any text: whole lines of at most 998 octets, exactly three parts,
 * and in the header and the facts no field that we did not put there.
 */
#include "bounce/report.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* The next piece of the input: one octet of length, then the octets. */
static struct bytes take(struct bytes *input)
{
    size_t n = input->n == 0 ? 0 : octet(input->at[0]);
    struct bytes piece = bytes_first(bytes_skip(*input, 1), n);

    *input = bytes_skip(*input, 1 + piece.n);
    return piece;
}

static bool known_field(struct bytes line)
{
    static const char *const names[] = {
        "Date: ", "From: ", "To: ", "Subject: ", "Message-ID: ", "In-Reply-To: ", "References: ",
        "Auto-Submitted: ", "MIME-Version: ", "Content-Type: ", "\tboundary=", "Content-Language: ",
        "Content-Transfer-Encoding: ", "Original-Envelope-Id: ", "Reporting-MTA: ",
        "Received-From-MTA: ", "Arrival-Date: ", "Original-Recipient: ", "Final-Recipient: ",
        "Action: ", "Status: ", "Remote-MTA: ", "Diagnostic-Code: ", "Last-Attempt-Date: ",
        "Will-Retry-Until: ", "Final-Log-ID: ",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (bytes_begins(line, bytes_of(names[i])))
            return true;
    return line.n == 0;
}

static void check(struct bytes all, unsigned actions)
{
    struct bytes line, boundary = BYTES_NONE;
    unsigned part = 0, seen = 0;
    bool ended = false, header = true;

    must(bytes_ends(all, BYTES("\r\n")));
    while (bytes_cut(&all, '\n', &line)) {
        must(line.n > 0 && line.at[line.n - 1] == '\r');
        line = bytes_first(line, line.n - 1);
        must(line.n <= 998 && bytes_find(line, '\r') == line.n && bytes_find(line, '\0') == line.n);
        must(!ended);
        if (part == 0 && bytes_begins(line, BYTES("\tboundary=\"")))
            boundary = bytes_upto(bytes_skip(line, 11), '"');
        if (boundary.n > 0 && bytes_begins(line, BYTES("--"))
            && bytes_begins(bytes_skip(line, 2), boundary)) {
            ended = line.n > 2 + boundary.n;
            part++;
            continue;
        }
        must(!(part == 0 && header) || known_field(line));
        must(part != 2 || known_field(line));
        header = header && line.n > 0;
        seen += part == 2 && bytes_begins(line, BYTES("Action: "));
    }
    must(ended && part == 4 && seen == actions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes input = { (const char *)data, n };
    struct bytes first = bytes_first(input, 2);
    struct envelope envelope = { .received_ms = 1790000000000, .body = BODY_8BITMIME };
    struct report_group groups[2] = { { .code = STATUS(5, 1, 1) }, { .code = STATUS(5, 7, 1) } };
    struct buffer out = buffer_with_most(1 << 20);
    struct report_needs needs;

    if (n < 2)
        return 0;
    input = bytes_skip(input, 2);
    envelope.smtputf8 = (first.at[0] & 1) != 0;
    envelope.ret = (enum dsn_ret)(octet(first.at[0]) / 2 % 3);
    envelope.sender = take(&input);
    envelope.envid = take(&input);
    envelope.helo = take(&input);
    envelope.message_id = take(&input);
    for (size_t i = 0; i < COUNT(groups); i++) {
        groups[i].recipient.address = take(&input);
        groups[i].recipient.orcpt = take(&input);
        groups[i].words = take(&input);
        groups[i].remote = take(&input);
        groups[i].reply = groups[i].words;
    }
    struct report report = {
        .action = (enum report_action)(octet(first.at[1]) % REPORT_ACTIONS),
        .envelope = &envelope, .letter = 77, .serial = 1, .host = BYTES("mx.example.org"),
        .now_ms = 1790000000000, .groups = groups, .groups_n = 1 + octet(first.at[0]) / 8 % 2,
        .text = input, .whole = (first.at[1] & 8) != 0, .most = 256 * 1024,
    };
    report_write(&out, &report, &needs);
    must(!out.bad);
    check(buffer_bytes(&out), (unsigned)report.groups_n);
    buffer_done(&out);
    return 0;
}
