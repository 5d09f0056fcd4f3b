/* SPDX-License-Identifier: ISC */
#include "host/box_int.h"

#include "base/limits.h"
#include "base/log.h"
#include "host/clock.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MEMORY_GIB = 8 };        /* of addresses: the index of a large store is the most there is */

void box_lack(struct box *box, const char *what)
{
    if (box->n_lacks < BOX_LACKS_MOST)
        box->lacks[box->n_lacks++] = what;
}

/* Never more than there is already. */
static void limit(int which, uint64_t most)
{
    struct rlimit now;

    if (getrlimit((__rlimit_resource_t)which, &now) < 0)
        return;
    now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
    now.rlim_cur = now.rlim_cur < now.rlim_max ? now.rlim_cur : now.rlim_max;
    (void)setrlimit((__rlimit_resource_t)which, &now);
}

static void set_limits(const struct box *box)
{
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_RTPRIO, 0);
    if (box->descriptors > 0)
        limit(RLIMIT_NOFILE, box->descriptors);
    if (BOX_IS_SANITIZED)
        return;                 /* they map terabytes, and a core is what they are for */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_AS, (uint64_t)MEMORY_GIB << 30);
}

/* Whatever master was started with on 0 and 1, a terminal say, is none of ours. */
static void leave_terminal(void)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nothing < 0)
        return;
    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(nothing, STDOUT_FILENO);
    if (nothing > STDERR_FILENO)
        close(nothing);
}

static bool be_user(const struct box *box)
{
    if (!box->change_user)
        return true;
    return setgroups(box->n_groups, box->groups) == 0
        && setresgid(box->gid, box->gid, box->gid) == 0
        && setresuid(box->uid, box->uid, box->uid) == 0
        && setuid(0) < 0;       /* there must be no way back */
}

bool box_enter(struct box *box)
{
    umask(077);
    set_limits(box);
    leave_terminal();
    (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);   /* another's keys */
    box_network_as_master(box);
    box_bound(0);
    if (!be_user(box))
        return false;
    box_network_as_user(box);
    if (!box_capabilities(0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !box_files(box))
        return false;
    prctl(PR_SET_DUMPABLE, BOX_IS_SANITIZED);
    return true;
}

bool box_close(struct box *box)
{
    if (!BOX_IS_SANITIZED)
        limit(RLIMIT_NPROC, 0);     /* threads count, too: all there will be are there */
    return box_calls(box);
}

bool box_master(void)
{
    static const unsigned needed[] = {
        CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_KILL, CAP_SETGID,
        CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN,
    };
    uint64_t keep = 0;

    for (size_t i = 0; i < COUNT(needed); i++)
        keep |= (uint64_t)1 << needed[i];
    box_bound(keep);
    return box_capabilities(keep) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void box_log(const struct box *box, struct log_sink *log, struct bytes label)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE), lacks = buffer_with_most(128);

    for (size_t i = 0; i < box->n_lacks; i++) {
        if (i > 0)
            buffer_put_char(&lacks, ',');
        buffer_put_text(&lacks, box->lacks[i]);
    }
    log_begin(&line, "box");
    log_uint(&line, "uid", geteuid());
    bool connects = (box->rights->may & (MAY_CONNECT | MAY_DNS | MAY_FETCH)) != 0;
    log_ours(&line, "network", connects ? BYTES("connects")
                             : box->no_network ? BYTES("none") : BYTES("shared"));
    log_uint(&line, "landlock", (uint64_t)box->landlock);
    log_uint(&line, "calls", box->calls);
    if (lacks.n > 0)
        log_ours(&line, "lacks", buffer_bytes(&lacks));
    log_sink_put(log, clock_now().wall_ms, lacks.n > 0 ? LOG_WARN : LOG_INFO, label,
                 buffer_bytes(&line));
    buffer_done(&line);
    buffer_done(&lacks);
}
