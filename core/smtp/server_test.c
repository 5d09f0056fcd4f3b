/* SPDX-License-Identifier: ISC
 *
 * Dialogues as they should go, and as honest clients get them wrong. The hostile ones:
 * server_hostile_test.c.
 */
#include "smtp/dialogue_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

#define LETTER(from, to, rest) from ">" to " " rest "\n"
#define AB(rest) LETTER("a@c.example", "b@example.org", rest)

static const struct dialogue plain[] = {
    DIALOGUE("greeting", "", "220", ""),
    DIALOGUE("quit", D_QUIT, "220" R_QUIT, ""),
    DIALOGUE("a letter by DATA", D_OPEN "DATA\r\nhello\r\n.\r\n" D_QUIT,
             R_OPEN " 354 250/2.0.0" R_QUIT, AB("7BIT ESMTP 0: hello\r\n")),
    DIALOGUE("a letter after HELO", "HELO c.example\r\n" D_MAIL D_RCPT "DATA\r\nx\r\n.\r\n" D_QUIT,
             R_OPEN " 354 250/2.0.0" R_QUIT, AB("7BIT SMTP 0: x\r\n")),
    DIALOGUE("pipe-03 the text comes before 354: taken, not an octet is lost",
             D_OPEN "DATA\r\nx\r\n.\r\n" D_QUIT, R_OPEN " 354 250/2.0.0" R_QUIT,
             AB("7BIT ESMTP 0: x\r\n")),
    DIALOGUE("tls-07 STARTTLS as text and as a local part",
             D_EHLO "MAIL FROM:<STARTTLS@c.example>\r\nRCPT TO:<starttls@example.org>\r\n"
             "DATA\r\nSTARTTLS\r\n.\r\n", R_OPEN " 354 250/2.0.0",
             LETTER("STARTTLS@c.example", "starttls@example.org", "7BIT ESMTP 0: STARTTLS\r\n")),
    DIALOGUE("an empty letter", D_OPEN "DATA\r\n.\r\n", R_OPEN " 354 250/2.0.0",
             AB("7BIT ESMTP 0: ")),
    DIALOGUE("stuffed dots", D_OPEN "DATA\r\n..\r\n.x\r\n...\r\n.\r\n", R_OPEN " 354 250/2.0.0",
             AB("7BIT ESMTP 0: .\r\nx\r\n..\r\n")),
    DIALOGUE("two letters in one session",
             D_OPEN "DATA\r\n1\r\n.\r\n" D_MAIL D_RCPT "DATA\r\n2\r\n.\r\n" D_QUIT,
             R_OPEN " 354 250/2.0.0 250/2.1.0 250/2.1.5 354 250/2.0.0" R_QUIT,
             AB("7BIT ESMTP 0: 1\r\n") AB("7BIT ESMTP 0: 2\r\n")),
    DIALOGUE("several recipients, one refused",
             D_OPEN "RCPT TO:<nobody@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n.\r\n",
             R_OPEN " 550/5.1.1 250/2.1.5 354 250/2.0.0",
             LETTER("a@c.example", "b@example.org,c@example.org", "7BIT ESMTP 0: ")),
    DIALOGUE("every verdict on a recipient",
             D_EHLO D_MAIL "RCPT TO:<nobody@example.org>\r\nRCPT TO:<x@elsewhere.example>\r\n"
             "RCPT TO:<later@example.org>\r\nRCPT TO:<full@example.org>\r\n" D_QUIT,
             R_EHLO " 250/2.1.0 550/5.1.1 550/5.7.1 451/4.3.0 452/4.3.1" R_QUIT, ""),
    DIALOGUE("null sender", D_EHLO "MAIL FROM:<>\r\n" D_RCPT "DATA\r\n.\r\n",
             R_OPEN " 354 250/2.0.0", LETTER("", "b@example.org", "7BIT ESMTP 0: ")),
    DIALOGUE("postmaster without domain", D_EHLO D_MAIL "RCPT TO:<Postmaster>\r\nDATA\r\n.\r\n",
             R_OPEN " 354 250/2.0.0", LETTER("a@c.example", "Postmaster", "7BIT ESMTP 0: ")),
    DIALOGUE("quoted local parts are kept as written",
             D_EHLO "MAIL FROM:<\".\"@c.example>\r\nRCPT TO:<\"\\\".\\\"\"@example.org>\r\n"
             "DATA\r\n.\r\n", R_OPEN " 354 250/2.0.0",
             LETTER("\".\"@c.example", "\"\\\".\\\"\"@example.org", "7BIT ESMTP 0: ")),
    DIALOGUE("space after the colon",
             D_EHLO "MAIL FROM: <a@c.example>\r\nRCPT TO:  <b@example.org>\r\nDATA\r\n.\r\n",
             R_OPEN " 354 250/2.0.0", AB("7BIT ESMTP 0: ")),
    DIALOGUE("source routes are read and dropped",
             D_EHLO "MAIL FROM:<@x.example,@y.example:a@c.example>\r\n"
             "RCPT TO:<@z.example:b@example.org>\r\nDATA\r\n.\r\n",
             R_OPEN " 354 250/2.0.0", AB("7BIT ESMTP 0: ")),
    DIALOGUE("verbs and words in any case, spaces at the end",
             "ehlo c.example  \r\nmAIL fROM:<a@c.example> size=3 body=8bitmime\r\n"
             "rcpt to:<b@example.org>\t\r\ndata \r\n.\r\nquit\r\n",
             R_OPEN " 354 250/2.0.0" R_QUIT, AB("8BITMIME ESMTP 3: ")),
    DIALOGUE("SMTPUTF8", D_EHLO "MAIL FROM:<\xc3\xa9@c.example> SMTPUTF8\r\n"
             "RCPT TO:<b@\xc3\xa9.example>\r\nDATA\r\n.\r\n", R_OPEN " 354 250/2.0.0",
             LETTER("\xc3\xa9@c.example", "b@\xc3\xa9.example", "7BIT UTF8 UTF8SMTP 0: ")),
    DIALOGUE("SRV-066 U-labels and A-labels are kept as given",
             D_EHLO "MAIL FROM:<a@xn--9ca.example> SMTPUTF8\r\nRCPT TO:<b@\xc3\xa9.example>\r\n"
             "DATA\r\n.\r\n", R_OPEN " 354 250/2.0.0",
             LETTER("a@xn--9ca.example", "b@\xc3\xa9.example", "7BIT UTF8 UTF8SMTP 0: ")),
    DIALOGUE("UTF-8 without SMTPUTF8", D_EHLO "MAIL FROM:<\xc3\xa9@c.example>\r\n" D_MAIL
             "RCPT TO:<\xc3\xa9@example.org>\r\n", R_EHLO " 553/5.6.7 250/2.1.0 553/5.6.7", ""),
    DIALOGUE("the rest of the commands",
             "NOOP\r\nNOOP with words\r\nHELP\r\nHELP MAIL\r\nVRFY a@b\r\nEXPN list\r\nRSET\r\n",
             "220 250/2.0.0 250/2.0.0 214/2.0.0 214/2.0.0 252/2.5.2 502/5.5.1 250/2.0.0", ""),
    DIALOGUE("not offered (SRV-094: ETRN)",
        "STARTTLS\r\nAUTH PLAIN AHg=\r\nETRN x\r\nTURN\r\nBURL x\r\nLHLO x\r\n",
             "220 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1 502/5.5.1", ""),
    DIALOGUE("unknown", "FOO\r\n\r\n MAIL FROM:<>\r\nMAILFROM:<>\r\nMAIL\tFROM:<>\r\n",
             "220 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1 500/5.5.1", ""),
    DIALOGUE("every verdict on a letter",
             D_EHLO
             "MAIL FROM:<loop@x.example>\r\n" D_RCPT "BDAT 0 LAST\r\n"
             "MAIL FROM:<badheader@x.example>\r\n" D_RCPT "BDAT 0 LAST\r\n"
             "MAIL FROM:<notnow@x.example>\r\n" D_RCPT "BDAT 0 LAST\r\n"
             "MAIL FROM:<nospace@x.example>\r\n" D_RCPT "BDAT 0 LAST\r\nNOOP\r\n",
             R_OPEN " 554/5.4.6 250/2.1.0 250/2.1.5 550/5.6.0 250/2.1.0 250/2.1.5 451/4.3.0"
             " 250/2.1.0 250/2.1.5 452/4.3.1 250/2.0.0",
             LETTER("loop@x.example", "b@example.org", "7BIT ESMTP 0: ")
             LETTER("badheader@x.example", "b@example.org", "7BIT ESMTP 0: ")
             LETTER("notnow@x.example", "b@example.org", "7BIT ESMTP 0: ")
             LETTER("nospace@x.example", "b@example.org", "7BIT ESMTP 0: ")),
};

