/* SPDX-License-Identifier: ISC
 *
 * smtp/client_rows_int.h: for tests only: dialogues of the client with servers of all kinds.
 */
#ifndef POSTERN_SMTP_CLIENT_ROWS_INT_H
#define POSTERN_SMTP_CLIENT_ROWS_INT_H

#include "smtp/client.h"

/* A whole dialogue: what the server says, split where it waits for us (a '|' between flights), and
   what came of it: one letter a recipient, T taken, L later, F failed, W later and in the window;
   then "." done, "!" close. The same must come out however the octets are cut. */
struct row {
    const char *name;
    const char *server;
    size_t recipients;
    const char *events;
    const char *said;           /* ours, whole */
    enum body_kind body;
    bool utf8, ask;
    const char *text;
    enum client_kind kind;
    enum client_tls tls;
    const char *user;           /* signs in, with the password "pw" */
    unsigned avoid;
    bool dsn, require_tls;
    uint32_t recipe;
    int64_t by_s;
    bool by_return, by_trace;
    int priority;
};

extern const struct row client_rows[], client_smtp_rows[];
extern const size_t client_rows_n, client_smtp_rows_n;

#define HELLO_ALL "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n|"
#define HELLO_CHUNK "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n|"
#define HELLO_PLAIN "220 x\r\n|250 x\r\n|"
#define LHLO "LHLO h\r\n"
#define MAIL "MAIL FROM:<s@x>\r\n"
#define R0 "RCPT TO:<r0@x>\r\n"
#define R1 "RCPT TO:<r1@x>\r\n"
#define R2 "RCPT TO:<r2@x>\r\n"
#define TEXT "a\r\n..b\r\n.\r\n"
#define BDAT "BDAT 7 LAST\r\na\r\n.b\r\n"
#define EHLO_ALL "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n|"
#define EHLO_CHUNK "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n|"
#define EHLO_TLS "220 x\r\n|250-x\r\n250-STARTTLS\r\n250 PIPELINING\r\n|"
#define HELLO_BY "220 x\r\n|250-x\r\n250-PIPELINING\r\n250 DELIVERBY 120\r\n|"
#define EHLO "EHLO h\r\n"
#define SMTP .kind = CLIENT_SMTP

#endif
