/* SPDX-License-Identifier: ISC
 *
 * host/folder.h: the folders a server stands on: made when they are missing, and held.
 */
#ifndef POSTERN_HOST_FOLDER_H
#define POSTERN_HOST_FOLDER_H

#include "base/bytes.h"

/* Make the folder and those above it where they are missing, with this mode, and open it. A
   descriptor, or -1 and errno. */
MUST_USE int folder_open(struct bytes path, unsigned mode);
/* Make only those above it. */
MUST_USE bool folder_make_above(struct bytes path, unsigned mode);

/* Hold it against other servers until every process that has this descriptor is gone. Waits up to
   wait_ms for one that is just ending; false when somebody still holds it. */
MUST_USE bool folder_hold(int fd, unsigned wait_ms);

#endif
