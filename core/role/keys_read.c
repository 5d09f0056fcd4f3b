/* SPDX-License-Identifier: ISC
 *
 * The folder of certificates: listed once, then each NAME.pem and its NAME.key, and each NAME.ca.
 * A file that is no good is named in the log and left out; the others count all the same.
 */
#include "role/keys_int.h"

enum { READ_SLOT = 1, ASKED_LIST = 1, ASKED_OPEN, ASKED_READ, ASKED_CLOSE, ASKED_KINDS = 8 };

static uint64_t token_of(const struct keys_reading *reading, unsigned asked)
{
    return reading->turn * ASKED_KINDS + asked;
}

static void ask(struct keys *keys, enum io_kind kind, unsigned asked, struct bytes name)
{
    fx_io(keys->fx, (struct io){
        .kind = kind, .root = IN_KEYS, .file = READ_SLOT, .token = token_of(&keys->reading, asked),
        .name = name, .to = BYTES_NONE, .count = kind == IO_READ ? KEYS_FILE_MOST + 1 : 0,
        .linked = kind == IO_OPEN, .quiet = kind == IO_OPEN || kind == IO_CLOSE });
}

static void ask_file(struct keys *keys, enum keys_file file)
{
    struct bytes name = buffer_bytes(&keys->reading.name);

    keys->reading.file = file;
    keys->reading.turn++;
    ask(keys, IO_OPEN, ASKED_OPEN, fx_keep(keys->fx, name));
    ask(keys, IO_READ, ASKED_READ, BYTES_NONE);
    ask(keys, IO_CLOSE, ASKED_CLOSE, BYTES_NONE);
}

void keys_reading_done(struct keys_reading *reading)
{
    key_set_done(&reading->set);
    buffer_done(&reading->names);
    buffer_done(&reading->name);
    if (reading->chain.room > 0)
        mem_wipe(reading->chain.at, reading->chain.room);
    buffer_done(&reading->chain);
    reading->under_way = false;
}

static void own_certificate(struct keys *keys, struct key_set *set)
{
    struct buffer chain = buffer_with_most(KEYS_FILE_MOST);
    struct sign_key *key = sign_key_self_signed(keys->conf->host_ascii, &chain);

    if (key == NULL || !key_set_add(set, key, buffer_bytes(&chain))) {
        keys_log(keys, LOG_ERROR, "no-certificate", BYTES_NONE, "none could be made");
        sign_key_free(key);
    } else {
        keys_log(keys, LOG_INFO, "certificate", BYTES_NONE, "self-signed");
    }
    buffer_done(&chain);
}

static void finish(struct keys *keys)
{
    struct keys_reading *reading = &keys->reading;
    bool again = reading->again;

    if (reading->set.n == 0 && keys->set.n > 0 && keys->conf->certificates.n > 0) {
        keys_log(keys, LOG_ERROR, "no-certificate", BYTES_NONE, "those of before stay");
    } else {
        if (reading->set.n == 0)
            own_certificate(keys, &reading->set);
        keys_install(keys, &reading->set);
        reading->set = (struct key_set){ 0 };
    }
    keys_reading_done(reading);
    reading->again = false;
    if (again)
        keys_read(keys);
}

static void next_file(struct keys *keys)
{
    struct keys_reading *reading = &keys->reading;
    struct bytes rest = bytes_skip(buffer_bytes(&reading->names), reading->names_at), name;

    while (bytes_cut(&rest, '\n', &name)) {
        reading->names_at = reading->names.n - rest.n;
        enum keys_file file = bytes_ends(name, BYTES(".pem")) ? KEYS_CHAIN
                            : bytes_ends(name, BYTES(".ca")) ? KEYS_AUTHORITY_FILE : KEYS_NO_FILE;
        if (file == KEYS_NO_FILE || name.at[0] == '.')
            continue;
        buffer_clear(&reading->name);
        buffer_put(&reading->name, name);
        ask_file(keys, file);
        return;
    }
    finish(keys);
}

