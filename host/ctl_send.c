/* SPDX-License-Identifier: ISC
 *
 * postern send: hand one letter to a server and show the dialogue. Small and honest: it sends what
 * it is given, says what it was answered, and tries nothing twice.
 */
#include "host/ctl_int.h"

#include "host/clock.h"
#include "host/ctl_dialogue.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { TO_MOST = 100, LETTER_MOST = 1 << 30, NAME_ROOM = 256 };

static const char help[] =
    "usage: postern send --to ADDRESS [--to ...] [options]\n"
    "\n"
    "Sends one letter by SMTP and shows the dialogue.\n"
    "\n"
    "  --to ADDRESS         a recipient; up to 100\n"
    "  --from ADDRESS       the sender; \"\" is the null sender\n"
    "  --server HOST:PORT   where to; else localhost:25\n"
    "  --file FILE          the letter; else a short greeting\n"
    "  --bdat               send the text by BDAT (RFC 3030), not by DATA\n"
    "  --binarymime         BODY=BINARYMIME: the text goes as it is; implies --bdat\n"
    "  --smtputf8           with the SMTPUTF8 parameter (RFC 6531)\n"
    "  --pipeline           send MAIL, RCPT and what follows without waiting (RFC 2920)\n"
    "\n"
    "Exit status 0: taken for every recipient; 75: not now; 69: refused.\n";

struct sending {
    const char *to[TO_MOST];
    size_t to_n;
    const char *from, *server, *file;
    bool bdat, binarymime, smtputf8, pipeline;
    char host[NAME_ROOM], from_made[NAME_ROOM + 16];
    struct buffer text;         /* as it goes over the wire: CRLF, and dots doubled for DATA */
    bool eight_bit;
    size_t accepted;            /* recipients */
    int status;                 /* the worst so far */
};

/* ---- the letter */

static void put_greeting(struct sending *sending)
{
    struct buffer *to = &sending->text;
    time_t now = (time_t)(clock_now().wall_ms / 1000);
    char date[64];
    struct tm civil;
    uint64_t chance;

    entropy_fill(&chance, sizeof(chance));
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &civil));
    buffer_put(to, BYTES("From: <"));
    buffer_put_text(to, sending->from[0] == '\0' ? sending->from_made : sending->from);
    buffer_put(to, BYTES(">\r\nTo: <"));
    buffer_put_text(to, sending->to[0]);
    buffer_put(to, BYTES(">\r\nDate: "));
    buffer_put_text(to, date);
    buffer_put(to, BYTES("\r\nMessage-ID: <"));
    buffer_put_uint(to, chance);
    buffer_put(to, BYTES("."));
    buffer_put_uint(to, clock_now().wall_ms);
    buffer_put_char(to, '@');
    buffer_put_text(to, sending->host);
    buffer_put(to, BYTES(">\r\nSubject: A greeting from Postern\r\n\r\n"
                         "Hello,\r\n\r\n"
                         "this letter was made by \"postern send\". That you can read it\r\n"
                         "says that it was taken, kept safe on disk, and delivered.\r\n"));
}

/* As files have it to as SMTP has it: each line end is CRLF, the last line has one, and for DATA a
   dot that begins a line is doubled (RFC 5321, 4.5.2). Binary goes as it is. */
static void put_line_ends(struct sending *sending, struct bytes raw)
{
    struct buffer *to = &sending->text;
    struct bytes line;

    if (sending->binarymime) {
        buffer_put(to, raw);
        return;
    }
    while (bytes_cut(&raw, '\n', &line)) {
        if (bytes_ends(line, BYTES("\r")))
            line.n--;
        if (!sending->bdat && line.n > 0 && line.at[0] == '.')
            buffer_put_char(to, '.');
        buffer_put(to, line);
        buffer_put(to, BYTES("\r\n"));
    }
}

static int read_letter(struct sending *sending)
{
    struct buffer raw = buffer_with_most(LETTER_MOST);
    FILE *file = fopen(sending->file, "rbe");
    size_t n = 1;

    while (file != NULL && n > 0) {
        char *at = buffer_grow(&raw, 65536);
        n = at == NULL ? 0 : fread(at, 1, 65536, file);
        raw.n -= at == NULL ? 0 : 65536 - n;
    }
    bool failed = file == NULL || ferror(file) || raw.bad;
    if (failed)
        fprintf(stderr, "postern: %s: %s\n", sending->file,
                raw.bad ? "this is too large" : strerror(errno));
    else
        put_line_ends(sending, buffer_bytes(&raw));
    if (file != NULL)
        fclose(file);
    buffer_done(&raw);
    return failed ? EX_NOINPUT : 0;
}

