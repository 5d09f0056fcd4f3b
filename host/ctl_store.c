/* SPDX-License-Identifier: ISC
 *
 * postern store check, postern store export: the files of the queue while no server runs; postern
 * store backup: a copy of them while one does.
 */
#include "host/ctl_int.h"

#include "base/id.h"
#include "host/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const char help[] =
    "usage: postern store check [-c FILE] [--json]\n"
    "       postern store export [-c FILE] ID [OUTPUT]\n"
    "       postern store export [-c FILE] --all FOLDER\n"
    "       postern store backup [-c FILE] FOLDER\n"
    "\n"
    "Looks at the files of the queue while no server runs, and changes nothing; or copies\n"
    "them while one does.\n"
    "\n"
    "  check    reads every record and names what is damaged; exit status 1 when anything is\n"
    "  export   writes a letter as it was received, or with --all each letter that is not\n"
    "           finished, as ID.eml, with its envelope as ID.envelope\n"
    "  backup   copies the queue of the running server into a new folder, which a server\n"
    "           can be started on: every letter acknowledged before is in it\n"
    "  -c FILE  the configuration file\n"
    "  --json   one JSON object a flaw, and one with the totals\n";

struct request {
    bool check, backup, json, all, help;
    const char *id, *output;
};

static bool take_word(struct request *request, const char *word)
{
    if (request->check || (request->backup && request->id != NULL)
        || (request->id != NULL && (request->all || request->output != NULL)))
        return false;
    if (request->id == NULL)
        request->id = word;
    else
        request->output = word;
    return true;
}

static int read_words(const struct bytes *words, size_t n, struct request *request)
{
    if (n > 1 && bytes_equal(words[1], BYTES("check")))
        request->check = true;
    else if (n > 1 && bytes_equal(words[1], BYTES("backup")))
        request->backup = true;
    else if (n > 1 && ctl_is_help(words[1].at))
        request->help = true;
    else if (n < 2 || !bytes_equal(words[1], BYTES("export")))
        return ctl_unknown("store", n < 2 ? "" : words[1].at);
    for (size_t i = 2; i < n; i++) {
        if (ctl_is_help(words[i].at))
            request->help = true;
        else if (bytes_equal(words[i], BYTES("--json")) && request->check)
            request->json = true;
        else if (bytes_equal(words[i], BYTES("--all")) && !request->check && !request->backup)
            request->all = true;
        else if (words[i].at[0] == '-' || !take_word(request, words[i].at))
            return ctl_unknown("store", words[i].at);
    }
    if (!request->help && !request->check && request->id == NULL) {
        fputs(request->backup ? "postern: store backup wants a folder to make; see --help\n"
              : "postern: store export wants an ID, or --all and a folder; see --help\n", stderr);
        return EX_USAGE;
    }
    return 0;
}

static int refuse_file(const char *name, int status)
{
    fprintf(stderr, "postern: %s: %s\n", name, strerror(errno));
    return status;
}

static int export_one(const struct conf *conf, const struct request *request)
{
    FILE *out = stdout;
    uint64_t id;

    if (!id_parse(bytes_of(request->id), &id)) {
        fputs("postern: a letter's id is 13 letters and digits\n", stderr);
        return EX_USAGE;
    }
    if (request->output != NULL) {
        int fd = open(request->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        out = fd < 0 ? NULL : fdopen(fd, "w");
        if (out == NULL)
            return refuse_file(request->output, EX_CANTCREAT);
    }
    int status = ctl_look(&(struct ctl_place){ conf->spool, true, -1, out, stderr },
                          look_export(id));
    if (out != stdout && fclose(out) != 0)
        status = refuse_file(request->output, EX_IOERR);
    return status;
}

static int export_all(const struct conf *conf, const struct request *request)
{
    if (mkdir(request->id, 0700) != 0 && errno != EEXIST)
        return refuse_file(request->id, EX_CANTCREAT);
    int into = open(request->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (into < 0)
        return refuse_file(request->id, EX_CANTCREAT);
    int status = ctl_look(&(struct ctl_place){ conf->spool, true, into, stdout, stderr },
                          look_export_all());
    close(into);
    return status;
}

static int run(const struct conf *conf, const struct request *request)
{
    struct once_style style = { request->json, false, clock_now().wall_ms };

    if (request->backup)
        return ctl_backup(conf, request->id);
    if (request->check)
        return ctl_look(&(struct ctl_place){ conf->spool, true, -1, stdout, stderr },
                        look_check(style));
    return request->all ? export_all(conf, request) : export_one(conf, request);
}

int ctl_store_run(int argc, char **argv)
{
    struct bytes words[CTL_WORDS_MOST];
    static struct conf_file file;
    struct request request = { 0 };
    const char *path;
    size_t n;

    if (!ctl_words(argc, argv, words, &n, &path))
        return EX_USAGE;
    int status = read_words(words, n, &request);
    if (status != 0)
        return status;
    if (request.help) {
        fputs(help, stdout);
        return ctl_end(EX_OK);
    }
    status = ctl_conf(path, &file);
    if (status != 0)
        return status;
    status = run(&file.conf, &request);
    conf_file_done(&file);
    return ctl_end(status);
}
