/* SPDX-License-Identifier: ISC
 *
 * host/testing.h: what the tests of this folder share. Not part of the product.
 */
#ifndef POSTERN_HOST_TESTING_H
#define POSTERN_HOST_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Make a folder of our own below TMPDIR or /tmp and put its name; remove it with all that is in
   it. */
void testing_folder(char *ret_path, size_t room);
void testing_remove(const char *path);

#endif