static const struct dialogue order[] = {
    DIALOGUE("nothing before EHLO", D_MAIL D_RCPT "DATA\r\nBDAT 2\r\nxxNOOP\r\n",
             "220 503/5.5.1 503/5.5.1 503/5.5.1 503/5.5.1 250/2.0.0", ""),
    DIALOGUE("nothing before MAIL", D_EHLO D_RCPT "DATA\r\nBDAT 2 LAST\r\nxxNOOP\r\n",
             R_EHLO " 503/5.5.1 503/5.5.1 503/5.5.1 250/2.0.0", ""),
    DIALOGUE("nested MAIL", D_OPEN D_MAIL "DATA\r\n.\r\n", R_OPEN " 503/5.5.1 354 250/2.0.0",
             AB("7BIT ESMTP 0: ")),
    DIALOGUE("DATA without recipients", D_EHLO D_MAIL "DATA\r\n" D_RCPT "DATA\r\n.\r\n",
             R_EHLO " 250/2.1.0 554/5.5.1 250/2.1.5 354 250/2.0.0", AB("7BIT ESMTP 0: ")),
    DIALOGUE("RSET forgets", D_OPEN "RSET\r\n" D_RCPT "DATA\r\n" D_MAIL,
             R_OPEN " 250/2.0.0 503/5.5.1 503/5.5.1 250/2.1.0", ""),
    DIALOGUE("EHLO forgets", D_OPEN D_EHLO D_RCPT, R_OPEN " 250 503/5.5.1", ""),
    DIALOGUE("an EHLO that is refused forgets nothing", D_OPEN "EHLO\r\nEHLO a b\r\nDATA\r\n.\r\n",
             R_OPEN " 501/5.5.4 501/5.5.4 354 250/2.0.0", AB("7BIT ESMTP 0: ")),
    DIALOGUE("arguments where none belong", D_OPEN "DATA x\r\nRSET x\r\nQUIT x\r\nDATA\r\n.\r\n",
             R_OPEN " 501/5.5.4 501/5.5.4 501/5.5.4 354 250/2.0.0", AB("7BIT ESMTP 0: ")),
    DIALOGUE("arguments that are missing", "HELO\r\nEHLO\r\nVRFY\r\n" D_EHLO "MAIL\r\n" D_MAIL
             "RCPT\r\n", "220 501/5.5.4 501/5.5.4 501/5.5.4 250 501/5.5.4 250/2.1.0 501/5.5.4", ""),
    DIALOGUE("MAIL in other words", D_EHLO "MAIL TO:<a@b>\r\nMAIL FROM:\r\nMAIL FROM:a@b.org\r\n"
             "MAIL FROM:<a@b.example\r\nMAIL FROM:<a@b.example>x\r\nMAIL FROM:<Postmaster>\r\n",
             R_EHLO " 501/5.5.4 501/5.5.4 501/5.5.4 553/5.1.7 501/5.5.4 501/5.1.7", ""),
    DIALOGUE("RCPT in other words", D_EHLO D_MAIL "RCPT FROM:<a@b>\r\nRCPT TO:<>\r\nRCPT TO:a@b\r\n"
             "RCPT TO:<a b@c.example>\r\n", R_EHLO " 250/2.1.0 501/5.5.4 501/5.1.3 501/5.5.4"
             " 553/5.1.3", ""),
    DIALOGUE("line-10 more recipients than RCPTMAX: the rest may come in another letter",
             D_OPEN D_RCPT D_RCPT D_RCPT D_RCPT D_RCPT D_RCPT "DATA\r\n.\r\n",
             R_OPEN " 250/2.1.5 250/2.1.5 250/2.1.5 250/2.1.5 452/4.5.3 452/4.5.3 354 250/2.0.0",
             LETTER("a@c.example", "b@example.org,b@example.org,b@example.org,b@example.org,"
                    "b@example.org", "7BIT ESMTP 0: ")),
    DIALOGUE("parameters after HELO", "HELO c.example\r\nMAIL FROM:<a@c.example> SIZE=1\r\n" D_MAIL
             D_RCPT "BDAT 2\r\nxxBDAT 2 LAST\r\nxxNOOP\r\n",
             R_EHLO " 555/5.5.4 250/2.1.0 250/2.1.5 503/5.5.1 503/5.5.1 250/2.0.0", ""),
};

