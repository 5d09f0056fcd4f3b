/* SPDX-License-Identifier: ISC
 *
 * What a front counts: the rows of web/figures.def that are its own.
 */
#include "role/front_int.h"

void count_letter(struct front *front, unsigned reply, uint64_t octets)
{
    struct web_front_figures *figures = &front->figures;

    figures->letters += reply / 100 == 2;
    figures->letters_4 += reply / 100 == 4;
    figures->letters_5 += reply / 100 == 5;
    figures->letters_0 += reply == 0;
    figures->octets += reply / 100 == 2 ? octets : 0;
}

void count_refusal(struct front *front, struct bytes verb, unsigned reply)
{
    struct web_front_figures *figures = &front->figures;

    if (bytes_equal(verb, BYTES("RCPT"))) {
        figures->rcpts_4 += reply / 100 == 4;
        figures->rcpts_5 += reply / 100 == 5;
    } else {
        figures->commands_4 += reply / 100 == 4;
        figures->commands_5 += reply / 100 == 5;
    }
}

void count_tls(struct front *front, struct bytes version)
{
    struct web_front_figures *figures = &front->figures;

    figures->tls_12 += bytes_equal(version, BYTES("TLSv1.2"));
    figures->tls_13 += bytes_equal(version, BYTES("TLSv1.3"));
    figures->tls_failed += version.n == 0;
}

void count_turned_away(struct front *front, const char *why)
{
    struct bytes reason = bytes_of(why);
    struct web_front_figures *figures = &front->figures;

    figures->limit_address += bytes_equal(reason, BYTES("address-connections"));
    figures->limit_network += bytes_equal(reason, BYTES("network-connections"));
    figures->limit_rate += bytes_equal(reason, BYTES("address-rate"));
    figures->limit_bad += bytes_equal(reason, BYTES("address-bad-recipients"));
    figures->limit_full += bytes_equal(reason, BYTES("full"));
    figures->limit_early += bytes_equal(reason, BYTES("early-talker"));
}

void counts_tell(struct front *front, uint32_t token)
{
    struct web_front_figures figures = front->figures;
    struct buffer *octets = fx_draft(front->fx);

    figures.sessions = front->connected;
    figures.sessions_most = conf_connections(front->conf);
    figures.stressed = front->manners.stressed;
    web_put_front_figures(octets, &figures);
    struct bytes kept = fx_keep(front->fx, buffer_bytes(octets));
    wire_tell_figures_front(front->fx, front_to_store,
                            &(struct wire_figures_front){ token, 0, kept });
}
