/* SPDX-License-Identifier: ISC
 *
 * host/file.h: one file operation, done now by the thread that calls. The host threads of io.h
 * call it.
 */
#ifndef POSTERN_HOST_FILE_H
#define POSTERN_HOST_FILE_H

#include "base/effects.h"
#include "base/limits.h"

#include <stdatomic.h>

/* The folders and the open files of one role. Slots are shared by its threads; a role that uses a
   slot in two lanes at once must wait for the one before it starts the other, as base/effects.h
   says. */
struct files {
    int roots[IO_ROOTS];        /* -1: this role has no such folder */
    _Atomic int slots[LIMIT_IO_FILES];
};

/* No folder, nothing open. */
void files_init(struct files *files);
/* Close all slots and folders. */
void files_done(struct files *files);

struct file_result {
    enum fault fault;
    uint64_t number;            /* as EV_IO.number */
    char *data;                 /* what was read or listed, from mem_new; the caller frees */
    size_t data_n;
};

/* Run it to its end. IO_WRITE's data stays the caller's. */
struct file_result file_run(struct files *files, const struct io *io);

#endif
