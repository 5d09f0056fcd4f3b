/* SPDX-License-Identifier: ISC
 *
 * host/reload.h: the configuration read anew while the server runs: master reads it and makes the
 * listeners, then each process is sent the file's text and reads it for itself.
 *
 * All or nothing: as long as anything is wrong, nothing has changed. A process is sent, over its
 * leash, a memory file:
 *
 *   u32 status, block words, u8 has_text,
 *   [ block folder, block text, block table (four of them), u32 fronts, u32 entry ... ]
 *
 * and behind it, for a front, the sockets to listen on, in the order of the entries.
 */
#ifndef POSTERN_HOST_RELOAD_H
#define POSTERN_HOST_RELOAD_H

#include "host/conf_file.h"
#include "host/estate.h"
#include "host/leash.h"

enum { RELOAD_WORDS_MOST = 64 * 1024 };

/* Read estate->file's file again. 0: estate->conf and its listeners are the new ones, those before
   are in estate->before until reload_done, and ret_words tells the differences. Else an exit
   status, and in ret_words why nothing changed. */
MUST_USE int reload_read(struct estate *estate, struct buffer *ret_words);
void reload_done(struct estate *estate);

/* Send the role its share. After a failed reload only admin is told. False: it is stuck, or the
   machine has no more descriptors or memory. */
MUST_USE bool reload_send(const struct estate *estate, struct role_name role, int leash,
                          struct bytes words, int status);

/* In the process: what was sent. */
struct reload_news {
    int status;
    struct buffer words;
    struct conf_file *file;             /* NULL: nothing changed; else for conf_file_free */
    uint32_t entries[LEASH_FDS];        /* of the listen setting, one for each socket */
};
/* False: it cannot be read, or memory is short. */
MUST_USE bool reload_take(int fd, size_t sockets, struct reload_news *ret_news);

#endif
