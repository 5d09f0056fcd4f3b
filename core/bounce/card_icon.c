/* SPDX-License-Identifier: ISC
 *
 * The icons: an envelope, and on its corner what became of it. Drawn in a square of 48, with the
 * colour of the text around them.
 */
#include "bounce/card_int.h"

static const char envelope[] =
    "<path d=\"M7 11h30a3 3 0 0 1 3 3v12.5M26 37H7a3 3 0 0 1-3-3V14a3 3 0 0 1 3-3\"/>"
    "<path d=\"M5 13l17 13 17-13\"/><circle cx=\"36\" cy=\"36\" r=\"9\"/>";

static const char *mark_of(enum cause_family family)
{
    switch (family) {
    case CAUSE_FAMILY_ADDRESS:      /* a question */
        return "<path d=\"M33 34a3 3 0 1 1 4.2 2.8c-.8.4-1.2.9-1.2 1.7M36 41.2v.1\"/>";
    case CAUSE_FAMILY_BLOCKED:      /* no entry */
        return "<path d=\"M31.5 36h9\" stroke-width=\"3.5\"/>";
    case CAUSE_FAMILY_INCOMPLETE:   /* a clock */
        return "<path d=\"M36 31v5l3.5 2.5\"/>";
    case CAUSE_FAMILY_NONE:         /* it went well */
        return "<path d=\"M32 36.2l3 3 5-6\"/>";
    case CAUSE_FAMILY_UNDELIVERED:  /* a cross */
    case CAUSE_FAMILIES:
        break;
    }
    return "<path d=\"M32.5 32.5l7 7M39.5 32.5l-7 7\"/>";
}

void card_put_icon(struct buffer *to, enum cause_family family)
{
    buffer_put_text(to, "<svg class=\"icon\" aria-hidden=\"true\" viewBox=\"0 0 48 48\""
                        " width=\"48\" height=\"48\" fill=\"none\""
                        " stroke=\"currentColor\" stroke-width=\"2.5\" stroke-linecap=\"round\""
                        " stroke-linejoin=\"round\">");
    buffer_put_text(to, envelope);
    buffer_put_text(to, mark_of(family));
    buffer_put_text(to, "</svg>");
}
