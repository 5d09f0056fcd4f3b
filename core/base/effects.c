/* SPDX-License-Identifier: ISC */
#include "base/effects.h"

#include "base/limits.h"

#include <assert.h>

struct effects effects_none(void)
{
    return (struct effects){
        .kept = arena_with_ceiling(LIMIT_KEPT_BYTES),
        .draft = buffer_with_most(LIMIT_FRAME_BYTES),
    };
}

void effects_done(struct effects *fx)
{
    effects_clear(fx);
    arena_done(&fx->kept);
    buffer_done(&fx->draft);
    mem_free(fx->list);
    *fx = effects_none();
}

void effects_clear(struct effects *fx)
{
    fx->n = 0;
    fx->bad = false;
    arena_reset(&fx->kept);
}

struct buffer *fx_draft(struct effects *fx)
{
    buffer_clear(&fx->draft);
    return &fx->draft;
}

struct bytes fx_keep(struct effects *fx, struct bytes text)
{
    struct bytes kept = arena_copy(&fx->kept, text);

    if (kept.at == NULL) {
        fx->bad = true;
        return BYTES_NONE;
    }
    return kept;
}

static void add(struct effects *fx, struct effect effect)
{
    if (fx->n == fx->room) {
        size_t room = fx->room == 0 ? 32 : fx->room * 2;
        struct effect *list = mem_resize(fx->list, room * sizeof(*list));
        if (list == NULL) {
            fx->bad = true;
            mem_free(effect.io.data);
            return;
        }
        fx->list = list;
        fx->room = room;
    }
    fx->list[fx->n++] = effect;
}

void fx_send(struct effects *fx, uint32_t conn, struct bytes bytes)
{
    if (bytes.n > 0)
        add(fx, (struct effect){ .kind = FX_SEND, .conn = conn, .bytes = bytes });
}

void fx_dial(struct effects *fx, uint32_t token, const struct net_address *address,
             struct bytes path)
{
    add(fx, (struct effect){ .kind = FX_DIAL, .number = token, .address = *address,
                             .bytes = path });
}

void fx_resolve(struct effects *fx, uint64_t token, uint16_t type, struct bytes name)
{
    add(fx, (struct effect){ .kind = FX_RESOLVE, .number = token, .conn = type, .bytes = name });
}

void fx_fetch(struct effects *fx, uint64_t token, struct bytes order)
{
    add(fx, (struct effect){ .kind = FX_FETCH, .number = token, .bytes = order });
}

void fx_fetch_end(struct effects *fx, uint64_t token)
{
    add(fx, (struct effect){ .kind = FX_FETCH_END, .number = token });
}

void fx_pause(struct effects *fx, uint32_t conn)
{
    add(fx, (struct effect){ .kind = FX_PAUSE, .conn = conn });
}

void fx_resume(struct effects *fx, uint32_t conn)
{
    add(fx, (struct effect){ .kind = FX_RESUME, .conn = conn });
}

void fx_close(struct effects *fx, uint32_t conn)
{
    add(fx, (struct effect){ .kind = FX_CLOSE, .conn = conn });
}

void fx_abort(struct effects *fx, uint32_t conn)
{
    add(fx, (struct effect){ .kind = FX_ABORT, .conn = conn });
}

void fx_tell(struct effects *fx, struct role_name to, struct bytes head, struct bytes body)
{
    assert(head.n > 0 && head.n <= LIMIT_FRAME_BYTES && body.n <= LIMIT_FRAME_BYTES - head.n);
    add(fx, (struct effect){ .kind = FX_TELL, .to = to, .bytes = head, .more = body });
}

void fx_alarm(struct effects *fx, uint64_t mono_ms)
{
    add(fx, (struct effect){ .kind = FX_ALARM, .number = mono_ms });
}

void fx_io(struct effects *fx, struct io io)
{
    assert(io.lane < LIMIT_IO_LANES && io.file < LIMIT_IO_FILES);
    assert((io.kind == IO_WRITE) == (io.data != NULL));
    add(fx, (struct effect){ .kind = FX_IO, .io = io });
}

void fx_log(struct effects *fx, enum log_level level, struct bytes line)
{
    add(fx, (struct effect){ .kind = FX_LOG, .level = level, .bytes = line });
}

void fx_spawn(struct effects *fx, struct role_name role)
{
    add(fx, (struct effect){ .kind = FX_SPAWN, .to = role });
}

void fx_kill(struct effects *fx, struct role_name role, bool hard)
{
    add(fx, (struct effect){ .kind = FX_KILL, .to = role, .number = hard });
}

void fx_user(struct effects *fx, uint32_t index, struct bytes name)
{
    add(fx, (struct effect){ .kind = FX_USER, .to = { ROLE_USER, index }, .bytes = name });
}

void fx_reload(struct effects *fx)
{
    add(fx, (struct effect){ .kind = FX_RELOAD });
}

void fx_answer(struct effects *fx, uint64_t token, const struct web_response *response)
{
    add(fx, (struct effect){ .kind = FX_ANSWER, .number = token, .web = response });
}

void fx_exit(struct effects *fx, int status)
{
    add(fx, (struct effect){ .kind = FX_EXIT, .number = (uint64_t)status });
}
