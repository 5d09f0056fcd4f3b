/* SPDX-License-Identifier: ISC */
#include "host/estate.h"

#include "base/ip.h"
#include "base/log.h"
#include "host/address.h"
#include "host/clock.h"
#include "host/folder.h"
#include "role/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    HOLD_WAIT_MS = 3000,        /* a killed server's store may just be ending */
    SPARE_DESCRIPTORS = 96,
    ANCHOR_MOST = 64 * 1024,
    RESOLVER_DESCRIPTORS = 512,
};

static int complain(struct buffer *words, const char *setting, struct bytes path, const char *why,
                    int status)
{
    buffer_put(words, BYTES("postern: "));
    buffer_put_text(words, setting);
    buffer_put_char(words, ' ');
    buffer_put(words, path);
    buffer_put(words, BYTES(": "));
    buffer_put_text(words, why);
    buffer_put_char(words, '\n');
    return status;
}

static int open_folders(struct estate *estate, struct buffer *reterr_words)
{
    struct bytes spool = estate->conf->spool, mail = estate->conf->mailboxes;
    struct bytes keys = estate->conf->certificates;

    estate->spool_fd = folder_open(spool, 0700);
    if (estate->spool_fd < 0)
        return complain(reterr_words, "spool", spool, strerrordesc_np(errno), EX_CANTCREAT);
    if (!folder_hold(estate->spool_fd, HOLD_WAIT_MS))
        return complain(reterr_words, "spool", spool, "another server uses it", EX_UNAVAILABLE);
    if (keys.n > 0)
        estate->keys_fd = folder_open(keys, 0700);
    if (keys.n > 0 && estate->keys_fd < 0)
        return complain(reterr_words, "certificates", keys, strerrordesc_np(errno), EX_NOINPUT);
    if (mail.n == 0)
        return 0;               /* an LMTP server keeps all of them */
    estate->mail_fd = folder_open(mail, 0700);
    if (estate->mail_fd < 0)
        return complain(reterr_words, "mailboxes", mail, strerrordesc_np(errno), EX_CANTCREAT);
    return 0;
}

/* ---- users ---- */

static int find_users(struct estate *estate, struct buffer *reterr_words)
{
    char name[USER_NAME_MOST];

    estate->by_users = estate->conf->users && geteuid() == 0;
    for (enum role_kind kind = 0; kind < ROLE_KINDS && estate->by_users; kind++) {
        const struct role_rights *rights = rights_of(kind);
        if (kind == ROLE_MASTER || kind == ROLE_USER
            || users_find(rights->name, &estate->users[kind]))
            continue;
        users_name(rights->name, name);
        return complain(reterr_words, "user", bytes_of(name),
                        "the system has no such user; systemd-sysusers makes them from "
                        "postern.sysusers, \"users no\" does without", EX_NOUSER);
    }
    return 0;
}

/* The spool is the store's. Mailboxes that belong to a user already are written by that one. */
static int give_folders(struct estate *estate, struct buffer *reterr_words)
{
    struct user *local = &estate->users[ROLE_LOCAL];
    struct stat mail;

    if (!estate->by_users)
        return 0;
    if (!users_give(estate->spool_fd, estate->users[ROLE_STORE]))
        return complain(reterr_words, "spool", estate->conf->spool, strerrordesc_np(errno),
                        EX_CANTCREAT);
    if (estate->mail_fd < 0)
        return 0;
    if (fstat(estate->mail_fd, &mail) < 0
        || (mail.st_uid == 0 && !users_give(estate->mail_fd, *local)))
        return complain(reterr_words, "mailboxes", estate->conf->mailboxes,
                        strerrordesc_np(errno), EX_CANTCREAT);
    for (enum role_kind kind = 0; kind < ROLE_KINDS; kind++)
        if (kind != ROLE_LOCAL && kind != ROLE_MASTER && kind != ROLE_USER
            && mail.st_uid == estate->users[kind].uid)
            return complain(reterr_words, "mailboxes", estate->conf->mailboxes,
                            "they belong to the user of another role", EX_CONFIG);
    if (mail.st_uid != 0)
        *local = (struct user){ mail.st_uid, mail.st_gid };
    return 0;
}

/* ---- the web ---- */

