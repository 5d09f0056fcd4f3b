/* SPDX-License-Identifier: ISC
 *
 * postern verify, open and convert: octets of a file to the reader, its text to a file that has no
 * name yet, its verdicts to people.
 */
#include "host/seal_int.h"

#include "seal/pem_words.h"
#include "host/ctl_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, START_MOST = 8192, JSON_MOST = 1 << 26 };

struct reading {
    const struct seal_words *words;
    struct seal_keys keys;
    struct pem_reader *reader;
    struct seal_out out;            /* open and convert */
    bool opens, converts, too_long;
    long message_from;              /* where its text begins in `out` */
    struct buffer text;             /* of this step; of the whole message when it is converted */
    struct buffer start;            /* the first octets of this message's text */
    struct buffer says;             /* what was found */
    struct json json;
    size_t messages;
    int fd, status;
};

/* ---- statuses */

static int status_of_verdict(enum pem_verdict verdict)
{
    switch (verdict) {
    case PEM_GOOD: case PEM_GOOD_UNTRUSTED: case PEM_GOOD_WEAK: return EX_OK;
    case PEM_ALTERED: return SEAL_ALTERED;
    case PEM_NO_KEY: return SEAL_NO_KEY;
    case PEM_UNSUPPORTED: return SEAL_UNSUPPORTED;
    case PEM_MALFORMED: return EX_DATAERR;
    case PEM_VERDICTS: break;
    }
    return EX_SOFTWARE;
}

/* Changed is worse than not readable, that than not supported, that than no key; a wrong pass
   phrase is why there is no key. */
