/* SPDX-License-Identifier: ISC */
#include "queue/segment_int.h"

#include "base/id.h"
#include "base/number.h"
#include "base/plant.h"

#include <assert.h>

enum { TOKEN_OURS_BIT = 63, TOKEN_PURPOSE_BIT = 56, TOKEN_STEP_BIT = 55, TOKEN_OPENS_BIT = 54,
       NAME_DIGITS = 10 };

uint64_t token_pack(struct token token)
{
    assert(token.data < UINT64_C(1) << 54);
    return UINT64_C(1) << TOKEN_OURS_BIT | (uint64_t)token.purpose << TOKEN_PURPOSE_BIT
         | (uint64_t)token.step << TOKEN_STEP_BIT | (uint64_t)token.opens << TOKEN_OPENS_BIT
         | token.data;
}

struct token token_unpack(uint64_t packed)
{
    uint64_t purpose = packed >> TOKEN_PURPOSE_BIT & 127;

    return (struct token){
        .purpose = purpose < PURPOSES ? (enum purpose)purpose : FOR_NOTHING,
        .step = (packed >> TOKEN_STEP_BIT & 1) != 0,
        .opens = (packed >> TOKEN_OPENS_BIT & 1) != 0,
        .data = packed & ((UINT64_C(1) << TOKEN_OPENS_BIT) - 1),
    };
}

bool token_ours(uint64_t packed)
{
    return packed >> TOKEN_OURS_BIT != 0;
}

uint64_t chain_begin(struct chain *chain)
{
    *chain = (struct chain){ .number = chain->number + 1 };
    return chain->number;
}

bool chain_over(struct chain *chain, struct token token, enum fault fault)
{
    if (token.data != chain->number)
        return false;
    if (chain->fault == OK && fault != FAULT_SKIPPED)
        chain->fault = fault;
    chain->ended = chain->ended || !token.step;
    chain->not_open = chain->not_open || (token.opens && fault != OK);
    if (!token.step && fault == FAULT_SKIPPED && chain->fault == OK)
        return false;       /* why is still to come */
    return chain->ended;
}

/* One operation that reports, and ends its chain. */
static void last(struct effects *fx, struct io io, struct token token)
{
    io.root = IN_SPOOL;
    io.token = token_pack(token);
    fx_io(fx, io);
}

/* One before the last of a chain. */
static void step(struct effects *fx, struct io io, struct token token)
{
    token.step = true;
    token.opens = io.kind == IO_OPEN || io.kind == IO_CREATE;
    io.linked = true;
    io.quiet = true;
    last(fx, io, token);
}

/* One that stands alone and whose failure somebody may want to hear of. */
static void quiet(struct effects *fx, struct io io, struct token token)
{
    token.step = true;
    io.quiet = true;
    last(fx, io, token);
}

static struct bytes name_numbered(struct effects *fx, const char *before, uint64_t number,
                                  unsigned width)
{
    struct buffer *draft = fx_draft(fx);

    buffer_put_text(draft, before);
    buffer_put_uint_wide(draft, number, width);
    return fx_keep(fx, buffer_bytes(draft));
}

static struct bytes segment_name(struct effects *fx, uint32_t number)
{
    return name_numbered(fx, "log/", number, NAME_DIGITS);
}

static struct bytes spare_name(struct effects *fx, uint32_t number)
{
    return name_numbered(fx, "log/spare.", number, 1);
}

static struct bytes body_name(struct effects *fx, uint64_t body)
{
    struct buffer *draft = fx_draft(fx);
    char id[ID_TEXT];

    id_write(body, id);
    buffer_put_text(draft, "body/");
    buffer_put(draft, (struct bytes){ id, ID_TEXT });
    return fx_keep(fx, buffer_bytes(draft));
}

