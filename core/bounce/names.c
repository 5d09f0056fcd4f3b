/* SPDX-License-Identifier: ISC */
#include "bounce/text_int.h"

#include <string.h>

const char *bounce_kind_name(enum bounce_kind kind)
{
    static const char *const names[BOUNCE_KINDS] = {
        [BOUNCE_NOT_A_REPORT] = "not-a-report", [BOUNCE_FAILURE] = "bounce",
        [BOUNCE_DELAY] = "delay", [BOUNCE_SUCCESS] = "success", [BOUNCE_RELAYED] = "relayed",
        [BOUNCE_AUTOREPLY] = "autoreply", [BOUNCE_COMPLAINT] = "complaint",
        [BOUNCE_CHALLENGE] = "challenge",
    };

    return names[kind];
}

const char *bounce_action_name(enum bounce_action action)
{
    static const char *const names[BOUNCE_ACTIONS] = {
        [ACTION_UNKNOWN] = "", [ACTION_FAILED] = "failed", [ACTION_DELAYED] = "delayed",
        [ACTION_DELIVERED] = "delivered", [ACTION_RELAYED] = "relayed",
        [ACTION_EXPANDED] = "expanded",
    };

    return names[action];
}

const char *bounce_command_name(enum bounce_command command)
{
    static const char *const names[BOUNCE_COMMANDS] = {
        [COMMAND_UNKNOWN] = "", [COMMAND_CONNECT] = "CONNECT", [COMMAND_HELO] = "EHLO",
        [COMMAND_STARTTLS] = "STARTTLS", [COMMAND_AUTH] = "AUTH", [COMMAND_MAIL] = "MAIL FROM",
        [COMMAND_RCPT] = "RCPT TO", [COMMAND_DATA] = "DATA", [COMMAND_TEXT] = "end of DATA",
    };

    return names[command];
}

const char *bounce_proof_name(enum bounce_proof proof)
{
    static const char *const names[BOUNCE_PROOFS] = {
        [PROOF_NONE] = "", [PROOF_TOKEN] = "token", [PROOF_WORDS] = "words",
        [PROOF_STATUS] = "status", [PROOF_COMMAND] = "command",
        [PROOF_GENERIC_STATUS] = "generic-status", [PROOF_REPLY] = "reply",
        [PROOF_SUBJECT] = "subject", [PROOF_FORM] = "form",
    };

    return names[proof];
}

bool bounce_mbox_next(struct bytes *rest, struct bytes *ret_message)
{
    struct bytes text = *rest, mark = BYTES("\nFrom ");

    while (text.n > 0 && (text.at[0] == '\n' || text.at[0] == '\r'))
        text = bytes_skip(text, 1);
    if (text.n == 0)
        return *rest = text, false;
    const char *next = memmem(text.at, text.n, mark.at, mark.n);
    size_t n = next == NULL ? text.n : (size_t)(next - text.at) + 1;
    *ret_message = bytes_first(text, n);
    *rest = bytes_skip(text, n);
    return true;
}
