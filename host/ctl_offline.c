/* SPDX-License-Identifier: ISC */
#include "host/ctl_int.h"

#include <sysexits.h>

int ctl_offline(const struct conf *conf, const struct once_request *request, FILE *out, FILE *err)
{
    (void)conf;
    (void)request;
    (void)out;
    fputs("postern: no server runs here; start it with: postern serve\n", err);
    return EX_UNAVAILABLE;
}
