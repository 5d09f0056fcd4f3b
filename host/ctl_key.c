/* SPDX-License-Identifier: ISC
 *
 * postern key: files and pass phrases for core/role/once_key.h.
 */
#include "host/ctl_int.h"

#include "base/arena.h"
#include "base/number.h"
#include "crypt/pkcs8.h"
#include "host/clock.h"
#include "host/keystore.h"
#include "host/password.h"
#include "role/once_key.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

enum { WORDS_MOST = 32 };

/* What a run holds, to be given back at its end. */
struct run {
    struct key_request request;
    struct keystore store;
    struct keyring *ring;
    struct key_work work;
    struct buffer input, password, fresh;
    struct rsa_private *key;
};

/* Words of arguments end with a NUL; nothing given is NULL. */
static const char *path_of(struct bytes word)
{
    return word.n == 0 ? NULL : word.at;
}

static int ask_password(struct bytes file, struct bytes fd, const char *prompt, bool twice,
                        struct buffer *to)
{
    struct password_from from = { .file = path_of(file), .fd = -1 };
    uint64_t number;

    if (fd.n > 0 && (!number_parse(fd, &number) || number > 65535)) {
        fputs("postern: a descriptor is a number\n", stderr);
        return EX_USAGE;
    }
    if (fd.n > 0)
        from.fd = (int)number;
    return password_read(&from, prompt, twice, to);
}

static int open_secret(struct run *run)
{
    const struct keyring_secret *secret;
    enum once_exit asked = key_work_secret(&run->work, &secret);

    if (asked != ONCE_WELL || secret == NULL)
        return (int)asked;
    int status = ask_password(run->request.password_file, run->request.password_fd,
                              "Pass phrase of the private key", false, &run->password);
    if (status != 0)
        return status;
    run->work.password = buffer_bytes(&run->password);
    enum pkcs8_result result = pkcs8_open(secret->sealed, run->work.password, &run->key);
    if (result == PKCS8_OPENED
        && (!secret->half_known || rsa_equal(secret->half, rsa_private_public(run->key)))) {
        run->work.key = run->key;
        return 0;
    }
    fputs(result == PKCS8_OPENED ? "postern: the halves of the key do not belong together\n"
          : result == PKCS8_WRONG_PASSWORD ? "postern: this pass phrase does not open the key\n"
          : "postern: the private key cannot be read\n", stderr);
    return result == PKCS8_WRONG_PASSWORD ? EX_NOPERM : EX_DATAERR;
}

/* The pass phrase of a private key that is made or comes in, and of what is written. */
static int ask_for_new(struct run *run)
{
    const struct key_request *request = &run->request;
    int status = 0;

    if (key_needs_password(&run->work)) {
        bool make = request->verb == KEY_MAKE;
        status = ask_password(request->password_file, request->password_fd,
                              make ? "Pass phrase for the new key" : "Pass phrase of the file",
                              make, &run->password);
        run->work.password = buffer_bytes(&run->password);
        if (status == 0 && make && run->password.n == 0) {
            fputs("postern: a private key needs a pass phrase\n", stderr);
            status = EX_USAGE;
        }
    }
    if (status == 0 && (request->new_file.n > 0 || request->new_fd.n > 0)) {
        status = ask_password(request->new_file, request->new_fd, "New pass phrase", true,
                              &run->fresh);
        run->work.new_password = buffer_bytes(&run->fresh);
    }
    return status;
}

static void print_errors(const struct buffer *words)
{
    struct bytes rest = buffer_bytes(words), line;

    while (bytes_cut(&rest, '\n', &line))
        fprintf(stderr, "postern: %.*s\n", (int)line.n, line.at);
}

static int write_files(struct run *run)
{
    int status = 0;

    for (const struct key_write *one = run->work.writes; one != NULL && status == 0;
         one = one->next)
        status = keystore_write(&run->store, one->name, one->text);
    return status;
}

static bool writes(const struct key_request *request)
{
    return request->verb == KEY_MAKE || request->verb == KEY_IMPORT;
}

static int work(struct run *run)
{
    const struct key_request *request = &run->request;
    int status = keystore_open(path_of(request->folder), writes(request), &run->store);

    if (status == 0)
        status = keystore_read(&run->store, run->ring);
    if (status != 0)
        return status;
    run->work = key_work_begin(request, run->ring, (int64_t)(clock_now().wall_ms / 1000));
    if (key_reads_input(request))
        status = keystore_input(request->subject.at, KEY_FILE_MOST, &run->input);
    run->work.input = buffer_bytes(&run->input);
    if (status == 0)
        status = open_secret(run);
    if (status == 0)
        status = ask_for_new(run);
    if (status == 0)
        status = (int)key_work_run(&run->work);
    print_errors(&run->work.err);
    if (status == 0)
        status = write_files(run);
    if (status == 0 || run->work.request->verb == KEY_IMPORT)
        ctl_print(stdout, &run->work.out);
    key_work_done(&run->work);
    return ctl_end(status);
}

int ctl_key_run(int argc, char **argv)
{
    struct run run = { .store.folder = -1 };
    struct bytes words[WORDS_MOST];
    struct buffer flaw = buffer_with_most(4096);
    size_t n = 0;

    for (int i = 1; i < argc && n < WORDS_MOST; i++)
        words[n++] = bytes_of(argv[i]);
    if (argc > WORDS_MOST || !key_words_read(words, n, &run.request, &flaw))
        return ctl_usage(&flaw);
    if (run.request.help) {
        fputs(key_help(), stdout);
        return ctl_end(EX_OK);
    }
    run.ring = keyring_new();
    int status = run.ring == NULL ? EX_OSERR : work(&run);
    rsa_private_free(run.key);
    password_done(&run.password);
    password_done(&run.fresh);
    password_done(&run.input);
    keyring_free(run.ring);
    keystore_close(&run.store);
    return status;
}