static int make_letter(struct sending *sending)
{
    int status = 0;

    if (sending->file == NULL)
        put_greeting(sending);
    else
        status = read_letter(sending);
    for (size_t i = 0; i < sending->text.n && !sending->eight_bit; i++)
        sending->eight_bit = octet(sending->text.at[i]) >= 0x80;
    if (status == 0 && sending->text.bad) {
        fputs("postern: memory is short\n", stderr);
        status = EX_OSERR;
    }
    return status;
}

/* ---- the dialogue */

/* Take the code of a reply into account: is it what was hoped for? */
static bool judge(struct sending *sending, int code, int want)
{
    int status = code < 0 ? EX_PROTOCOL : code / 100 == 4 ? EX_TEMPFAIL : EX_UNAVAILABLE;

    if (code == want)
        return true;
    if (sending->status == 0 || status == EX_PROTOCOL)
        sending->status = status;
    return false;
}

static bool offers(const struct dialogue *dialogue, const char *keyword)
{
    struct bytes rest = buffer_bytes(&dialogue->reply), line;

    while (bytes_cut(&rest, '\n', &line))
        if (bytes_equal_nocase(bytes_upto(line, ' '), bytes_of(keyword)))
            return true;
    return false;
}

static bool has_what_it_takes(struct sending *sending, const struct dialogue *dialogue)
{
    const struct { bool wanted; const char *keyword; } needs[] = {
        { sending->bdat, "CHUNKING" }, { sending->binarymime, "BINARYMIME" },
        { sending->smtputf8, "SMTPUTF8" }, { sending->pipeline, "PIPELINING" },
    };

    for (size_t i = 0; i < COUNT(needs); i++) {
        if (needs[i].wanted && !offers(dialogue, needs[i].keyword)) {
            fprintf(stderr, "postern: this server does not offer %s\n", needs[i].keyword);
            sending->status = EX_UNAVAILABLE;
            return false;
        }
    }
    return true;
}

static bool say(struct dialogue *dialogue, const char *a, const char *b, const char *c)
{
    struct buffer line = buffer_with_most(8192);

    buffer_put_text(&line, a);
    buffer_put_text(&line, b);
    buffer_put_text(&line, c);
    bool sent = !line.bad && dialogue_line(dialogue, buffer_bytes(&line));
    buffer_done(&line);
    return sent;
}

static bool say_mail(struct sending *sending, struct dialogue *dialogue, bool with_8bit)
{
    struct buffer rest = buffer_with_most(256);

    buffer_put(&rest, BYTES(">"));
    if (sending->binarymime)
        buffer_put(&rest, BYTES(" BODY=BINARYMIME"));
    else if (sending->eight_bit && with_8bit)
        buffer_put(&rest, BYTES(" BODY=8BITMIME"));
    if (sending->smtputf8)
        buffer_put(&rest, BYTES(" SMTPUTF8"));
    buffer_put_char(&rest, '\0');
    bool sent = say(dialogue, "MAIL FROM:<", sending->from, rest.at);
    buffer_done(&rest);
    return sent;
}

static bool say_text(struct sending *sending, struct dialogue *dialogue)
{
    struct buffer line = buffer_with_most(64);

    if (!sending->bdat)
        return dialogue_line(dialogue, BYTES("DATA"));
    buffer_put(&line, BYTES("BDAT "));
    buffer_put_uint(&line, sending->text.n);
    buffer_put(&line, BYTES(" LAST"));
    bool sent = dialogue_line(dialogue, buffer_bytes(&line))
        && dialogue_text(dialogue, buffer_bytes(&sending->text));
    buffer_done(&line);
    return sent;
}

/* The envelope: sent and answered one by one, or sent as a whole and then answered. DATA may go
   with it, since its text waits for the reply; BDAT brings its text, so it waits. */
static bool tell_envelope(struct sending *sending, struct dialogue *dialogue, bool with_8bit)
{
    bool ahead = sending->pipeline, data_ahead = ahead && !sending->bdat;

    if (!say_mail(sending, dialogue, with_8bit)
        || (!ahead && !judge(sending, dialogue_reply(dialogue), 250)))
        return false;
    for (size_t i = 0; i < sending->to_n; i++) {
        if (!say(dialogue, "RCPT TO:<", sending->to[i], ">"))
            return false;
        if (!ahead)
            sending->accepted += judge(sending, dialogue_reply(dialogue), 250);
    }
    if (data_ahead && !say_text(sending, dialogue))
        return false;
    bool mail = !ahead || judge(sending, dialogue_reply(dialogue), 250);
    for (size_t i = 0; ahead && i < sending->to_n && sending->status != EX_PROTOCOL; i++)
        sending->accepted += judge(sending, dialogue_reply(dialogue), 250);
    return (mail && sending->accepted > 0) || data_ahead;
}