static bool number_named(struct bytes text, uint32_t *ret_number)
{
    uint64_t number;

    if (!number_parse(text, &number) || number == 0 || number > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

bool segment_number(struct bytes name, uint32_t *ret_number)
{
    return name.n == NAME_DIGITS && number_named(name, ret_number);
}

bool spare_number(struct bytes name, uint32_t *ret_number)
{
    struct bytes start = BYTES("spare.");

    return bytes_begins(name, start) && number_named(bytes_skip(name, start.n), ret_number);
}

bool body_number(struct bytes name, uint64_t *ret_body)
{
    return id_parse(name, ret_body);
}

void segment_folders(struct effects *fx, struct token token)
{
    static const char *const folders[] = { "log", "body", "quarantine", "history" };

    for (size_t i = 0; i < COUNT(folders); i++)
        step(fx, (struct io){ .kind = IO_MKDIR, .lane = LANE_LOG, .name = bytes_of(folders[i]) },
             token);
    if (!PLANTED(names_unsure))
        step(fx, (struct io){ .kind = IO_SYNC_DIR, .lane = LANE_LOG, .name = BYTES("log") },
             token);
    last(fx, (struct io){ .kind = IO_SYNC_DIR, .lane = LANE_LOG, .name = BYTES_NONE }, token);
}

void segment_list(struct effects *fx, const char *folder, struct token token)
{
    last(fx, (struct io){ .kind = IO_LIST, .lane = LANE_LOG, .name = bytes_of(folder) }, token);
}

void segment_open(struct effects *fx, enum lane lane, uint32_t slot, uint32_t number,
                  struct token token)
{
    struct io io = { .kind = IO_OPEN, .lane = (uint8_t)lane, .file = slot };

    io.name = segment_name(fx, number);
    step(fx, io, token);
}

void segment_read(struct effects *fx, enum lane lane, uint32_t slot, uint64_t offset,
                  uint64_t count, struct token token)
{
    last(fx, (struct io){ .kind = IO_READ, .lane = (uint8_t)lane, .file = slot, .offset = offset,
                          .count = count }, token);
}

void segment_close(struct effects *fx, enum lane lane, uint32_t slot)
{
    last(fx, (struct io){ .kind = IO_CLOSE, .lane = (uint8_t)lane, .file = slot },
         token_of(FOR_SLOT, slot));
}

void segment_append(struct effects *fx, uint32_t slot, uint64_t offset, char *data, size_t n,
                    struct token token)
{
    step(fx, (struct io){ .kind = IO_WRITE, .lane = LANE_LOG, .file = slot, .offset = offset,
                          .data = data, .data_n = n }, token);
}

void segment_sync(struct effects *fx, uint32_t slot, struct token token)
{
    if (PLANTED(ack_before_sync))
        last(fx, (struct io){ .kind = IO_STAT, .lane = LANE_LOG, .name = BYTES("log") }, token);
    else
        last(fx, (struct io){ .kind = IO_SYNC, .lane = LANE_LOG, .file = slot }, token);
}

static void sync_folder(struct effects *fx, enum lane lane, const char *folder, struct token token)
{
    struct io io = { .kind = IO_SYNC_DIR, .lane = (uint8_t)lane, .name = bytes_of(folder) };

    if (PLANTED(no_folder_sync))
        io = (struct io){ .kind = IO_STAT, .lane = (uint8_t)lane, .name = bytes_of(folder) };
    last(fx, io, token);
}

void segment_birth(struct effects *fx, uint32_t slot, uint32_t spare, bool fresh, uint32_t number,
                   uint64_t bytes, char *page, struct token token)
{
    struct bytes from = spare_name(fx, spare), to = segment_name(fx, number);
    struct io io = { .lane = LANE_LOG, .file = slot, .name = from };

    io.kind = fresh ? IO_CREATE : IO_OPEN;
    step(fx, io, token);
    io.kind = IO_EXTEND;
    io.count = bytes;
    step(fx, io, token);
    segment_append(fx, slot, 0, page, 4096, token);
    io.kind = IO_SYNC;
    step(fx, io, token);
    io.kind = IO_RENAME;
    io.to = to;
    step(fx, io, token);
    sync_folder(fx, LANE_LOG, "log", token);
}

void segment_spare(struct effects *fx, uint32_t slot, uint32_t spare, uint64_t bytes,
                   struct token token)
{
    struct io io = { .kind = IO_CREATE, .lane = LANE_HOUSE, .file = slot };

    io.name = spare_name(fx, spare);
    step(fx, io, token);
    io.kind = IO_EXTEND;
    io.count = bytes;
    step(fx, io, token);
    io.kind = IO_SYNC;
    step(fx, io, token);
    sync_folder(fx, LANE_HOUSE, "log", token);
}

void segment_recycle(struct effects *fx, uint32_t number, uint32_t spare, struct token token)
{
    struct io io = { .kind = IO_RENAME, .lane = LANE_HOUSE };

    io.name = segment_name(fx, number);
    io.to = spare_name(fx, spare);
    step(fx, io, token);
    sync_folder(fx, LANE_HOUSE, "log", token);
}

void segment_remove(struct effects *fx, uint32_t number, struct token token)
{
    struct io io = { .kind = IO_UNLINK, .lane = LANE_HOUSE };

    io.name = segment_name(fx, number);
    step(fx, io, token);
    sync_folder(fx, LANE_HOUSE, "log", token);
}

void spare_remove(struct effects *fx, uint32_t spare)
{
    struct io io = { .kind = IO_UNLINK, .lane = LANE_HOUSE };

    io.name = spare_name(fx, spare);
    quiet(fx, io, token_of(FOR_NOTHING, 0));
}

void body_create(struct effects *fx, uint32_t slot, uint64_t body, struct token token)
{
    struct io io = { .kind = IO_CREATE, .lane = (uint8_t)body_lane(body), .file = slot };

    io.name = body_name(fx, body);
    last(fx, io, token);
}

void body_write(struct effects *fx, uint32_t slot, uint64_t body, uint64_t offset, char *data,
                size_t n, struct token token)
{
    last(fx, (struct io){ .kind = IO_WRITE, .lane = (uint8_t)body_lane(body), .file = slot,
                          .offset = offset, .data = data, .data_n = n }, token);
}

void body_finish(struct effects *fx, uint32_t slot, uint64_t body, struct token token)
{
    step(fx, (struct io){ .kind = IO_SYNC, .lane = (uint8_t)body_lane(body), .file = slot }, token);
    sync_folder(fx, body_lane(body), "body", token);
}

void body_close(struct effects *fx, uint32_t slot, uint64_t body)
{
    segment_close(fx, body_lane(body), slot);
}

void body_open(struct effects *fx, uint32_t slot, uint64_t body, struct token token)
{
    struct io io = { .kind = IO_OPEN, .lane = LANE_READ, .file = slot };

    io.name = body_name(fx, body);
    step(fx, io, token);
}

void body_read(struct effects *fx, uint32_t slot, uint64_t offset, uint64_t count,
               struct token token)
{
    segment_read(fx, LANE_READ, slot, offset, count, token);
}

void body_read_close(struct effects *fx, uint32_t slot)
{
    segment_close(fx, LANE_READ, slot);
}

void body_remove(struct effects *fx, uint64_t body)
{
    struct io io = { .kind = IO_UNLINK, .lane = (uint8_t)body_lane(body) };

    io.name = body_name(fx, body);
    quiet(fx, io, token_of(FOR_NOTHING, 0));
}

void quarantine_keep(struct effects *fx, uint32_t slot, uint32_t segment, uint64_t offset,
                     char *data, size_t n, struct token token)
{
    struct buffer *draft = fx_draft(fx);
    struct io io = { .lane = LANE_LOG, .file = slot };

    buffer_put_text(draft, "quarantine/");
    buffer_put_uint_wide(draft, segment, NAME_DIGITS);
    buffer_put_char(draft, '-');
    buffer_put_uint(draft, offset);
    io.name = fx_keep(fx, buffer_bytes(draft));
    io.kind = IO_CREATE;
    step(fx, io, token);
    io.kind = IO_WRITE;
    io.data = data;
    io.data_n = n;
    step(fx, io, token);
    io.kind = IO_SYNC;
    io.data = NULL;
    io.data_n = 0;
    step(fx, io, token);
    io.kind = IO_SYNC_DIR;
    io.name = BYTES("quarantine");
    last(fx, io, token);
}
