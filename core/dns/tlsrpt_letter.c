/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_letter.c: the letter that brings a report of TLS (RFC 8460, 5.3).
 */
#include "dns/tlsrpt.h"

#include "base/base64.h"
#include "mail/date.h"

static const char boundary[] = "postern-tlsrpt";     /* "-" stands in no line of base64 */

static void put_field(struct buffer *to, const char *name, struct bytes value)
{
    buffer_put_text(to, name);
    buffer_put_text(to, ": ");
    buffer_put(to, value);
    buffer_put_text(to, "\r\n");
}

/* RFC 5322, 3.2.4: a phrase in quotes; what has no place there is a blank. */
static void put_from(struct buffer *to, const struct tlsrpt_letter *letter)
{
    buffer_put_text(to, "From: \"");
    for (size_t i = 0; i < letter->organisation.n; i++) {
        char c = letter->organisation.at[i];
        buffer_put_char(to, c < ' ' || c > '~' || c == '"' || c == '\\' ? ' ' : c);
    }
    buffer_put_text(to, "\" <");
    buffer_put(to, letter->contact);
    buffer_put_text(to, ">\r\n");
}

static void put_header(struct buffer *to, const struct tlsrpt_letter *letter)
{
    put_from(to, letter);
    buffer_put_text(to, "Date: ");
    date_put(to, letter->now_ms);
    buffer_put_text(to, "\r\n");
    put_field(to, "To", letter->address);
    buffer_put_text(to, "Subject: Report Domain: ");
    buffer_put(to, letter->domain);
    buffer_put_text(to, "\r\n Submitter: ");
    buffer_put(to, letter->host);
    buffer_put_text(to, "\r\n Report-ID: <");
    buffer_put(to, letter->id);
    buffer_put_text(to, ">\r\nMessage-ID: <");
    buffer_put(to, letter->id);
    buffer_put_text(to, ">\r\n");
    put_field(to, "TLS-Report-Domain", letter->domain);
    put_field(to, "TLS-Report-Submitter", letter->host);
    buffer_put_text(to, "TLS-Required: No\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
                        " boundary=\"");
    buffer_put_text(to, boundary);
    buffer_put_text(to, "\"\r\nContent-Language: en\r\n\r\n");
}

static void put_text(struct buffer *to, const struct tlsrpt_letter *letter)
{
    buffer_put_text(to, "--");
    buffer_put_text(to, boundary);
    buffer_put_text(to, "\r\nContent-Type: text/plain; charset=us-ascii\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n\r\n"
                        "This is an aggregate report of TLS (RFC 8460) from\r\n");
    buffer_put(to, letter->host);
    buffer_put_text(to, " for ");
    buffer_put(to, letter->domain);
    buffer_put_text(to, ". It was asked for by the TXT record\r\nof _smtp._tls.");
    buffer_put(to, letter->domain);
    buffer_put_text(to, ". A program reads the file\r\nbeside this text best. Questions: ");
    buffer_put(to, letter->contact);
    buffer_put_text(to, "\r\n\r\n");
}

static void put_file(struct buffer *to, const struct tlsrpt_letter *letter)
{
    enum { LINE_OCTETS = 57 };          /* 76 letters of base64 */

    buffer_put_text(to, "--");
    buffer_put_text(to, boundary);
    buffer_put_text(to, "\r\nContent-Type: application/tlsrpt+gzip\r\n"
                        "Content-Transfer-Encoding: base64\r\n"
                        "Content-Disposition: attachment;\r\n filename=\"");
    buffer_put(to, letter->file);
    buffer_put_text(to, ".gz\"\r\n\r\n");
    for (struct bytes rest = letter->gzip; rest.n > 0; rest = bytes_skip(rest, LINE_OCTETS)) {
        base64_encode(to, bytes_first(rest, LINE_OCTETS));
        buffer_put_text(to, "\r\n");
    }
    buffer_put_text(to, "\r\n--");
    buffer_put_text(to, boundary);
    buffer_put_text(to, "--\r\n");
}

void tlsrpt_letter_put(struct buffer *to, const struct tlsrpt_letter *letter)
{
    put_header(to, letter);
    put_text(to, letter);
    put_file(to, letter);
}
