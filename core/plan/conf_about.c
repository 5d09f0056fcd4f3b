/* SPDX-License-Identifier: ISC */
#include "plan/conf_int.h"

bool conf_about(size_t i, struct conf_about *ret_about)
{
    static const char *const values[CONF_KINDS] = {
        [CONF_name] = "NAME", [CONF_names] = "NAME ...", [CONF_path] = "PATH",
        [CONF_listens] = "ADDRESS:PORT [tls] ...", [CONF_count] = "NUMBER", [CONF_size] = "SIZE",
        [CONF_span] = "TIME", [CONF_flag] = "yes | no",
        [CONF_spans] = "TIME ...", [CONF_routes] = "SERVER ...", [CONF_sign] = "SIGN",
        [CONF_mail] = "ADDRESS",
        [CONF_nets] = "ADDRESS/BITS ...", [CONF_webs] = "SOCKET ... | no",
        [CONF_servers] = "ADDRESS:PORT ...", [CONF_hops] = "[DOMAIN=]HOST[:PORT] ...",
        [CONF_policies] = "[DOMAIN=]POLICY ...", [CONF_fors] = "DOMAIN SETTING VALUE ...",
    };

    if (i >= CONF_SETTINGS)
        return false;
    const struct conf_setting *setting = &conf_settings[i];
    *ret_about = (struct conf_about){
        .word = setting->word, .value = values[setting->kind], .preset = setting->preset,
        .about = setting->about, .many = conf_is_list(setting),
        .needed = setting->preset[0] == '\0' && setting->least == 1,
    };
    return true;
}

void conf_put_bounds(struct buffer *to, size_t i)
{
    struct buffer range = buffer_with_most(128);

    conf_put_range(&range, &conf_settings[i]);
    struct bytes words = buffer_bytes(&range);
    buffer_put(to, bytes_skip(words, bytes_begins(words, BYTES(", ")) ? 2 : 1));
    if (range.bad)
        to->bad = true;
    buffer_done(&range);
}
