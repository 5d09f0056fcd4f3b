/* SPDX-License-Identifier: ISC
 *
 * host/seal.h: the commands for sealed mail. Rows of host/main.c's table; each returns an exit
 * status. What is decided, seal/ decides; here are files, keys and the terminal.
 */
#ifndef POSTERN_HOST_SEAL_H
#define POSTERN_HOST_SEAL_H

/* postern seal. */
int seal_run(int argc, char **argv);
/* postern open, postern verify, postern convert. */
int seal_read_run(int argc, char **argv);
/* The program called as `ripem`, with RIPEM's options. */
int seal_ripem_run(int argc, char **argv);

#endif
