/* SPDX-License-Identifier: ISC */
#include "host/ctl_dialogue.h"

#include "base/safe.h"
#include "host/ctl_int.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void dialogue_begin(struct dialogue *dialogue, int fd, FILE *shown)
{
    *dialogue = (struct dialogue){
        .fd = fd, .shown = shown,
        .in = buffer_with_most(DIALOGUE_REPLY_MOST),
        .reply = buffer_with_most(DIALOGUE_REPLY_MOST),
    };
}

void dialogue_close(struct dialogue *dialogue)
{
    close(dialogue->fd);
    buffer_done(&dialogue->in);
    buffer_done(&dialogue->reply);
}

static void show(struct dialogue *dialogue, const char *who, struct bytes line)
{
    struct buffer safe = buffer_with_most(8 * DIALOGUE_REPLY_MOST);

    if (dialogue->shown == NULL)
        return;
    safe_put_plain(&safe, line);
    fprintf(dialogue->shown, "%s %.*s\n", who, (int)safe.n, safe.n == 0 ? "" : safe.at);
    buffer_done(&safe);
}

bool dialogue_line(struct dialogue *dialogue, struct bytes line)
{
    struct buffer out = buffer_with_most(DIALOGUE_REPLY_MOST);

    show(dialogue, "C:", line);
    buffer_put(&out, line);
    buffer_put(&out, BYTES("\r\n"));
    bool sent = !out.bad && ctl_send(dialogue->fd, buffer_bytes(&out));
    buffer_done(&out);
    return sent;
}

bool dialogue_text(struct dialogue *dialogue, struct bytes text)
{
    if (dialogue->shown != NULL)
        fprintf(dialogue->shown, "C: (%zu octets of text)\n", text.n);
    return ctl_send(dialogue->fd, text);
}

/* One line of the server, without its end, which is left in `in` until the next call. */
static bool take_line(struct dialogue *dialogue, size_t *used, struct bytes *ret_line)
{
    enum { PART = 4096 };

    buffer_drop(&dialogue->in, *used);
    size_t end;
    while ((end = bytes_find(buffer_bytes(&dialogue->in), '\n')) == dialogue->in.n) {
        char *at = buffer_grow(&dialogue->in, PART);
        ssize_t n = at == NULL ? -1 : recv(dialogue->fd, at, PART, 0);
        if (at != NULL)
            dialogue->in.n -= PART - (n < 0 ? 0 : (size_t)n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
    }
    *used = end + 1;
    *ret_line = bytes_trim(bytes_first(buffer_bytes(&dialogue->in), end));
    return true;
}

static int code_of(struct bytes line)
{
    if (line.n < 3 || line.at[0] < '2' || line.at[0] > '5' || !is_digit(line.at[1])
        || !is_digit(line.at[2]) || (line.n > 3 && line.at[3] != ' ' && line.at[3] != '-'))
        return -1;
    return (line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0');
}

int dialogue_reply(struct dialogue *dialogue)
{
    struct bytes line;
    size_t used = 0;
    bool more = true;
    int code = -1;

    buffer_clear(&dialogue->reply);
    while (more) {
        if (!take_line(dialogue, &used, &line)) {
            fputs("postern: the server says no more\n", stderr);
            return -1;
        }
        show(dialogue, "S:", line);
        code = code_of(line);
        more = code > 0 && line.n > 3 && line.at[3] == '-';
        buffer_put(&dialogue->reply, bytes_skip(line, 4));
        buffer_put_char(&dialogue->reply, '\n');
        if (dialogue->reply.bad)
            return -1;
    }
    buffer_drop(&dialogue->in, used);
    return code;
}
