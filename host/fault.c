/* SPDX-License-Identifier: ISC */
#include "host/fault.h"

#include <errno.h>

static const struct { int error; enum fault fault; } faults[] = {
    { ENOSPC, FAULT_NO_SPACE }, { EDQUOT, FAULT_QUOTA }, { EFBIG, FAULT_NO_SPACE },
    { ENOENT, FAULT_GONE }, { ENOTDIR, FAULT_GONE }, { ENAMETOOLONG, FAULT_GONE },
    { EEXIST, FAULT_EXISTS }, { ENOTEMPTY, FAULT_EXISTS },
    { EACCES, FAULT_DENIED }, { EPERM, FAULT_DENIED }, { EROFS, FAULT_DENIED },
    { ELOOP, FAULT_DENIED }, { EXDEV, FAULT_DENIED }, { EISDIR, FAULT_DENIED },
    { ENXIO, FAULT_DENIED }, { ENODEV, FAULT_DENIED }, { ETXTBSY, FAULT_DENIED },
    { EMFILE, FAULT_TOO_MANY }, { ENFILE, FAULT_TOO_MANY }, { EMLINK, FAULT_TOO_MANY },
    { ENOMEM, FAULT_NO_MEMORY }, { ENOBUFS, FAULT_NO_MEMORY },
    { ECONNREFUSED, FAULT_UNREACHED }, { ECONNRESET, FAULT_UNREACHED },
    { ETIMEDOUT, FAULT_UNREACHED }, { EHOSTUNREACH, FAULT_UNREACHED },
    { ENETUNREACH, FAULT_UNREACHED }, { EAGAIN, FAULT_UNREACHED },
    { EADDRNOTAVAIL, FAULT_UNREACHED }, { EPIPE, FAULT_UNREACHED },
};

enum fault fault_of(int error)
{
    for (size_t i = 0; i < COUNT(faults); i++)
        if (faults[i].error == error)
            return faults[i].fault;
    return FAULT_IO;
}

const char *fault_name(enum fault fault)
{
    static const char *const names[] = {
        [OK] = "ok", [FAULT_NO_SPACE] = "no-space", [FAULT_IO] = "io", [FAULT_GONE] = "gone",
        [FAULT_EXISTS] = "exists", [FAULT_DENIED] = "denied", [FAULT_TOO_MANY] = "too-many",
        [FAULT_NO_MEMORY] = "no-memory", [FAULT_SKIPPED] = "skipped",
        [FAULT_UNREACHED] = "unreached", [FAULT_QUOTA] = "quota",
    };
    return names[fault < COUNT(names) ? fault : FAULT_IO];
}
