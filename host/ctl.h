/* SPDX-License-Identifier: ISC
 *
 * host/ctl.h: the commands beside the server: they ask it, look at its files, or send it a letter.
 *
 * Rows of host/main.c's table; each returns an exit status of sysexits.h. What they print is made
 * by role/once.h; here are sockets, files and the terminal.
 */
#ifndef POSTERN_HOST_CTL_H
#define POSTERN_HOST_CTL_H

#include "base/buffer.h"
#include "host/conf_file.h"

#include <stdio.h>

/* postern queue, postern trace, postern status. */
int ctl_ask_run(int argc, char **argv);
/* postern top. */
int ctl_top_run(int argc, char **argv);
/* postern check [FILE]. */
int ctl_check_run(int argc, char **argv);
/* postern store check, postern store export. */
int ctl_store_run(int argc, char **argv);
/* postern code. */
int ctl_code_run(int argc, char **argv);
/* postern doctor */
int ctl_doctor_run(int argc, char **argv);
/* postern refused. */
int ctl_refused_run(int argc, char **argv);
/* postern page. */
int ctl_page_run(int argc, char **argv);
/* postern explain. */
int ctl_explain_run(int argc, char **argv);
/* postern key. */
int ctl_key_run(int argc, char **argv);
/* postern send. */
int ctl_send_run(int argc, char **argv);

#endif
