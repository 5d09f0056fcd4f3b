/* SPDX-License-Identifier: ISC
 *
 * Rows of the list of hostile cases (their ids in the names) that are this machine's to bear.
 */
#include "smtp/dialogue_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define AB "a@c.example>b@example.org 7BIT ESMTP 0: "
#define SMUGGLED "MAIL FROM:<evil@c.example>\r\n" D_RCPT "DATA\r\nevil\r\n"
/* The false end in the middle of a text: one reply at the true end, then the session goes on. */
#define SMUGGLE(id, end) \
    DIALOGUE(id, D_OPEN "DATA\r\na" end SMUGGLED ".\r\nNOOP\r\n", \
             R_OPEN " 354 550/5.5.2 250/2.0.0", "")

static const struct dialogue ends[] = {
    SMUGGLE("SRV-001 LF dot LF", "\n.\n"),
    SMUGGLE("SRV-002 LF dot CRLF", "\n.\r\n"),
    SMUGGLE("SRV-003 CR dot CRLF", "\r.\r\n"),
    SMUGGLE("SRV-004 CR dot CR", "\r.\r"),
    SMUGGLE("SRV-005 CR dot LF", "\r.\n"),
    SMUGGLE("SRV-006 LF dot CR", "\n.\r"),
    SMUGGLE("SRV-007 CRLF dot CR CRLF", "\r\n.\r\r\n"),
    DIALOGUE("SRV-010 SRV-011 line-19 the end cut at every octet",
             D_OPEN "DATA\r\na\r\n.\r\nNOOP\r\n",
             R_OPEN " 354 250/2.0.0 250/2.0.0", AB "a\r\n\n"),
    DIALOGUE("SRV-013 stuffed dots", D_OPEN "DATA\r\n..\r\n.x\r\n...\r\n.\r\n",
             R_OPEN " 354 250/2.0.0", AB ".\r\nx\r\n..\r\n\n"),
    DIALOGUE("SRV-014 bare LF by DATA", D_OPEN "DATA\r\na\nb\n\r\n.\r\n", R_OPEN " 354 550/5.5.2",
             ""),
    DIALOGUE("SRV-014 bare LF by BDAT", D_OPEN "BDAT 6 LAST\r\na\nb\n\r\n", R_OPEN " 550/5.5.2",
             ""),
    DIALOGUE("SRV-015 bare CR in a header", D_OPEN "DATA\r\nSubject: a\rb\r\n\r\n.\r\n",
             R_OPEN " 354 550/5.5.2", ""),
    DIALOGUE("SRV-038 a header line that begins with a dot, by BDAT",
             D_OPEN "BDAT 16 LAST\r\n.Subject: x\r\n.\r\nNOOP\r\n", R_OPEN " 250/2.0.0 250/2.0.0",
             AB ".Subject: x\r\n.\r\n\n"),
    DIALOGUE("SRV-035 an end and a command inside a chunk",
             D_OPEN "BDAT 23 LAST\r\nx\r\n.\r\nMAIL FROM:<e@f>\r\nNOOP\r\n",
             R_OPEN " 250/2.0.0 250/2.0.0", AB "x\r\n.\r\nMAIL FROM:<e@f>\r\n\n"),
    DIALOGUE("pipe-05 the next letter right behind the dot",
             D_OPEN "DATA\r\na\r\n.\r\n" D_MAIL D_RCPT "DATA\r\nb\r\n.\r\n",
             R_OPEN " 354 250/2.0.0 250/2.1.0 250/2.1.5 354 250/2.0.0", AB "a\r\n\n" AB "b\r\n\n"),
    DIALOGUE("line-20 no CRLF before the dot", D_OPEN "DATA\r\nx.\r\nNOOP\r\n.\r\n",
             R_OPEN " 354 250/2.0.0", AB "x.\r\nNOOP\r\n\n"),
};