static int add_web(struct estate *estate, const struct conf_web *web, struct bytes entry,
                   struct buffer *reterr_words)
{
    int fd;

    if (web->off)
        return 0;
    if (estate->n_web == HTTP_LISTEN_MOST)
        return complain(reterr_words, "web", entry, "too many sockets", EX_CONFIG);
    fd = listen_web(web, entry, reterr_words);
    if (fd < 0)
        return EX_UNAVAILABLE;
    estate->web_fds[estate->n_web++] = fd;
    return 0;
}

/* Beside the control socket when nothing else is said. */
static int add_web_default(struct estate *estate, struct buffer *reterr_words)
{
    struct bytes control = estate->conf->control;
    struct buffer path = buffer_with_most(control.n + 4);
    int status;

    buffer_put(&path, bytes_first(control, bytes_find_last(control, '/')));
    buffer_put(&path, BYTES("/web"));
    struct conf_web web = { .path = buffer_bytes(&path) };
    status = path.bad ? EX_OSERR : add_web(estate, &web, web.path, reterr_words);
    buffer_done(&path);
    return status;
}

static int open_web(struct estate *estate, struct buffer *reterr_words)
{
    struct conf_texts entries = estate->conf->web;
    struct conf_web web;
    int status = 0;

    if (entries.n == 0)
        return add_web_default(estate, reterr_words);
    for (size_t i = 0; i < entries.n && status == 0; i++)
        if (conf_web_parse(entries.list[i], &web))
            status = add_web(estate, &web, entries.list[i], reterr_words);
    return status;
}

/* ---- names */

/* Without the keys of the root nothing is proved, and mail still goes: said once, in the log. */
static int read_anchor(struct estate *estate, struct buffer *reterr_words)
{
    char name[PATH_MAX];
    struct bytes path = estate->conf->trust_anchor;
    ssize_t n = 1;

    if (path.n == 0 || path.n >= sizeof(name))
        return 0;
    memcpy(name, path.at, path.n);
    name[path.n] = '\0';
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd >= 0 && n > 0 && estate->anchor.n <= ANCHOR_MOST) {
        char part[4096];
        n = read(fd, part, sizeof(part));
        if (n > 0)
            buffer_put(&estate->anchor, (struct bytes){ part, (size_t)n });
    }
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && n == 0 && !estate->anchor.bad && resolver_anchor_reads(
            buffer_bytes(&estate->anchor)))
        return 0;
    if (fd < 0 && errno == ENOENT)
        return 0;
    return complain(reterr_words, "trust-anchor", path,
                    fd < 0 ? strerrordesc_np(errno) : "it has no keys of the root (DNSKEY or DS)",
                    EX_CONFIG);
}

/* Beside the control socket when nothing else is said. */
static int open_submit(struct estate *estate, struct buffer *reterr_words)
{
    struct buffer path = buffer_with_most(LIMIT_SOCKET_PATH + 8);

    conf_submit_put(&path, estate->conf);
    estate->submit_fd = listen_submit(buffer_bytes(&path), reterr_words);
    buffer_done(&path);
    return estate->submit_fd < 0 ? EX_UNAVAILABLE : 0;
}

int estate_open(struct estate *estate, const struct conf *conf, struct log_sink *log,
                struct buffer *reterr_words)
{
    int status;