static int worse(int a, int b)
{
    static const int order[] = { SEAL_ALTERED, EX_DATAERR, SEAL_UNSUPPORTED, EX_NOPERM,
                                 SEAL_NO_KEY };

    for (size_t i = 0; i < COUNT(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a != 0 ? a : b;
}

static void fail(struct reading *reading, int status)
{
    reading->status = worse(status, reading->status);
}

/* ---- text */

/* What came of the text: its start is kept for the date; where it is wanted it goes to the file. */
static void move_text(struct reading *reading)
{
    struct bytes text = buffer_bytes(&reading->text);

    if (reading->start.n < START_MOST)
        buffer_put(&reading->start, bytes_first(text, START_MOST - reading->start.n));
    if (!reading->opens && reading->start.n >= START_MOST)
        pem_reader_hush(reading->reader);
    if (reading->opens && !reading->converts && !seal_out_put(&reading->out, text))
        fail(reading, seal_say(reading->words->output, strerror(errno), EX_IOERR));
    if (reading->converts && text.n > SEAL_TEXT_MOST) {
        pem_reader_hush(reading->reader);
        reading->too_long = true;
    }
    if (!reading->converts || reading->too_long)
        buffer_clear(&reading->text);
}

/* A text whose hyphens RIPEM guarded in its own way: read that message again, so that what is given
   is what was signed. */
static bool read_again(struct reading *reading, const struct pem_found *found)
{
    struct pem_keys view = seal_keys_view(&reading->keys, reading->words->subordinate);
    struct pem_reader *reader = pem_reader_new(&view, true);
    struct buffer in = buffer_with_most(PIECE);
    char *at = buffer_grow(&in, PIECE);
    uint64_t offset = found->from;
    bool good = false;

    if (reader != NULL && at != NULL && fseek(reading->out.file, reading->message_from, SEEK_SET)
        == 0 && ftruncate(fileno(reading->out.file), reading->message_from) == 0) {
        pem_reader_ripem(reader);
        while (offset < found->to && pem_reader_found(reader) == NULL) {
            size_t n = found->to - offset < PIECE ? (size_t)(found->to - offset) : PIECE;
            ssize_t got = pread(reading->fd, at, n, (off_t)offset);
            if (got <= 0)
                break;
            offset += pem_read(reader, (struct bytes){ at, (size_t)got }, &reading->text);
            move_text(reading);
        }
        pem_reader_end(reader, &reading->text);
        move_text(reading);
        const struct pem_found *again = pem_reader_found(reader);
        good = again != NULL && pem_is_good(again->verdict) && again->change == PEM_CHANGE_NONE;
    }
    pem_reader_free(reader);
    buffer_done(&in);
    return good;
}

static void convert(struct reading *reading, const struct pem_found *found)
{
    struct buffer message = buffer_with_most(4u * SEAL_TEXT_MOST);
    struct pem_flaw flaw = { 0 };

    if (!pem_convert(found, reading->words->order.type, buffer_bytes(&reading->text), &message,
                     &flaw))
        fail(reading, seal_say(NULL, flaw.words, SEAL_UNSUPPORTED));
    else if (!seal_out_put(&reading->out, buffer_bytes(&message)))
        fail(reading, seal_say(reading->words->output, strerror(errno), EX_IOERR));
    password_done(&message);
}

/* ---- what was found */

static void report(struct reading *reading, const struct pem_found *found)
{
    struct pem_report report = { ++reading->messages, found->header.line,
                                 pem_find_date(buffer_bytes(&reading->start)) };

    if (!pem_is_good(found->verdict))
        report.when = BYTES_NONE;
    if (reading->words->json)
        pem_put_json(found, &report, &reading->json);
    else
        pem_put_report(found, &report, &reading->says);
    if (!reading->words->json) {
        ctl_print(reading->opens ? stderr : stdout, &reading->says);
        buffer_clear(&reading->says);
    }
}

static void take_found(struct reading *reading)
{
    const struct pem_found *found = pem_reader_found(reading->reader);
    bool good = pem_is_good(found->verdict);

    report(reading, found);
    fail(reading, status_of_verdict(found->verdict));
    if (good && reading->opens && !reading->converts && found->change == PEM_CHANGE_RIPEM_DASHES
        && !read_again(reading, found)) {
        good = false;
        fail(reading, seal_say(NULL, "the input changed while it was read", EX_IOERR));
    }
    if (good && reading->converts && reading->too_long)
        fail(reading, seal_say(NULL, "the text is larger than 256 MiB, the most that is converted:"
                               " it must be held in memory", EX_DATAERR));
    else if (good && reading->converts)
        convert(reading, found);
    if (good && reading->opens && !seal_out_show(&reading->out, reading->message_from))
        fail(reading, seal_say(NULL, strerror(errno), EX_IOERR));
    if (reading->opens)
        reading->message_from = ftell(reading->out.file);
    buffer_clear(&reading->start);
    buffer_clear(&reading->text);
    reading->too_long = false;
    pem_reader_next(reading->reader);
}

static void step(struct reading *reading)
{
    const struct pem_header *asks = pem_reader_asks(reading->reader);

    move_text(reading);
    if (asks != NULL) {
        int status = seal_keys_open(reading->words, &reading->keys, asks);
        if (status != 0)
            fail(reading, status);
        pem_reader_own(reading->reader, reading->keys.names, reading->keys.own_n);
    }
    if (pem_reader_found(reading->reader) != NULL)
        take_found(reading);
}

static bool read_all(struct reading *reading)
{
    struct buffer in = buffer_with_most(PIECE);
    char *at = buffer_grow(&in, PIECE);
    ssize_t got = 1;

    while (at != NULL && got > 0) {
        got = read(reading->fd, at, PIECE);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        for (size_t used = 0; got > 0 && used < (size_t)got;) {
            used += pem_read(reading->reader, (struct bytes){ at + used, (size_t)got - used },
                             &reading->text);
            step(reading);
        }
    }
    bool well = at != NULL && got == 0;
    if (got < 0)
        fail(reading, seal_say(reading->words->file, strerror(errno), EX_IOERR));
    for (int i = 0; well && i < 3; i++) {       /* a key may be asked for at the very end */
        pem_reader_end(reading->reader, &reading->text);
        step(reading);
    }
    password_done(&in);
    return well;
}

static void say_nothing_found(struct reading *reading)
{
    uint32_t lines[PEM_NOTES_MOST];
    size_t n = pem_reader_notes(reading->reader, lines);

    for (size_t i = 0; i < n; i++) {
        char words[200];
        snprintf(words, sizeof(words), "line %u: a boundary spelled otherwise; it must read "
                 "-----BEGIN PRIVACY-ENHANCED MESSAGE-----", lines[i]);
        (void)seal_say(reading->words->file, words, 0);
    }
    if (reading->messages > 0 || reading->status != 0)
        return;
    struct pem_found none = { .verdict = PEM_MALFORMED, .flaw = {
        .line = n > 0 ? lines[0] : 0, .verdict = PEM_MALFORMED,
        .words = "there is no privacy-enhanced message here" } };
    struct pem_report report = { 0, none.flaw.line, BYTES_NONE };
    if (n > 0)
        snprintf(none.flaw.words, sizeof(none.flaw.words), "a boundary spelled otherwise; it must "
                 "read -----BEGIN PRIVACY-ENHANCED MESSAGE-----");
    if (reading->words->json)
        pem_put_json(&none, &report, &reading->json);
    fail(reading, seal_say(reading->words->file, "there is no privacy-enhanced message here",
                           EX_DATAERR));
}

/* ---- all of it */

/* The input by its number; for open one that can be read twice. */
static int open_input(const char *path)
{
    bool standard = path == NULL || strcmp(path, "-") == 0;

    return standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static int spool(int fd)
{
    FILE *file = tmpfile();
    char part[65536];
    ssize_t n = -1;

    while (file != NULL && (n = read(fd, part, sizeof(part))) > 0)
        if (fwrite(part, 1, (size_t)n, file) != (size_t)n)
            break;
    int other = file != NULL && n == 0 && fflush(file) == 0 ? dup(fileno(file)) : -1;
    if (file != NULL)
        fclose(file);
    close(fd);
    if (other >= 0)
        (void)lseek(other, 0, SEEK_SET);
    return other;
}

static void begin_json(struct reading *reading)
{
    reading->json = json_to(&reading->says);
    json_put_object(&reading->json);
    json_put_uint(&reading->json, "version", 1);
    json_key(&reading->json, "messages");
    json_put_array(&reading->json);
}

static void end_json(struct reading *reading)
{
    json_put_array_end(&reading->json);
    json_put_object_end(&reading->json);
    json_line_end(&reading->json);
    ctl_print(reading->opens ? stderr : stdout, &reading->says);
}

static int run(struct reading *reading)
{
    const struct seal_words *words = reading->words;
    struct pem_keys view = seal_keys_view(&reading->keys, words->subordinate);
    int status = reading->opens ? seal_out_open(words->output, &reading->out) : 0;

    if (status != 0)
        return status;
    reading->reader = pem_reader_new(&view, true);
    if (reading->reader == NULL)
        return seal_say(NULL, "memory is short", EX_OSERR);
    if (words->json)
        begin_json(reading);
    (void)read_all(reading);
    say_nothing_found(reading);
    if (words->json)
        end_json(reading);
    pem_reader_free(reading->reader);
    if (reading->opens) {
        status = seal_out_close(&reading->out, reading->status == 0);
        reading->status = reading->status != 0 ? reading->status : status;
    }
    return reading->status;
}

int seal_read_words(const struct seal_words *words)
{
    static struct reading reading;

    reading = (struct reading){
        .words = words, .opens = strcmp(words->command, "verify") != 0,
        .converts = strcmp(words->command, "convert") == 0,
        .text = buffer_with_most(2u * SEAL_TEXT_MOST), .start = buffer_with_most(START_MOST),
        .says = buffer_with_most(JSON_MOST), .fd = open_input(words->file),
    };
    if (reading.fd >= 0 && reading.opens && lseek(reading.fd, 0, SEEK_CUR) < 0)
        reading.fd = spool(reading.fd);
    if (reading.fd < 0)
        return seal_say(words->file, strerror(errno), EX_NOINPUT);
    int status = seal_keys_load(words, &reading.keys);
    if (status == 0)
        status = run(&reading);
    seal_keys_done(&reading.keys);
    close(reading.fd);
    password_done(&reading.text);
    password_done(&reading.start);
    buffer_done(&reading.says);
    return ctl_end(status);
}

int seal_read_run(int argc, char **argv)
{
    static struct seal_words words;
    int status = seal_words_read(argc, argv, &words);

    if (status != 0)
        return status;
    if (words.help) {
        fputs(seal_help(words.command), stdout);
        return ctl_end(EX_OK);
    }
    return seal_read_words(&words);
}
