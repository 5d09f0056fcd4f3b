/* SPDX-License-Identifier: ISC */
#include "host/http.h"

#include "host/signals.h"

#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

struct alone {
    struct loop *loop;
    struct http *http;
    struct signals signals;
    bool over;
};

static void on_asked(void *of, uint64_t token, const struct web_request *request)
{
    struct alone *alone = of;
    struct web_facts facts = { .wall_ms = alone->loop->now.wall_ms };
    struct web_response response = web_response_new();

    web_answer(request, &facts, &response);
    http_answer(alone->http, token, &response);
    web_response_done(&response);
}

static void on_signal(void *of, int signal, int from)
{
    struct alone *alone = of;

    (void)from;
    alone->over = alone->over || signal == SIGINT || signal == SIGTERM;
}

static bool begin(struct alone *alone, struct log_sink *log)
{
    signals_take();
    alone->loop = log == NULL ? NULL : loop_new(log);
    if (alone->loop == NULL
        || !signals_watch(&alone->signals, alone->loop, alone, on_signal))
        return false;
    alone->http = http_new(alone->loop, alone, on_asked);
    return alone->http != NULL;
}

int http_alone(const int *fds, size_t n)
{
    struct log_sink *log = log_sink_new(BYTES_NONE);
    struct alone alone = { .signals.fd = -1 };
    bool begun = begin(&alone, log);
    int status = EX_OSERR;

    for (size_t i = 0; i < n; i++)
        if (alone.http == NULL)
            close(fds[i]);
        else
            begun = http_listen(alone.http, fds[i]) && begun;
    if (begun) {
        while (!alone.over)
            loop_turn(alone.loop, -1);
        status = EX_OK;
    }
    http_free(alone.http);
    signals_done(&alone.signals);
    loop_free(alone.loop);
    log_sink_free(log);
    return status;
}