static const struct dialogue bdat[] = {
    DIALOGUE("SRV-030 a wrong size, RSET, then DATA",
             D_OPEN "BDAT 5 LASTX\r\nabcdeRSET\r\nDATA\r\n",
             R_OPEN " 501/5.5.4 250/2.0.0 503/5.5.1", ""),
    DIALOGUE("SRV-033 BDAT 18446744073709551616", D_OPEN "BDAT 18446744073709551616\r\nNOOP\r\n",
             R_OPEN " 501/5.5.4 close", ""),
    DIALOGUE("SRV-033 BDAT -1", D_OPEN "BDAT -1\r\nNOOP\r\n", R_OPEN " 501/5.5.4 close", ""),
    DIALOGUE("SRV-033 BDAT 0x10", D_OPEN "BDAT 0x10\r\nNOOP\r\n", R_OPEN " 501/5.5.4 close", ""),
    DIALOGUE("SRV-033 BDAT +5", D_OPEN "BDAT +5\r\nNOOP\r\n", R_OPEN " 501/5.5.4 close", ""),
    DIALOGUE("SRV-033 BDAT 1e9", D_OPEN "BDAT 1e9\r\nNOOP\r\n", R_OPEN " 501/5.5.4 close", ""),
    DIALOGUE("SRV-033 BDAT 0006", D_OPEN "BDAT 0006\r\nQUIT\r\nNOOP\r\n",
             R_OPEN " 501/5.5.4 250/2.0.0", ""),
    DIALOGUE("SRV-033 BDAT 6 LASTX", D_OPEN "BDAT 6 LASTX\r\nQUIT\r\nNOOP\r\n",
             R_OPEN " 501/5.5.4 250/2.0.0", ""),
    DIALOGUE("SRV-034 BDAT 4294967295", D_OPEN "BDAT 4294967295\r\nslow", R_OPEN " 552/5.3.4 close",
             ""),
    DIALOGUE("SRV-034 BDAT 18446744073709551615 after a chunk",
             D_OPEN "BDAT 1\r\nxBDAT 18446744073709551615 LAST\r\n",
             R_OPEN " 250/2.0.0 552/5.3.4 close", ""),
    DIALOGUE("SRV-037 an error in a chunk, then plain commands",
             D_OPEN "BDAT 3\r\na\0bNOOP\r\n" D_EHLO D_MAIL D_RCPT "DATA\r\nok\r\n.\r\n",
             R_OPEN " 550/5.6.0 250/2.0.0 250 250/2.1.0 250/2.1.5 354 250/2.0.0", AB "ok\r\n\n"),
    DIALOGUE("bdat-04 before MAIL and before RCPT", D_EHLO "BDAT 6\r\nQUIT\r\n" D_MAIL
             "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", R_EHLO " 503/5.5.1 250/2.1.0 554/5.5.1 250/2.0.0",
             ""),
    DIALOGUE("bdat-09 more octets than the chunk has",
             D_OPEN "BDAT 1 LAST\r\nxyz\r\nNOOP\r\n", R_OPEN " 250/2.0.0 500/5.5.1 250/2.0.0",
             AB "x\n"),
};

