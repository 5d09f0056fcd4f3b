/* SPDX-License-Identifier: ISC */
#include "host/testing.h"

#include <ftw.h>

void testing_folder(char *ret_path, size_t room)
{
    const char *base = getenv("TMPDIR");

    if (base == NULL || strlen(base) > room - 20)
        base = "/tmp";
    snprintf(ret_path, room, "%s/postern-XXXXXX", base);
    assert_non_null(mkdtemp(ret_path));
}

static int remove_one(const char *path, const struct stat *found, int flag, struct FTW *at)
{
    (void)found, (void)flag, (void)at;
    remove(path);
    return 0;
}

void testing_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