static const struct dialogue params[] = {
    DIALOGUE("sizes", D_EHLO "MAIL FROM:<> SIZE=100001\r\nMAIL FROM:<> SIZE=\r\n"
             "MAIL FROM:<> SIZE\r\nMAIL FROM:<> SIZE=100000\r\n",
             R_EHLO " 552/5.3.4 501/5.5.4 501/5.5.4 250/2.1.0", ""),
    DIALOGUE("bodies", D_EHLO "MAIL FROM:<> BODY=7BIT\r\nRSET\r\nMAIL FROM:<> BODY=binarymime\r\n"
             "RSET\r\nMAIL FROM:<> BODY=9BIT\r\nMAIL FROM:<> BODY\r\n",
             R_EHLO " 250/2.1.0 250/2.0.0 250/2.1.0 250/2.0.0 501/5.5.4 501/5.5.4", ""),
    DIALOGUE("SMTPUTF8 has no value", D_EHLO "MAIL FROM:<> SMTPUTF8=1\r\n",
             R_EHLO " 501/5.5.4", ""),
    DIALOGUE("AUTH is checked and ignored", D_EHLO "MAIL FROM:<> AUTH=a+3Db@c\r\nRSET\r\n"
             "MAIL FROM:<> AUTH=<>\r\nRSET\r\nMAIL FROM:<> AUTH=+3d\r\nMAIL FROM:<> AUTH=+\r\n"
             "MAIL FROM:<> AUTH=\r\n",
             R_EHLO " 250/2.1.0 250/2.0.0 250/2.1.0 250/2.0.0 501/5.5.4 501/5.5.4 501/5.5.4", ""),
    DIALOGUE("twice", D_EHLO "MAIL FROM:<> SIZE=1 SIZE=1\r\nMAIL FROM:<> BODY=7BIT body=7bit\r\n"
             "MAIL FROM:<> SMTPUTF8 SMTPUTF8\r\nMAIL FROM:<> AUTH=<> AUTH=<>\r\n",
             R_EHLO " 501/5.5.4 501/5.5.4 501/5.5.4 501/5.5.4", ""),
    DIALOGUE("not offered", D_EHLO "MAIL FROM:<> REQUIRETLS\r\nMAIL FROM:<> X\r\n" D_MAIL
             "RCPT TO:<b@example.org> NOTIFY=NEVER X=1\r\nRCPT TO:<b@example.org> RET=FULL\r\n",
             R_EHLO " 555/5.5.4 555/5.5.4 250/2.1.0 555/5.5.4 555/5.5.4", ""),
    DIALOGUE("reports", D_EHLO "MAIL FROM:<> RET=HDRS ENVID=1\r\n"
             "RCPT TO:<b@example.org> NOTIFY=NEVER ORCPT=rfc822;b\r\n"
             "RCPT TO:<b@example.org> NOTIFY=NEVER,DELAY\r\n"
             "RCPT TO:<b@example.org> NOTIFY=DELAY NOTIFY=DELAY\r\n"
             "RCPT TO:<b@example.org> ORCPT=b\r\n",
             R_EHLO " 250/2.1.0 250/2.1.5 501/5.5.4 501/5.5.4 501/5.5.4", ""),
    DIALOGUE("no parameter of reports after HELO", "HELO x\r\nMAIL FROM:<> RET=HDRS\r\n" D_MAIL
             "RCPT TO:<b@example.org> NOTIFY=NEVER\r\n", "220 250 555/5.5.4 250/2.1.0 555/5.5.4",
             ""),
    DIALOGUE("not parameters", D_EHLO "MAIL FROM:<>  SIZE=1\r\nMAIL FROM:<> -A\r\n"
             "MAIL FROM:<> A_B=1\r\n" D_MAIL "RCPT TO:<b@example.org> =\r\n",
             R_EHLO " 501/5.5.4 501/5.5.4 501/5.5.4 250/2.1.0 501/5.5.4", ""),
};

