/* SPDX-License-Identifier: ISC */
#include "sim/copy.h"

static bool take(struct bytes *rest, const char *text)
{
    struct bytes start = bytes_of(text);

    if (!bytes_begins(*rest, start))
        return false;
    *rest = bytes_skip(*rest, start.n);
    return true;
}

/* A field and the lines folded under it. */
static bool take_field(struct bytes *rest, const char *name)
{
    struct bytes line;

    if (!take(rest, name) || !bytes_cut(rest, '\n', &line))
        return false;
    while (rest->n > 0 && is_space(rest->at[0]))
        if (!bytes_cut(rest, '\n', &line))
            return false;
    return true;
}

/* The text as it is kept: each CRLF an LF. */
static bool same_text(struct bytes kept, struct bytes sent)
{
    size_t at = 0;

    for (size_t i = 0; i < sent.n; i++) {
        bool crlf = sent.at[i] == '\r' && i + 1 < sent.n && sent.at[i + 1] == '\n';
        if (crlf)
            continue;
        if (at == kept.n || kept.at[at++] != sent.at[i])
            return false;
    }
    return at == kept.n;
}

const char *copy_check(struct bytes file, const struct letter *letter,
                       const struct letter_recipient *recipient)
{
    bool binary = letter->body == BODY_BINARYMIME;
    const char *eol = binary ? "\r\n" : "\n";

    if (!take(&file, "Return-Path: <") || !take(&file, letter->sender) || !take(&file, ">")
        || !take(&file, eol))
        return "its Return-Path is not the sender";
    if (!take(&file, "Delivered-To: ") || !take(&file, recipient->mailbox->address)
        || !take(&file, eol))
        return "its Delivered-To is not the recipient";
    const char *received = file.at;
    if (!take_field(&file, "Received: "))
        return "it has no Received";
    struct bytes trace = { received, (size_t)(file.at - received) };
    if ((bytes_search(trace, BYTES("SMTPS id ")) < trace.n) != letter->secured)
        return "its Received does not say truly whether it came through TLS";
    if (bytes_begins(file, BYTES("Received: ")))
        return "it has more than one Received";
    if (binary ? !bytes_equal(file, letter->text) : !same_text(file, letter->text))
        return "its text is not what was sent";
    return NULL;
}
