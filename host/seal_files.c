/* SPDX-License-Identifier: ISC
 *
 * What is written stands under its name only when all of it is good: a temporary file in the same
 * folder, renamed. For standard output it has no name at all.
 */
#include "host/seal_int.h"

#include "base/safe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int seal_say(const char *path, const char *why, int status)
{
    struct buffer words = buffer_with_most(16384);

    buffer_put(&words, BYTES("postern: "));
    if (path != NULL) {
        safe_put_plain(&words, bytes_of(path));
        buffer_put(&words, BYTES(": "));
    }
    buffer_put_text(&words, why);
    buffer_put_char(&words, '\n');
    fwrite(words.at, 1, words.n, stderr);
    buffer_done(&words);
    return status;
}

static bool is_standard(const char *path)
{
    return path == NULL || strcmp(path, "-") == 0;
}

int seal_out_open(const char *path, struct seal_out *ret_out)
{
    struct seal_out *out = ret_out;

    *out = (struct seal_out){ .path = path };
    if (is_standard(path)) {
        out->file = tmpfile();
        return out->file != NULL ? 0 : seal_say(NULL, strerror(errno), EX_CANTCREAT);
    }
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path + 1);
    int n = snprintf(out->made, sizeof(out->made), "%.*s.postern-XXXXXX", folder, path);
    int fd = n < 0 || (size_t)n >= sizeof(out->made) ? -1 : mkstemp(out->made);
    out->file = fd < 0 ? NULL : fdopen(fd, "w+be");
    if (out->file != NULL)
        return 0;
    if (fd >= 0)
        close(fd);
    return seal_say(path, strerror(errno), EX_CANTCREAT);
}

bool seal_out_put(struct seal_out *out, struct bytes text)
{
    return fwrite(text.at, 1, text.n, out->file) == text.n;
}

bool seal_out_show(struct seal_out *out, long from)
{
    char part[65536];
    size_t n;

    if (!is_standard(out->path))
        return true;
    if (fseek(out->file, from, SEEK_SET) != 0)
        return false;
    while ((n = fread(part, 1, sizeof(part), out->file)) > 0)
        if (fwrite(part, 1, n, stdout) != n)
            return false;
    return ferror(out->file) == 0 && fflush(stdout) == 0 && fseek(out->file, 0, SEEK_END) == 0;
}

int seal_out_close(struct seal_out *out, bool keep)
{
    bool well = out->file == NULL
        || (fflush(out->file) == 0 && (!keep || is_standard(out->path)
                                       || fsync(fileno(out->file)) == 0));

    if (out->file != NULL)
        well = fclose(out->file) == 0 && well;
    out->file = NULL;
    if (out->made[0] == '\0')
        return well ? 0 : seal_say(NULL, strerror(errno), EX_IOERR);
    if (keep && well && rename(out->made, out->path) == 0)
        return 0;
    int error = errno;
    (void)unlink(out->made);
    return keep ? seal_say(out->path, strerror(error), EX_CANTCREAT) : 0;
}