void keys_read(struct keys *keys)
{
    struct keys_reading *reading = &keys->reading;

    if (reading->under_way) {
        reading->again = true;
        return;
    }
    reading->under_way = true;
    reading->set = (struct key_set){ 0 };
    reading->names = buffer_with_most(1024 * 1024);
    reading->name = buffer_with_most(LIMIT_PATH);
    reading->chain = buffer_with_most(KEYS_FILE_MOST);
    reading->names_at = 0;
    reading->turn++;
    if (keys->conf->certificates.n == 0)
        finish(keys);
    else
        ask(keys, IO_LIST, ASKED_LIST, BYTES_NONE);
}

/* ---- what was read */

static void skip_file(struct keys *keys, enum log_level level, const char *why)
{
    keys_log(keys, level, "certificate-skipped", buffer_bytes(&keys->reading.name), why);
    next_file(keys);
}

static void on_chain(struct keys *keys, struct bytes text)
{
    struct keys_reading *reading = &keys->reading;

    buffer_clear(&reading->chain);
    buffer_put(&reading->chain, text);
    reading->name.n -= BYTES("pem").n;
    buffer_put(&reading->name, BYTES("key"));
    ask_file(keys, KEYS_KEY);
}

static void on_key(struct keys *keys, struct bytes text)
{
    struct bytes chain = buffer_bytes(&keys->reading.chain);
    struct sign_key *key = sign_key_read(text);
    const char *why = key == NULL ? "neither RSA of 2048 bits or more nor P-256 nor P-384"
                    : !sign_key_fits(key, chain) ? "not the key of the certificate beside it"
                    : !key_set_add(&keys->reading.set, key, chain) ? "too many" : NULL;

    if (why != NULL) {
        sign_key_free(key);
        skip_file(keys, LOG_ERROR, why);
        return;
    }
    keys_log(keys, LOG_INFO, "certificate", buffer_bytes(&keys->reading.name), NULL);
    next_file(keys);
}

static void on_authority(struct keys *keys, struct bytes text)
{
    struct key_set *set = &keys->reading.set;

    if (set->authorities_n == KEYS_AUTHORITIES_MOST) {
        skip_file(keys, LOG_ERROR, "too many");
        return;
    }
    struct buffer *to = &set->authorities[set->authorities_n];
    *to = buffer_with_most(KEYS_FILE_MOST);
    buffer_put(to, text);
    if (to->bad)
        keys->fx->bad = true;
    set->authorities_n++;
    next_file(keys);
}

static void on_text(struct keys *keys, struct bytes text)
{
    if (text.n > KEYS_FILE_MOST) {
        skip_file(keys, LOG_ERROR, "too long");
        return;
    }
    switch (keys->reading.file) {
    case KEYS_CHAIN: on_chain(keys, text); break;
    case KEYS_KEY: on_key(keys, text); break;
    case KEYS_AUTHORITY_FILE: on_authority(keys, text); break;
    case KEYS_NO_FILE: break;
    }
}

static const char *why_not(enum fault fault)
{
    return fault == FAULT_GONE ? "it is not there"
         : fault == FAULT_DENIED ? "it may not be used: a key is for its owner alone, and nobody "
                                   "else may write either"
         : "it cannot be read";
}

void keys_io(struct keys *keys, const struct event *event)
{
    struct keys_reading *reading = &keys->reading;

    if (!reading->under_way || event->token / ASKED_KINDS != reading->turn)
        return;
    switch (event->token % ASKED_KINDS) {
    case ASKED_LIST:
        if (event->fault == OK)
            buffer_put(&reading->names, event->bytes);
        else
            keys_log(keys, LOG_ERROR, "certificates-unread", BYTES_NONE, why_not(event->fault));
        next_file(keys);
        break;
    case ASKED_OPEN: skip_file(keys, LOG_ERROR, why_not(event->fault)); break;
    case ASKED_READ:
        if (event->fault == OK)
            on_text(keys, event->bytes);
        else
            skip_file(keys, LOG_ERROR, why_not(event->fault));
        break;
    }
}