static const struct dialogue chunks[] = {
    DIALOGUE("bdat-01 two chunks", D_OPEN "BDAT 3\r\nabcBDAT 4 LAST\r\nde\r\n" D_QUIT,
             R_OPEN " 250/2.0.0 250/2.0.0" R_QUIT, AB("7BIT ESMTP 0: abcde\r\n")),
    DIALOGUE("one chunk, no CRLF at its end", D_OPEN "BDAT 3 LAST\r\nabcNOOP\r\n",
             R_OPEN " 250/2.0.0 250/2.0.0", AB("7BIT ESMTP 0: abc")),
    DIALOGUE("nothing but LAST", D_OPEN "bdat 0 last\r\n", R_OPEN " 250/2.0.0",
             AB("7BIT ESMTP 0: ")),
    DIALOGUE("dots are text", D_OPEN "BDAT 10 LAST\r\n..\r\n.\r\nx\r\n", R_OPEN " 250/2.0.0",
             AB("7BIT ESMTP 0: ..\r\n.\r\nx\r\n")),
    DIALOGUE("bdat-13 CRLF cut by a chunk", D_OPEN "BDAT 2\r\na\rBDAT 2 LAST\r\n\nb",
             R_OPEN " 250/2.0.0 250/2.0.0", AB("7BIT ESMTP 0: a\r\nb")),
    DIALOGUE("pipelined letters by BDAT",
             D_OPEN "BDAT 1 LAST\r\nx" D_MAIL D_RCPT "BDAT 1 LAST\r\ny" D_MAIL D_RCPT
             "BDAT 1 LAST\r\nz" D_QUIT,
             R_OPEN " 250/2.0.0 250/2.1.0 250/2.1.5 250/2.0.0 250/2.1.0 250/2.1.5 250/2.0.0" R_QUIT,
             AB("7BIT ESMTP 0: x") AB("7BIT ESMTP 0: y") AB("7BIT ESMTP 0: z")),
    DIALOGUE("commands between chunks", D_OPEN "BDAT 1\r\nxNOOP\r\nVRFY b\r\nBDAT 1 LAST\r\ny",
             R_OPEN " 250/2.0.0 250/2.0.0 252/2.5.2 250/2.0.0", AB("7BIT ESMTP 0: xy")),
    DIALOGUE("EHLO between chunks", D_OPEN "BDAT 1\r\nx" D_EHLO "BDAT 1 LAST\r\nyNOOP\r\n",
             R_OPEN " 250/2.0.0 250 503/5.5.1 250/2.0.0", ""),
    DIALOGUE("bdat-11 RSET between chunks", D_OPEN "BDAT 1\r\nxRSET\r\nBDAT 1 LAST\r\nyNOOP\r\n",
             R_OPEN " 250/2.0.0 250/2.0.0 503/5.5.1 250/2.0.0", ""),
    DIALOGUE("MAIL and RCPT between chunks", D_OPEN "BDAT 1\r\nx" D_MAIL D_RCPT "BDAT 0 LAST\r\n",
             R_OPEN " 250/2.0.0 503/5.5.1 503/5.5.1 250/2.0.0", AB("7BIT ESMTP 0: x")),
    DIALOGUE("bdat-05 no recipient was accepted",
             D_EHLO D_MAIL "RCPT TO:<nobody@example.org>\r\nBDAT 6 LAST\r\nQUIT\r\n" D_MAIL,
             R_EHLO " 250/2.1.0 550/5.1.1 554/5.5.1 250/2.1.0", ""),
    DIALOGUE("bdat-12 refused until LAST", D_OPEN "BDAT 3\r\na\nbBDAT 2\r\nxxBDAT 2 LAST\r\nxx"
             D_MAIL, R_OPEN " 550/5.5.2 550/5.5.2 550/5.5.2 250/2.1.0", ""),
    DIALOGUE("bdat-12 refused until RSET", D_OPEN "BDAT 3\r\na\nbBDAT 2\r\nxxRSET\r\nBDAT 2\r\nxx",
             R_OPEN " 550/5.5.2 550/5.5.2 250/2.0.0 503/5.5.1", ""),
    DIALOGUE("bdat-12 refused until MAIL", D_OPEN "BDAT 3\r\na\nbRCPT TO:<b@example.org>\r\n"
             D_MAIL D_RCPT "BDAT 1 LAST\r\nx",
             R_OPEN " 550/5.5.2 503/5.5.1 250/2.1.0 250/2.1.5 250/2.0.0", AB("7BIT ESMTP 0: x")),
    DIALOGUE("NUL in a chunk", D_OPEN "BDAT 3 LAST\r\na\0b", R_OPEN " 550/5.6.0", ""),
    DIALOGUE("bare CR at the end of the last chunk", D_OPEN "BDAT 2 LAST\r\na\r",
             R_OPEN " 550/5.5.2", ""),
    DIALOGUE("DATA after BDAT needs RSET",
             D_OPEN "BDAT 1\r\nxDATA\r\nBDAT 1\r\nyMAIL FROM:<>\r\nRSET\r\n" D_MAIL,
             R_OPEN " 250/2.0.0 503/5.5.1 503/5.5.1 503/5.5.1 250/2.0.0 250/2.1.0", ""),
    DIALOGUE("DATA with BINARYMIME needs RSET",
             D_EHLO "MAIL FROM:<a@c.example> BODY=BINARYMIME\r\n" D_RCPT
             "DATA\r\nBDAT 1 LAST\r\nyRCPT TO:<b@example.org>\r\nRSET\r\n" D_MAIL,
             R_OPEN " 503/5.5.1 503/5.5.1 503/5.5.1 250/2.0.0 250/2.1.0", ""),
    DIALOGUE("BDAT after DATA", D_OPEN "DATA\r\nBDAT 1 LAST\r\n.\r\nBDAT 1 LAST\r\nx",
             R_OPEN " 354 250/2.0.0 503/5.5.1", AB("7BIT ESMTP 0: BDAT 1 LAST\r\n")),
};

#define CHECK_ALL(rows) \
    static void test_##rows(void **state) \
    { \
        struct buffer wrong = buffer_with_most(1 << 20); \
        if (dialogues_check(rows, COUNT(rows), &wrong) != NULL) \
            fail_msg("%s", wrong.at); \
        buffer_done(&wrong); \
    }
CHECK_ALL(plain)
CHECK_ALL(order)
CHECK_ALL(params)
CHECK_ALL(chunks)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