static bool tell_text(struct sending *sending, struct dialogue *dialogue)
{
    if (!(sending->pipeline && !sending->bdat) && !say_text(sending, dialogue))
        return false;
    if (!sending->bdat) {
        if (!judge(sending, dialogue_reply(dialogue), 354))
            return false;
        /* Sent ahead and taken, though nobody is to have it: an empty text ends it. */
        bool sent = sending->accepted == 0
            || dialogue_text(dialogue, buffer_bytes(&sending->text));
        if (!sent || !dialogue_line(dialogue, BYTES(".")))
            return false;
    }
    return judge(sending, dialogue_reply(dialogue), 250);
}

static int run_dialogue(struct sending *sending)
{
    struct dialogue dialogue;
    int status = dialogue_open(&dialogue, sending->server, stdout);

    if (status != 0)
        return status;
    bool told = judge(sending, dialogue_reply(&dialogue), 220)
        && say(&dialogue, "EHLO ", sending->host, "")
        && judge(sending, dialogue_reply(&dialogue), 250)
        && has_what_it_takes(sending, &dialogue)
        && tell_envelope(sending, &dialogue, offers(&dialogue, "8BITMIME"))
        && tell_text(sending, &dialogue);
    if (!told && sending->status == 0)
        sending->status = EX_PROTOCOL;
    if (sending->status != EX_PROTOCOL && dialogue_line(&dialogue, BYTES("QUIT")))
        (void)dialogue_reply(&dialogue);
    dialogue_close(&dialogue);
    return sending->status;
}

/* ---- the words */

/* An address is put between brackets in one line: nothing in it may end either. */
static bool fits_a_line(const char *text)
{
    return strlen(text) < LIMIT_PATH && strpbrk(text, "\r\n<>") == NULL;
}

static bool take_value(struct sending *sending, const char *option, const char *value)
{
    bool is_to = strcmp(option, "--to") == 0;

    if (is_to && sending->to_n < TO_MOST)
        sending->to[sending->to_n++] = value;
    else if (strcmp(option, "--from") == 0)
        sending->from = value;
    else if (strcmp(option, "--server") == 0)
        sending->server = value;
    else if (strcmp(option, "--file") == 0)
        sending->file = value;
    else
        return false;
    return true;
}

static bool take_flag(struct sending *sending, const char *option)
{
    if (strcmp(option, "--bdat") == 0)
        sending->bdat = true;
    else if (strcmp(option, "--binarymime") == 0)
        sending->binarymime = sending->bdat = true;
    else if (strcmp(option, "--smtputf8") == 0)
        sending->smtputf8 = true;
    else if (strcmp(option, "--pipeline") == 0)
        sending->pipeline = true;
    else
        return false;
    return true;
}

static int check_words(const struct sending *sending)
{
    bool fit = fits_a_line(sending->from);

    if (sending->to_n == 0) {
        fputs("postern: send wants --to ADDRESS; see --help\n", stderr);
        return EX_USAGE;
    }
    for (size_t i = 0; i < sending->to_n; i++)
        fit = fit && fits_a_line(sending->to[i]) && sending->to[i][0] != '\0';
    if (!fit)
        fputs("postern: an address is at most 1023 octets, without brackets and line ends\n",
              stderr);
    return fit ? 0 : EX_USAGE;
}

int ctl_send_run(int argc, char **argv)
{
    static struct sending sending = { .server = "localhost:25" };

    sending.text = buffer_with_most(2u * LETTER_MOST);
    if (gethostname(sending.host, sizeof(sending.host) - 1) != 0 || sending.host[0] == '\0')
        memcpy(sending.host, "localhost", sizeof("localhost"));
    snprintf(sending.from_made, sizeof(sending.from_made), "postern@%s", sending.host);
    sending.from = sending.from_made;
    for (int i = 1; i < argc; i++) {
        if (ctl_is_help(argv[i])) {
            fputs(help, stdout);
            return ctl_end(EX_OK);
        }
        if (take_flag(&sending, argv[i]))
            continue;
        if (i + 1 == argc || !take_value(&sending, argv[i], argv[i + 1]))
            return ctl_unknown("send", argv[i]);
        i++;
    }
    int status = check_words(&sending);
    if (status == 0)
        status = make_letter(&sending);
    if (status == 0)
        status = run_dialogue(&sending);
    buffer_done(&sending.text);
    return ctl_end(status);
}
