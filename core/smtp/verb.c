/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "smtp/server_int.h"
#include "smtp/verb.def"

enum argument { ARGUMENT_NONE, ARGUMENT_OPTIONAL, ARGUMENT_WANTED };

struct verb {
    struct bytes name;
    unsigned states;
    enum argument argument;
    bool junk;
    void (*run)(struct smtp_server *server, struct bytes argument);
};

static const struct verb verbs[] = {
#define VERB_ROW(NAME, states, argument, junk, run) \
    { BYTES_INIT(#NAME), states, argument, junk, run },
    VERB_LIST(VERB_ROW)
#undef VERB_ROW
};

static const struct verb *verb_find(struct bytes name)
{
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (verbs[i].name.n == name.n && bytes_equal_nocase(verbs[i].name, name))
            return &verbs[i];
    }
    return NULL;
}

/* Why a command may not stand here: told apart so that the client learns what is missing. */
static enum reply order_reply(const struct smtp_server *server)
{
    switch (server->state) {
    case STATE_NEW: return REPLY_NEED_EHLO;
    case STATE_STUCK: return REPLY_NEED_RSET;
    case STATE_CHUNKS: return REPLY_CHUNKS_BEGUN;
    case STATE_SENDER:
    case STATE_RCPTS: return REPLY_NESTED_MAIL;
    case STATE_READY:
    case STATE_REFUSED:
    case STATE_COUNT: break;
    }
    return REPLY_NEED_MAIL;
}

static struct bytes what_is_missing(const struct verb *verb)
{
    if (verb->run == run_mail)
        return BYTES("Say MAIL FROM:<address>");
    if (verb->run == run_rcpt)
        return BYTES("Say RCPT TO:<address>");
    return verb->run == run_vrfy ? BYTES("Say VRFY and an address")
                                 : BYTES("Name yourself: a domain or an [address] goes with it");
}

static void unknown(struct smtp_server *server)
{
    if (server->data_refused)
        server_say_and_close(server, REPLY_UNCALLED_TEXT, NO_WORDS);
    else
        server_refuse(server, REPLY_UNKNOWN, NO_WORDS);
}

/* Too much of what brings no letter nearer; `junk` goes back to none with each letter. */
static bool too_much_junk(struct smtp_server *server, const struct verb *verb)
{
    return verb->junk && ++server->junk > LIMIT_JUNK_COMMANDS;
}

/* RFC 5321, 2.4 and 4.1.1: a verb, then after one space its argument; spaces at the end are no
   matter. */
void server_command(struct smtp_server *server, struct bytes line)
{
    while (line.n > 0 && is_space(line.at[line.n - 1]))
        line.n--;
    struct bytes name = bytes_upto(line, ' ');
    struct bytes argument = bytes_skip(line, name.n + 1);
    const struct verb *verb = verb_find(name);

    server->note = (struct smtp_note){ .verb = verb == NULL ? BYTES_NONE : verb->name,
                                       .text = verb == NULL ? line : argument };
    if (verb == NULL) {
        unknown(server);
        return;
    }
    server->data_refused = false;
    if (too_much_junk(server, verb))
        server_say_and_close(server, REPLY_TOO_MUCH_JUNK, NO_WORDS);
    else if ((verb->states & (1U << server->state)) == 0)
        server_refuse(server, order_reply(server), NO_WORDS);
    else if (verb->argument == ARGUMENT_WANTED && argument.n == 0)
        server_refuse(server, REPLY_NEEDS_ARGUMENT,
                      (struct reply_words){ .word = what_is_missing(verb) });
    else if (verb->argument == ARGUMENT_NONE && argument.n > 0)
        server_refuse(server, REPLY_NO_ARGUMENT, NO_WORDS);
    else
        verb->run(server, argument);
}
