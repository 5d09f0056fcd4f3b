/* SPDX-License-Identifier: ISC */
#include "host/ctl_int.h"

#include "host/clock.h"

#include <sysexits.h>

int ctl_offline(const struct conf *conf, const struct once_request *request, FILE *out, FILE *err)
{
    struct ctl_place place = { conf->spool, false, -1, out, err };
    struct once_style style = { request->json, request->relative, clock_now().wall_ms };

    switch (request->command) {
    case ONCE_QUEUE:
        if (request->verb != ONCE_LIST || request->filter.some || request->destinations)
            break;              /* only a server may change them, and knows who is held */
        return ctl_look(&place, look_queue(style));
    case ONCE_TRACE:
        if (request->tls)
            break;              /* only a running server remembers */
        return ctl_look(&place, look_trace(style, request->subject));
    case ONCE_STATUS: case ONCE_TOP: case ONCE_BACKUP: case ONCE_RELOAD: case ONCE_TLSRPT:
    case ONCE_PEERS:
    case ONCE_COMMANDS:
        break;
    }
    fputs("postern: no server runs here; start it with: postern serve\n", err);
    return EX_UNAVAILABLE;
}
