/* SPDX-License-Identifier: ISC
 *
 * bounce/head_int.h: the fields of a message's header that the reader looks at. Faster and laxer
 * than mail/header.h, which decides what a letter is; nothing here decides that.
 */
#ifndef POSTERN_BOUNCE_HEAD_INT_H
#define POSTERN_BOUNCE_HEAD_INT_H

#include "bounce/text_int.h"

#define HEAD_LIST(H) \
    H(FROM, "from") H(TO, "to") H(SUBJECT, "subject") H(CONTENT_TYPE, "content-type") \
    H(CODING, "content-transfer-encoding") H(AUTO_SUBMITTED, "auto-submitted") \
    H(RETURN_PATH, "return-path") H(FAILED, "x-failed-recipients") H(MESSAGE_ID, "message-id") \
    H(REPLY_TO_ID, "in-reply-to") H(PRECEDENCE, "precedence") H(DATE, "date") \
    H(LIST_ID, "list-id") H(AUTOREPLY, "x-autoreply") H(AUTORESPOND, "x-autorespond") \
    H(DELIVERED_AUTOREPLY, "x-auto-response-suppress") H(CC, "cc") H(SENDER, "sender") \
    H(MAILER, "x-mailer") H(DISPOSITION, "content-disposition") H(LANGUAGE, "content-language") \
    H(DESCRIPTION, "content-description") H(ACTUAL, "x-actual-recipient") \
    H(ENVELOPE_TO, "x-original-to") H(MS_PROPERTY, "x-ms-exchange-generated-message-source") \
    H(RECEIVED, "received") H(MIME, "mime-version") H(CHALLENGE, "x-boxbe-delivery-status")

#define HEAD_NAME_(NAME, text) HEAD_##NAME,
enum head_field { HEAD_LIST(HEAD_NAME_) HEAD_FIELDS };
#undef HEAD_NAME_

struct head {
    struct bytes field[HEAD_FIELDS];    /* bodies as written, folded; at == NULL: not there */
    unsigned fields;                    /* any field at all */
};

/* Reads up to the empty line, which is taken, or to the first line that is no field, which is
   not. "From " of an mbox before it is passed over. */
void head_read(struct lines *lines, struct head *ret_head);
/* Could the line be a field: a name, and a colon? */
bool head_is_field(struct bytes line);
/* A field's body on one line, in the arena when it was folded. */
struct bytes head_unfold(struct arena *arena, struct bytes body);

#endif
