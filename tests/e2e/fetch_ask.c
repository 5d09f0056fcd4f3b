/* SPDX-License-Identifier: ISC
 *
 * For tests/e2e/sts.py: fetches with what the role `fetch` has, in its box, and prints how it went.
 *
 *   usage: fetch-ask AUTHORITIES-FILE SECONDS URL ADDRESS
 *
 * One line: the words for the result, the status of HTTP, how many octets came. SECONDS: after as
 * many it is given up, as the role does after its minute.
 */
#include "base/ip.h"
#include "host/box.h"
#include "host/clock.h"
#include "host/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char line[256];

static void on_told(void *of, uint64_t token, enum fetch_result result, unsigned status,
                    struct bytes body)
{
    (void)of;
    (void)token;
    snprintf(line, sizeof(line), "%s; %u; %zu", fetch_result_words(result), status, body.n);
}

int main(int argc, char **argv)
{
    static char authorities[65536];
    struct log_sink *log = log_sink_new(BYTES("/dev/null"));
    struct loop *loop = loop_new(log);
    FILE *file = argc < 5 ? NULL : fopen(argv[1], "rb");
    size_t n = file == NULL ? 0 : fread(authorities, 1, sizeof(authorities), file);
    struct buffer order = buffer_with_most(4096);
    struct box box = { .rights = rights_of(ROLE_FETCH) };
    uint8_t ip[16];
    int out = dup(STDOUT_FILENO);       /* a box lets go of the first three */

    if (file == NULL || loop == NULL || !ip_parse_v4(bytes_of(argv[4]), ip))
        return 1;
    fclose(file);
    if (!box_enter(&box))
        return 1;
    struct fetcher *fetcher = fetcher_new(loop, (struct bytes){ authorities, n }, NULL, on_told);
    if (fetcher == NULL || !box_close(&box))
        return 1;
    fetch_order_put(&order, &(struct fetch_order){ FETCH_POLICY, bytes_of(argv[3]),
                                                   { (char *)ip, 16 }, BYTES_NONE });
    uint64_t until = clock_now().mono_ms + 1000 * strtoul(argv[2], NULL, 10);
    fetcher_ask(fetcher, 1, buffer_bytes(&order));
    while (line[0] == '\0' && clock_now().mono_ms < until)
        loop_turn(loop, 100);
    if (line[0] == '\0')
        fetcher_end(fetcher, 1);
    struct bytes said = bytes_of(line[0] == '\0' ? "given up" : line);
    bool wrote = write(out, said.at, said.n) >= 0;  /* stdio asks for more than a box has */
    fetcher_free(fetcher);
    buffer_done(&order);
    loop_free(loop);
    log_sink_free(log);
    return wrote ? 0 : 1;
}
