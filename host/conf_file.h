/* SPDX-License-Identifier: ISC
 *
 * host/conf_file.h: the configuration file of this machine: found, read, and how safe it lies
 * there.
 */
#ifndef POSTERN_HOST_CONF_FILE_H
#define POSTERN_HOST_CONF_FILE_H

#include "base/arena.h"
#include "plan/conf.h"

/* Who else may change the file, and with it what the server does. */
enum conf_file_risk {
    CONF_FILE_WRITABLE = 1,     /* its group or everybody may write it, or its folder without a
                                   sticky bit */
    CONF_FILE_FOREIGN = 2,      /* it belongs neither to root nor to us */
};

struct conf_file {
    char path[4096];            /* as it was found */
    unsigned risks;             /* enum conf_file_risk, together */
    bool no_postmaster;         /* no table and no setting says who reads its mail */
    struct arena arena;         /* what `conf`, `text` and `folder` point to */
    struct bytes text, folder;  /* of the file, as conf_read had them */
    struct conf conf;
};

/* Read `path`; NULL: /etc/postern/postern.conf, or where there is none ./var/postern.conf. Returns
   0, or an exit status of sysexits.h and in reterr_words what is wrong, in whole lines. Only after
   0 is conf_file_done needed. */
MUST_USE int conf_file_read(const char *path, struct conf_file *ret_file,
                            struct buffer *reterr_words);
void conf_file_done(struct conf_file *file);

/* Look up the users of this machine, for conf.accounts_text: what a server needs to know. Those for
   whom memory is too short stay unknown. */
void conf_file_accounts(struct conf_file *file);

/* The same texts in another process, which cannot look at the files; NULL: memory is short. */
struct conf_tables {
    struct bytes aliases, virtual, authorities, login, accounts;
};
MUST_USE struct conf_file *conf_file_of(struct bytes text, struct bytes folder,
                                        const struct conf_tables *tables);
/* In a process that has no business with it: wipe the password of the smart host. */
void conf_file_forget_login(struct conf_file *file);
/* One that is itself from mem_*; NULL is well. */
void conf_file_free(struct conf_file *file);

/* The risks as sentences, one line each; nothing when there are none. */
void conf_file_put_risks(struct buffer *to, const struct conf_file *file);

#endif
