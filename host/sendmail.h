/* SPDX-License-Identifier: ISC
 *
 * host/sendmail.h: what the program does when it is called by one of these names.
 */
#ifndef POSTERN_HOST_SENDMAIL_H
#define POSTERN_HOST_SENDMAIL_H

int sendmail_run(int argc, char **argv);
int mailq_run(int argc, char **argv);
int newaliases_run(int argc, char **argv);

#endif
