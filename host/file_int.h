/* SPDX-License-Identifier: ISC
 *
 * host/file_int.h: what file.c and file_name.c share.
 */
#ifndef POSTERN_HOST_FILE_INT_H
#define POSTERN_HOST_FILE_INT_H

#include "host/fault.h"
#include "host/file.h"

#include <errno.h>

/* The result of a call that just failed. */
static inline struct file_result file_failed(void)
{
    return (struct file_result){ .fault = fault_of(errno) };
}

/* OK, or why not, of a call that returns -1 on failure. */
static inline struct file_result file_said(int result)
{
    return result < 0 ? file_failed() : (struct file_result){ .fault = OK };
}

/* Operations on names (file_name.c). */
struct file_result file_rename(int root, const struct io *io);
struct file_result file_link_new(int root, const struct io *io);
struct file_result file_unlink(int root, const struct io *io);
struct file_result file_mkdir(int root, const struct io *io);
struct file_result file_sync_dir(int root, const struct io *io);
struct file_result file_list(int root, const struct io *io);
struct file_result file_stat(int root, const struct io *io);
struct file_result file_space(int root, const struct io *io);

#endif