static const struct dialogue commands[] = {
    DIALOGUE("SRV-043 EHLO with a NUL", "EHLO a\0b\r\nNOOP\r\n", "220 500/5.5.2 250/2.0.0", ""),
    DIALOGUE("SRV-043 EHLO with ESC", "EHLO a\x1b[2Jb\r\n", "220 501/5.5.4", ""),
    DIALOGUE("SRV-043 EHLO with bidi", "EHLO a\xe2\x80\xae" "b\r\n", "220 501/5.5.4", ""),
    DIALOGUE("SRV-043 EHLO %s%n", "EHLO %s%n\r\n", "220 250", ""),
    DIALOGUE("SRV-043 EHLO ${run{...}}", "EHLO ${run{/bin/sh}}\r\n", "220 501/5.5.4", ""),
    DIALOGUE("SRV-043 EHLO with backslashes", "EHLO a\\r\\nb\r\n", "220 501/5.5.4", ""),
    DIALOGUE("SRV-044 literals", "EHLO [127.0.0.1]\r\nEHLO [IPv6:::1%eth0]\r\n", "220 250 250", ""),
    DIALOGUE("SRV-045 EHLO in a transaction", D_OPEN D_EHLO "DATA\r\n", R_OPEN " 250 503/5.5.1",
             ""),
    DIALOGUE("SRV-046 a shell in the sender",
             D_EHLO "MAIL FROM:<;for i in 0 1 2;do read r;done;sh;exit 0;>\r\n",
             R_EHLO " 553/5.1.7", ""),
    DIALOGUE("SRV-047 an expansion in the recipient",
             D_EHLO D_MAIL "RCPT TO:<${run{/bin/sh}}@localhost>\r\nDATA\r\n.\r\n",
             R_EHLO " 250/2.1.0 250/2.1.5 354 250/2.0.0",
             "a@c.example>${run{/bin/sh}}@localhost 7BIT ESMTP 0: \n"),
    DIALOGUE("SRV-049 options in a local part", D_EHLO D_MAIL
             "RCPT TO:<-odf@example.org>\r\nRCPT TO:<-odf -oQ@example.org>\r\n"
             "RCPT TO:<\"-odf -oQ\"@example.org>\r\n",
             R_EHLO " 250/2.1.0 250/2.1.5 553/5.1.3 250/2.1.5", ""),
    DIALOGUE("SRV-050 a line end in AUTH=", D_EHLO "MAIL FROM:<> AUTH=a+0Aroot:\r\n",
             R_EHLO " 501/5.5.4", ""),
    DIALOGUE("SRV-051 control octets in ORCPT and ENVID", D_EHLO "MAIL FROM:<> ENVID=+00\r\n"
             "MAIL FROM:<> ENVID=+ZZ\r\n" D_MAIL "RCPT TO:<b@example.org> ORCPT=rfc822;+0D+0A\r\n"
             "RCPT TO:<b@example.org> ORCPT=rfc822;a+\r\n",
             R_EHLO " 501/5.5.4 501/5.5.4 250/2.1.0 501/5.5.4 501/5.5.4", ""),
    DIALOGUE("SRV-106 a report to the forged sender of many is asked for, and kept with each",
             D_EHLO "MAIL FROM:<a@c.example> RET=FULL ENVID=x+2B\r\n"
             "RCPT TO:<b@example.org> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b@example.org\r\n"
             "DATA\r\nx\r\n.\r\n", R_EHLO " 250/2.1.0 250/2.1.5 354 250/2.0.0",
             "a@c.example>b@example.org 7BIT ESMTP 0: x\r\n\n"),
    DIALOGUE("SRV-052 sizes", D_EHLO "MAIL FROM:<> SIZE=1 SIZE=2\r\nMAIL FROM:<> SIZE=-1\r\n"
             "MAIL FROM:<> SIZE=99999999999999999999\r\nMAIL FROM:<> SIZE=abc\r\n",
             R_EHLO " 501/5.5.4 501/5.5.4 552/5.3.4 501/5.5.4", ""),
    DIALOGUE("SRV-053 parameters", D_EHLO "MAIL FROM:<> AUTH=\"\r\nRSET\r\nMAIL FROM:<> =x\r\n"
             "MAIL FROM:<> A=\"a b\r\nMAIL FROM:<> SIZE=1  \r\n",
             R_EHLO " 250/2.1.0 250/2.0.0 501/5.5.4 555/5.5.4 250/2.1.0", ""),
    DIALOGUE("SRV-054 parameters of other verbs",
             D_EHLO "MAIL FROM:<a@b.example> NOTIFY=NEVER\r\nMAIL FROM:<a@b.example> REQUIRETLS\r\n"
             D_MAIL "RCPT TO:<b@example.org> SMTPUTF8\r\nRCPT TO:<b@example.org> BODY=7BIT\r\n",
             R_EHLO " 555/5.5.4 555/5.5.4 250/2.1.0 555/5.5.4 555/5.5.4", ""),
    DIALOGUE("SRV-055 VRFY and EXPN change no envelope",
             D_OPEN "VRFY \xc3\xa9@example.org\r\nEXPN \xc3\xa9\r\nDATA\r\nx\r\n.\r\n",
             R_OPEN " 252/2.5.2 502/5.5.1 354 250/2.0.0", AB "x\r\n\n"),
    DIALOGUE("SRV-060 routes of old", D_EHLO D_MAIL
             "RCPT TO:<@a.example,@b.example:user@example.org>\r\n"
             "RCPT TO:<user%evil@example.org>\r\nRCPT TO:<evil!user@example.org>\r\n"
             "RCPT TO:<\"user@evil\"@example.org>\r\nDATA\r\n.\r\n",
             R_EHLO " 250/2.1.0 250/2.1.5 250/2.1.5 250/2.1.5 250/2.1.5 354 250/2.0.0",
             "a@c.example>user@example.org,user%evil@example.org,evil!user@example.org,"
             "\"user@evil\"@example.org 7BIT ESMTP 0: \n"),
    DIALOGUE("SRV-061 not a domain of ours",
             D_EHLO "MAIL FROM:<>\r\nRCPT TO:<x@elsewhere.example>\r\n"
             "RCPT TO:<x@elsewhere.example.>\r\nRCPT TO:<x@y@example.org>\r\n",
             R_EHLO " 250/2.1.0 550/5.7.1 553/5.1.3 553/5.1.3", ""),
    DIALOGUE("SRV-063 an empty quoted local part", D_EHLO D_MAIL "RCPT TO:<\"\"@example.org>\r\n",
             R_EHLO " 250/2.1.0 553/5.1.3", ""),
    DIALOGUE("SRV-065 octets that no address holds",
             D_EHLO "MAIL FROM:<a\0@c.example>\r\nMAIL FROM:<\xe9@c.example> SMTPUTF8\r\n"
             "MAIL FROM:<\xc0\xaf@c.example> SMTPUTF8\r\nMAIL FROM:<\xc3\xa9@c.example>\r\n" D_MAIL
             "RCPT TO:<a\x01@example.org>\r\n",
             R_EHLO " 500/5.5.2 553/5.1.7 553/5.1.7 553/5.6.7 250/2.1.0 553/5.1.3", ""),
    DIALOGUE("SRV-067 text although DATA was refused",
             D_EHLO D_MAIL "DATA\r\nFrom: x\r\nMAIL FROM:<evil@c.example>\r\n.\r\n",
             R_EHLO " 250/2.1.0 554/5.5.1 421/4.7.0 close", ""),
    DIALOGUE("SRV-069 all in one piece, the recipient refused",
             D_EHLO D_MAIL "RCPT TO:<nobody@example.org>\r\nDATA\r\nSubject: x\r\n\r\nQUIT\r\n.\r\n"
             D_QUIT, R_EHLO " 250/2.1.0 550/5.1.1 554/5.5.1 421/4.7.0 close", ""),
    DIALOGUE("SRV-082 QUIT twice, commands behind it", D_QUIT D_QUIT D_EHLO, "220" R_QUIT, ""),
    DIALOGUE("SRV-082 QUIT in a text", D_OPEN "DATA\r\nQUIT\r\n.\r\n" D_QUIT,
             R_OPEN " 354 250/2.0.0" R_QUIT, AB "QUIT\r\n\n"),
    DIALOGUE("SRV-116 HTTP", "GET / HTTP/1.1\r\nHost: mx\r\n\r\nEHLO x\r\n", "220 421/4.7.0 close",
             ""),
    DIALOGUE("SRV-116 TLS", "\x16\x03\x01\x02\x00\x01\r\nEHLO x\r\n", "220 421/4.7.0 close", ""),
    DIALOGUE("line-14 NUL in a command", "NO\0OP\r\nNOOP\r\n", "220 500/5.5.2 250/2.0.0", ""),
    DIALOGUE("line-15 high octets in a command", "\xc3\xa9\r\nNOOP\r\n", "220 500/5.5.1 250/2.0.0",
             ""),
    DIALOGUE("SRV-107 null sender, many recipients", D_EHLO "MAIL FROM:<>\r\n" D_RCPT D_RCPT D_RCPT
             "DATA\r\n.\r\n", R_OPEN " 250/2.1.5 550/5.7.1 354 250/2.0.0",
             ">b@example.org,b@example.org 7BIT ESMTP 0: \n"),
};

#define CHECK_ALL(rows) \
    static void test_##rows(void **state) \
    { \
        struct buffer wrong = buffer_with_most(1 << 20); \
        if (dialogues_check(rows, COUNT(rows), &wrong) != NULL) \
            fail_msg("%s", wrong.at); \
        buffer_done(&wrong); \
    }
CHECK_ALL(ends)
CHECK_ALL(bdat)
CHECK_ALL(commands)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_bdat),
        cmocka_unit_test(test_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
