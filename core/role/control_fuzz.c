/* SPDX-License-Identifier: ISC
 *
 * Strangers' octets on the control socket: to the server as a request (in two pieces, to a role
 * that is stepped), and to the client as frames of an answer.
 */
#include "role/control.h"
#include "role/role.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void feed_client(struct bytes text)
{
    struct control_frame frame;
    size_t used;

    while (control_take(text, &frame, &used) == CONTROL_TOOK) {
        if (used == 0 || used > text.n || frame.octets.n >= used)
            __builtin_trap();
        text = bytes_skip(text, used);
    }
}

static void step(void *role, enum event_kind kind, struct bytes bytes, struct effects *fx)
{
    struct event event = { .kind = kind, .conn = 1, .bytes = bytes, .peer = { ROLE_STORE, 0 },
                           .remote.unix_peer = true };

    effects_clear(fx);
    admin_ops.step(role, &event, fx);
    if (fx->bad)
        __builtin_trap();
}

static void feed_server(struct bytes text)
{
    struct effects fx = effects_none();
    void *role = admin_ops.make(NULL, 0);

    if (role == NULL)
        return;
    step(role, EV_PEER_UP, BYTES_NONE, &fx);
    step(role, EV_ACCEPT, BYTES_NONE, &fx);
    step(role, EV_BYTES, bytes_first(text, text.n / 2), &fx);
    step(role, EV_BYTES, bytes_skip(text, text.n / 2), &fx);
    step(role, EV_TOLD, text, &fx);
    step(role, EV_CLOSED, BYTES_NONE, &fx);
    admin_ops.free(role);
    effects_done(&fx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };

    feed_client(text);
    feed_server(text);
    return 0;
}
