/* SPDX-License-Identifier: ISC */
#include "host/password.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MOST = 1024 };

void password_done(struct buffer *password)
{
    if (password->at != NULL)
        mem_wipe(password->at, password->room);
    buffer_done(password);
}

/* A line, octet by octet: what stands behind it is somebody else's. All the room is taken at the
   start, so that growing leaves no copy behind. */
static int read_line(int fd, struct buffer *to)
{
    char c = '\0';
    ssize_t n = 1;

    *to = buffer_with_most(PASSWORD_MOST);
    if (!buffer_reserve(to, PASSWORD_MOST))
        return EX_OSERR;
    while (n > 0 && c != '\n' && !to->bad) {
        do
            n = read(fd, &c, 1);
        while (n < 0 && errno == EINTR);
        if (n > 0 && c != '\n')
            buffer_put_char(to, c);
    }
    if (to->n > 0 && to->at[to->n - 1] == '\r')
        to->n--;
    if (n >= 0 && !to->bad)
        return 0;
    fprintf(stderr, "postern: the pass phrase: %s\n",
            to->bad ? "it is longer than 1024 octets" : strerror(errno));
    return EX_NOINPUT;
}

static int ask(int tty, const char *prompt, struct buffer *to)
{
    struct termios was, quiet;
    bool changed = tcgetattr(tty, &was) == 0;

    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    changed = changed && tcsetattr(tty, TCSAFLUSH, &quiet) == 0;
    /* Only then the prompt: what is typed before the echo is off is thrown away. */
    dprintf(tty, "%s: ", prompt);
    int status = changed ? read_line(tty, to) : EX_NOINPUT;
    if (changed)
        (void)tcsetattr(tty, TCSAFLUSH, &was);
    else
        fputs("postern: the terminal's echo cannot be switched off\n", stderr);
    dprintf(tty, "\n");
    return status;
}

static int ask_twice(int tty, struct buffer *password)
{
    struct buffer again = { 0 };
    int status = ask(tty, "The same again", &again);

    if (status == 0 && !bytes_equal(buffer_bytes(password), buffer_bytes(&again))) {
        fputs("postern: these were two different pass phrases\n", stderr);
        status = EX_USAGE;
    }
    password_done(&again);
    return status;
}

int password_read(const struct password_from *from, const char *prompt, bool twice,
                  struct buffer *ret_password)
{
    int fd = from->file == NULL ? from->fd : open(from->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int status;

    *ret_password = (struct buffer){ 0 };
    if (from->file != NULL && fd < 0) {
        fprintf(stderr, "postern: %s: %s\n", from->file, strerror(errno));
        return EX_NOINPUT;
    }
    if (fd >= 0) {
        status = read_line(fd, ret_password);
        if (from->file != NULL)
            close(fd);
        return status;
    }
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0) {
        fputs("postern: there is no terminal to ask for a pass phrase; use --password-file or"
              " --password-fd\n", stderr);
        return EX_NOINPUT;
    }
    status = ask(tty, prompt, ret_password);
    if (status == 0 && twice)
        status = ask_twice(tty, ret_password);
    close(tty);
    return status;
}