    *estate = (struct estate){ .conf = conf, .log = log, .ops_of = role_ops_of,
                               .control_fd = -1, .submit_fd = -1, .spool_fd = -1, .mail_fd = -1,
                               .keys_fd = -1,
                               .anchor = buffer_with_most(ANCHOR_MOST + 1) };
    status = find_users(estate, reterr_words);
    if (status == 0)
        status = open_folders(estate, reterr_words);
    if (status == 0)
        status = give_folders(estate, reterr_words);
    if (status == 0 && !listen_open(conf->listen, conf->fronts, estate->fronts, reterr_words))
        status = EX_UNAVAILABLE;
    if (status == 0) {
        estate->control_fd = listen_control(conf->control, reterr_words);
        status = estate->control_fd < 0 ? EX_UNAVAILABLE : 0;
    }
    if (status == 0)
        status = open_submit(estate, reterr_words);
    if (status == 0)
        status = open_web(estate, reterr_words);
    if (status == 0)
        status = read_anchor(estate, reterr_words);
    if (status != 0)
        estate_close(estate);
    return status;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A listening socket, and its name in the file system if it has one. */
static void close_named(int *fd)
{
    struct address_buffer name = { .n = sizeof(name.at) };

    if (*fd >= 0 && getsockname(*fd, &name.at.any, &name.n) == 0
        && name.at.any.sa_family == AF_UNIX && name.n > sizeof(sa_family_t))
        unlink(name.at.local.sun_path);
    close_one(fd);
}

void estate_close(struct estate *estate)
{
    close_named(&estate->control_fd);
    close_named(&estate->submit_fd);
    for (size_t i = 0; i < estate->n_web; i++)
        close_named(&estate->web_fds[i]);
    estate->n_web = 0;
    close_one(&estate->spool_fd);
    close_one(&estate->mail_fd);
    close_one(&estate->keys_fd);
    buffer_done(&estate->anchor);
    listen_close(estate->fronts, estate->conf->fronts);
}

uint64_t estate_fronts(const struct conf *conf, bool together)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    uint64_t processors = n < 1 ? 1 : n > LIMIT_FRONTS ? LIMIT_FRONTS : (uint64_t)n;

    return together ? 1 : conf->fronts == 0 ? processors : conf->fronts;
}

static void log_users(const struct estate *estate)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    if (geteuid() == 0 && !estate->by_users) {
        log_begin(&line, "users-off");
        log_ours(&line, "why", BYTES("the configuration says so: every role runs as root"));
        log_sink_put(estate->log, clock_now().wall_ms, LOG_WARN, BYTES("master"),
                     buffer_bytes(&line));
    }
    buffer_done(&line);
}

static void log_anchor(const struct estate *estate)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    if (estate->anchor.n == 0) {
        log_begin(&line, "no-trust-anchor");
        log_ours(&line, "file", estate->conf->trust_anchor);
        log_ours(&line, "why", BYTES("it is not there: no answer of the DNS is proved, and DANE "
                                     "protects nothing; install dns-root-data"));
        log_sink_put(estate->log, clock_now().wall_ms, LOG_WARN, BYTES("master"),
                     buffer_bytes(&line));
    }
    buffer_done(&line);
}

void estate_log(const struct estate *estate)
{
    log_users(estate);
    log_anchor(estate);
    for (size_t i = 0; i < estate->fronts[0].n; i++) {
        struct buffer line = buffer_with_most(LIMIT_LOG_LINE), text = buffer_with_most(64);
        struct net_address address;
        if (address_of_socket(estate->fronts[0].fds[i], &address))
            net_address_put(&text, &address);
        log_begin(&line, "listening");
        log_ours(&line, "address", buffer_bytes(&text));
        log_uint(&line, "fronts", estate->conf->fronts);
        log_sink_put(estate->log, clock_now().wall_ms, LOG_INFO, BYTES("master"),
                     buffer_bytes(&line));
        buffer_done(&line);
        buffer_done(&text);
    }
}

