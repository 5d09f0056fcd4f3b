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

/* How it came to us, by the one field of ours. */
static const char *check_trace(struct bytes *file, const struct letter *letter)
{
    const char *received = file->at;

    if (!take_field(file, "Received: "))
        return "it has no Received";
    struct bytes trace = { received, (size_t)(file->at - received) };
    if ((bytes_search(trace, BYTES("SMTPS id ")) < trace.n) != letter->secured)
        return "its Received does not say truly whether it came through TLS";
    if (bytes_begins(*file, BYTES("Received: ")))
        return "it has more than one Received";
    return NULL;
}

/* What a server can take that lacks what the letter needs is another text. */
static bool is_made_anew(const struct server_letter *taken, const struct letter *letter)
{
    return (letter->body == BODY_BINARYMIME) != taken->binary
        || (letter->body == BODY_8BITMIME && !taken->eight_bit);
}

const char *copy_check_away(const struct server_letter *taken, const struct letter *letter)
{
    struct bytes text = taken->text, sent = letter->text;

    if (!bytes_equal(bytes_of(taken->sender), bytes_of(letter->sender)))
        return "its sender is another";
    const char *flaw = check_trace(&text, letter);
    if (flaw != NULL)
        return flaw;
    if (bytes_equal(text, sent) || is_made_anew(taken, letter))
        return NULL;
    bool ended = bytes_ends(text, BYTES("\r\n")) && !bytes_ends(sent, BYTES("\r\n"));
    return ended && bytes_equal(bytes_first(text, text.n - 2), sent)
         ? NULL : "its text is not what was sent";
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
    const char *flaw = check_trace(&file, letter);
    if (flaw != NULL)
        return flaw;
    if (binary ? !bytes_equal(file, letter->text) : !same_text(file, letter->text))
        return "its text is not what was sent";
    return NULL;
}
