/* SPDX-License-Identifier: ISC */
#include "host/box_int.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void box_bound(uint64_t keep)
{
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (!(keep >> cap & 1))
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);     /* only root has any to drop */
}

bool box_capabilities(uint64_t keep)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2];

    if (syscall(SYS_capget, &head, sets) < 0)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t kept = sets[i].permitted & (uint32_t)(keep >> (32 * i));
        sets[i] = (struct __user_cap_data_struct){ .effective = kept, .permitted = kept };
    }
    return syscall(SYS_capset, &head, sets) == 0;
}
