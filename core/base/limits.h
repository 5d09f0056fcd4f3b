/* SPDX-License-Identifier: ISC
 *
 * base/limits.h: every bound of the system, in one place, each with its reason. What an operator
 * may set is in plan/conf.def; its default and its ceiling come from here.
 */
#ifndef POSTERN_BASE_LIMITS_H
#define POSTERN_BASE_LIMITS_H

enum limit {
    /* the contract of roles and worlds */
    LIMIT_FRAME_BYTES = 64 * 1024,          /* one frame between two roles */
    LIMIT_KEPT_BYTES = 16 * 1024 * 1024,    /* what one step may keep in fx_keep */
    LIMIT_IO_LANES = 8,
    LIMIT_IO_FILES = 256,                   /* file slots of one role */
    LIMIT_LIST_BYTES = 64 * 1024 * 1024,    /* names that IO_LIST may return */
    LIMIT_LOG_LINE = 1024,                  /* reference/security: one event, at most 1 KiB */
    LIMIT_LOG_FIELD = 256,                  /* of a stranger's octets, before escaping */
    LIMIT_FRONTS = 64,
    LIMIT_USERS = 8,                        /* children that are system users, at once */
    LIMIT_SYSTEM_DOMAINS = 64,
    LIMIT_USER_NAME = 32,                   /* of a system user, as useradd(8) bounds it */

    /* SMTP, RFC 5321, 4.5.3.1 and after */
    LIMIT_LOCAL_PART = 64,                  /* 4.5.3.1.1 */
    LIMIT_DOMAIN = 255,                     /* 4.5.3.1.2 */
    LIMIT_LABEL = 63,                       /* RFC 1035, 2.3.4 */
    LIMIT_ADDRESS = 254,                    /* 4.5.3.1.3: a path of 256 with its brackets */
    LIMIT_PATH = 1024,                      /* 4.5.3.1.3 says 256; source routes are dropped */
    LIMIT_COMMAND_LINE = 4096,              /* 4.5.3.1.4 says 512, extensions add to it */
    LIMIT_COMMAND_FLOOD = 64 * 1024,        /* octets without a line end before 421 and close */
    LIMIT_REPLY_LINE = 512,                 /* 4.5.3.1.5, CRLF included */
    LIMIT_RECIPIENTS = 1000,                /* default; RFC 5321, 4.5.3.1.8 asks for 100 at least */
    LIMIT_RECIPIENTS_MOST = 2000,           /* all of them and the text must fit one record */
    LIMIT_NULL_SENDER_RECIPIENTS = 2,       /* a report goes to one; two for peers that batch */
    LIMIT_RECEIVED_FIELDS = 50,             /* a loop, RFC 5321, 6.3 (100 there; peers use less) */
    LIMIT_CHUNKS = 10000,                   /* BDAT commands in one letter */
    LIMIT_DROPPED_TEXT = 256 * 1024 * 1024, /* of a refused text read on before the end */
    LIMIT_JUNK_COMMANDS = 100,              /* commands that bring no letter nearer, in a row */
    LIMIT_SOFT_ERRORS = 10,                 /* refused commands before replies are delayed */
    LIMIT_HARD_ERRORS = 20,                 /* refused commands before 421 and close */
    LIMIT_BAD_RECIPIENTS = 20,              /* of one session: harvesting */
    LIMIT_COMMITS_AHEAD = 64,               /* letters of one session on their way to the disk */
    LIMIT_HELD_REPLIES = 64 * 1024,         /* octets of replies waiting behind one of those */
    LIMIT_HEADER_BYTES = 1024 * 1024,       /* header section of a letter */
    LIMIT_MIME_DEPTH = 64,
    LIMIT_MIME_PARTS = 10000,
    LIMIT_COMMENT_DEPTH = 20,
    LIMIT_PARAMETER_SECTIONS = 64,          /* RFC 2231 continuations */
    LIMIT_ENVELOPE_BYTES = 48 * 1024,       /* of one record's sender, facts, some recipients */

    /* the front */
    LIMIT_CONNECTIONS = 12000,              /* of one front */
    LIMIT_FRONT_TEXT = 64 * 1024 * 1024,    /* text a front may hold; above: 452 4.3.1 */
    LIMIT_LETTER_CREDIT = 512 * 1024,       /* octets of one letter on their way to the store */
    LIMIT_MAILBOX_CACHE = 4096,             /* answers of local that a front remembers */

    /* the queue */
    LIMIT_INLINE_TEXT = 256 * 1024,         /* a larger text has a body file of its own */
    LIMIT_RECORD_BYTES = 1024 * 1024,       /* one record: envelope and text and header */
    LIMIT_SEGMENT_BYTES = 64 * 1024 * 1024,
    LIMIT_QUEUE_LETTERS = 20 * 1000 * 1000,
    LIMIT_JOBS = 128,                       /* deliveries under way at once */

    /* the control socket */
    LIMIT_CONTROL_FRAME = 64 * 1024,        /* a request, or one frame of an answer */
    LIMIT_CONTROL_CLIENTS = 64,
    LIMIT_CONTROL_PER_UID = 32,             /* so that root finds a place whatever others hold */

    LIMIT_WEB_CLIENTS = 64,                 /* who ask over HTTP at the same time */

    /* what an operator may set, at least and at most (plan/conf.def) */
    LIMIT_SIZE_LEAST = 64 * 1024,           /* RFC 5321, 4.5.3.1.7 */
    LIMIT_RECIPIENTS_LEAST = 100,           /* 4.5.3.1.8 */
    LIMIT_COUNTED = 1000 * 1000,            /* of connections and mistakes of one address */
    LIMIT_GREET_DELAY_MS = 60 * 1000,       /* of the five minutes that a client waits */
    LIMIT_SPAN_LEAST_MS = 1000,             /* no schedule turns faster */
    LIMIT_IDLE_MS = 60 * 60 * 1000,
    LIMIT_DAY_MS = 24 * 60 * 60 * 1000,     /* between two tries; a day of history is one file */
    LIMIT_SEGMENT_LEAST = 64 * 1024,        /* a frame, and so a small letter, must fit */
    LIMIT_REPORTS = 100 * 1000,             /* to one sender in an hour */
    LIMIT_HISTORY_LEAST = 1024 * 1024,
    LIMIT_SOCKET_PATH = 107,                /* of a unix socket, as Linux has them */

    LIMIT_CONF_BYTES = 1024 * 1024,
    LIMIT_CONF_LINE = 4096,
    LIMIT_TABLE_BYTES = 16 * 1024 * 1024,   /* a file of aliases */
    LIMIT_CONF_MEMORY = 128 * 1024 * 1024,  /* arena: a file of short domains, and the tables */
};

#endif