/* Each actor closes its own: it is given copies. */
static int copy_of(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool equip_listener(struct actor *actor, int fd, uint32_t entry)
{
    int copy = copy_of(fd);

    return copy >= 0 && conns_listen(&actor->conns, copy, entry);
}

static bool equip_web(const struct estate *estate, struct actor *actor)
{
    for (size_t i = 0; i < estate->n_web; i++) {
        int copy = copy_of(estate->web_fds[i]);
        if (copy < 0 || !actor_open_web(actor, copy))
            return false;
    }
    return true;
}

static bool equip_folder(struct actor *actor, enum io_root root, int fd)
{
    actor->files.roots[root] = copy_of(fd);
    return actor->files.roots[root] >= 0;
}

bool estate_equip(const struct estate *estate, struct actor *actor)
{
    const struct role_rights *rights = rights_of(actor->name.kind);
    const struct listen_set *set = &estate->fronts[actor->name.index % LIMIT_FRONTS];

    for (size_t i = 0; i < set->n && rights->may & MAY_SMTP; i++)
        if (!equip_listener(actor, set->fds[i], set->entries[i]))
            return false;
    if (rights->may & MAY_SMTP && estate->submit_fd >= 0
        && !equip_listener(actor, estate->submit_fd, LISTEN_SUBMIT))
        return false;
    if (rights->may & MAY_CONTROL && !equip_listener(actor, estate->control_fd, 0))
        return false;
    if (rights->may & MAY_WEB && !equip_web(estate, actor))
        return false;
    if (rights->may & MAY_SPOOL && !equip_folder(actor, IN_SPOOL, estate->spool_fd))
        return false;
    if (rights->may & MAY_MAIL && estate->mail_fd >= 0
        && !equip_folder(actor, IN_MAIL, estate->mail_fd))
        return false;
    if (rights->may & MAY_KEYS && estate->keys_fd >= 0
        && !equip_folder(actor, IN_KEYS, estate->keys_fd))
        return false;
    if (rights->may & MAY_HOME && estate->home != NULL && estate->home->fd >= 0
        && !equip_folder(actor, IN_MAIL, estate->home->fd))
        return false;
    if (rights->may & MAY_DNS
        && !actor_open_resolver(actor, estate->conf->resolver, buffer_bytes(&estate->anchor)))
        return false;
    if (rights->may & MAY_FETCH && !actor_open_fetcher(actor, estate->conf->authorities_text))
        return false;
    return rights->lanes == 0 || actor_open_lanes(actor, rights->lanes);
}

/* Clients, a few more to be turned away, files, channels, and what comes and goes. */
static uint64_t descriptors_of(const struct conf *conf)
{
    uint64_t clients = conf_connections(conf);

    return clients + clients / 8 + 2 * (LISTEN_MOST + 1) + LIMIT_IO_FILES + LIMIT_FRONTS
         + 2 * (HTTP_LISTEN_MOST + LIMIT_WEB_CLIENTS) + RESOLVER_DESCRIPTORS + ROLE_KINDS
         + SPARE_DESCRIPTORS;
}

/* Whoever has no home to be in is local, with no folder at all. */
static void be_at_home(const struct estate *estate, struct box *box)
{
    const struct home *home = estate->home;

    box->uid = estate->users[ROLE_LOCAL].uid;
    box->gid = estate->users[ROLE_LOCAL].gid;
    if (home == NULL || home->state != HOME_WELL)
        return;
    box->change_user = geteuid() == 0;
    box->uid = home->user.uid;
    box->gid = home->user.gid;
    box->groups = home->groups;
    box->n_groups = home->n_groups;
    box->folders[box->n_folders++] = home->fd;
}

struct box estate_box(const struct estate *estate, enum role_kind kind)
{
    const struct role_rights *rights = rights_of(kind);
    struct box box = {
        .rights = rights, .descriptors = descriptors_of(estate->conf),
        .change_user = estate->by_users,
        .uid = estate->users[kind].uid, .gid = estate->users[kind].gid,
    };

    if (rights->may & MAY_SPOOL)
        box.folders[box.n_folders++] = estate->spool_fd;
    if (rights->may & MAY_MAIL && estate->mail_fd >= 0)
        box.folders[box.n_folders++] = estate->mail_fd;
    if (rights->may & MAY_KEYS && estate->keys_fd >= 0)
        box.folders[box.n_folders++] = estate->keys_fd;
    if (rights->may & MAY_HOME)
        be_at_home(estate, &box);
    return box;
}

size_t estate_share(const struct estate *estate, struct role_name role, int *ret_fds)
{
    const struct role_rights *rights = rights_of(role.kind);
    const struct listen_set *set = &estate->fronts[role.index % LIMIT_FRONTS];
    size_t n = 0;

    for (size_t i = 0; i < set->n && rights->may & MAY_SMTP; i++)
        ret_fds[n++] = set->fds[i];
    if (rights->may & MAY_SMTP && estate->submit_fd >= 0)
        ret_fds[n++] = estate->submit_fd;
    if (rights->may & MAY_CONTROL)
        ret_fds[n++] = estate->control_fd;
    for (size_t i = 0; i < estate->n_web && rights->may & MAY_WEB; i++)
        ret_fds[n++] = estate->web_fds[i];
    if (rights->may & MAY_SPOOL)
        ret_fds[n++] = estate->spool_fd;
    if (rights->may & MAY_MAIL && estate->mail_fd >= 0)
        ret_fds[n++] = estate->mail_fd;
    if (rights->may & MAY_KEYS && estate->keys_fd >= 0)
        ret_fds[n++] = estate->keys_fd;
    return n;
}
