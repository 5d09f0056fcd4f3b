/* SPDX-License-Identifier: ISC
 *
 * base/banned.h: calls that no file of the product may make; the build includes this before every
 * one.
 */
#ifndef POSTERN_BASE_BANNED_H
#define POSTERN_BASE_BANNED_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#undef alloca

/* unbounded, or NUL-ended text where a slice belongs */
#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok strtok_r
#pragma GCC poison atoi atol atoll atof sscanf strdup strndup alloca
/* hidden state: not in a program that can be replayed */
#pragma GCC poison rand srand random srandom drand48 asctime ctime localtime gmtime setlocale
/* a shell, or names in /tmp that somebody else can guess */
#pragma GCC poison system popen tmpnam tempnam mktemp

#endif
