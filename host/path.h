/* SPDX-License-Identifier: ISC
 *
 * host/path.h: names below a folder that is open, and never out of it.
 *
 * The kernel resolves them (openat2: beneath, no symbolic links); where it cannot, component by
 * component here, with the same answers. A name that is absolute, or has an empty, "." or ".."
 * component, or a NUL, is refused with EACCES.
 */
#ifndef POSTERN_HOST_PATH_H
#define POSTERN_HOST_PATH_H

#include "base/bytes.h"

#include <limits.h>

/* As open(2) with these flags (O_CLOEXEC and O_NOFOLLOW are added): a descriptor, or -1 and errno.
   The empty name is the folder itself. */
MUST_USE int path_open(int folder, struct bytes name, int flags, unsigned mode);

/* A name as the folder it stands in and its last component. */
struct path_end {
    int folder;                 /* -1: it could not be opened; errno says why */
    bool borrowed;              /* the folder is the one given to path_end_open */
    char leaf[NAME_MAX + 1];
};

struct path_end path_end_open(int folder, struct bytes name);
void path_end_close(struct path_end *end);

/* For tests: do without openat2, as an older kernel does. */
void path_without_openat2(bool without);

#endif
