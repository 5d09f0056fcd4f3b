/* SPDX-License-Identifier: ISC */
#include "host/box_int.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From Linux's landlock.h of later years: this one is built with older headers, too. */
enum {
    LATER_FS_TRUNCATE = 1 << 14,        /* ABI 3 */
    LATER_FS_IOCTL_DEV = 1 << 15,       /* ABI 5 */
    LATER_NET_BIND_TCP = 1 << 0,        /* ABI 4 */
    LATER_NET_CONNECT_TCP = 1 << 1,
    LATER_SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
    LATER_SCOPE_SIGNAL = 1 << 1,
    ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6,
};

struct rules {
    uint64_t files, network, scoped;
};

enum {
    ALL_ABI_1 = (1 << 13) - 1,
    STORED = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE
           | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE
           | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR
           | LANDLOCK_ACCESS_FS_REFER | LATER_FS_TRUNCATE,
    LOOKED_AT = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
};

/* All that this kernel can forbid. */
static struct rules rules_of(int abi, unsigned may)
{
    struct rules rules = { .files = ALL_ABI_1 };

    if (abi >= ABI_REFER)
        rules.files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        rules.files |= LATER_FS_TRUNCATE;
    if (abi >= ABI_IOCTL)
        rules.files |= LATER_FS_IOCTL_DEV;
    if (abi >= ABI_NET)
        rules.network = LATER_NET_BIND_TCP
                      | (may & (MAY_CONNECT | MAY_DNS | MAY_FETCH) ? 0 : LATER_NET_CONNECT_TCP);
    if (abi >= ABI_SCOPE)
        rules.scoped = LATER_SCOPE_ABSTRACT_UNIX | LATER_SCOPE_SIGNAL;
    return rules;
}

static size_t rules_size(int abi)
{
    return abi >= ABI_SCOPE ? sizeof(struct rules) : abi >= ABI_NET ? 2 * sizeof(uint64_t)
                                                                    : sizeof(uint64_t);
}

static bool leave_open(int ruleset, uint64_t files, unsigned may, int folder)
{
    uint64_t wanted = may & (MAY_SPOOL | MAY_MAIL | MAY_HOME) ? STORED : LOOKED_AT;
    struct landlock_path_beneath_attr below = { .allowed_access = files & wanted,
                                                .parent_fd = folder };

    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;
}

static bool restrict_to(const struct box *box, int abi)
{
    struct rules rules = rules_of(abi, box->rights->may);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, rules_size(abi), 0);
    bool done = ruleset >= 0;

    for (size_t i = 0; i < box->n_folders && done; i++)
        done = leave_open(ruleset, rules.files, box->rights->may, box->folders[i]);
    done = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int error = errno;
    if (ruleset >= 0)
        close(ruleset);
    errno = error;
    return done;
}

bool box_files(struct box *box)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    /* The first one could not move a file from one folder to another. */
    if (abi < 1 || (abi < ABI_REFER && box->n_folders > 0)) {
        box_lack(box, "landlock");
        return true;
    }
    box->landlock = abi;
    return restrict_to(box, abi);
}
