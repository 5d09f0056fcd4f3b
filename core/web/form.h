/* SPDX-License-Identifier: ISC
 *
 * web/form.h: what a form of a page sends: the body of a POST as fields (RFC 7578, and the
 * urlencoded form of the URL standard). Stands on base.
 */
#ifndef POSTERN_WEB_FORM_H
#define POSTERN_WEB_FORM_H

#include "base/buffer.h"

enum { FORM_PARTS_MOST = 16 };

/* The value of a field: of multipart/form-data as it stands in the body (a file's octets too), of
   application/x-www-form-urlencoded decoded into `room`, which must outlive it. False: the body is
   no form of these, or has no such field. */
MUST_USE bool form_field(struct bytes content_type, struct bytes body, struct bytes name,
                         struct buffer *room, struct bytes *ret_value);
/* Is the body a form at all? */
bool form_is(struct bytes content_type);

#endif
