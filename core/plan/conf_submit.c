/* SPDX-License-Identifier: ISC
 *
 * Who of this machine may send as whom.
 */
#include "plan/conf.h"

#include "base/number.h"
#include "mail/address.h"
#include "mail/domain.h"

struct bytes conf_login_of(const struct conf *conf, uint32_t uid)
{
    struct bytes rest = conf->accounts_text, line;
    uint64_t number;

    while (bytes_cut(&rest, '\n', &line)) {
        struct bytes digits = bytes_upto(line, ' ');
        if (digits.n < line.n && number_parse(digits, &number) && number == uid)
            return bytes_skip(line, digits.n + 1);
    }
    return BYTES_NONE;
}

static bool is_trusted(const struct conf *conf, struct bytes login)
{
    for (size_t i = 0; i < conf->submit_trust.n; i++)
        if (bytes_equal_nocase(conf->submit_trust.list[i], login))
            return true;
    return false;
}

static bool is_here(const struct conf *conf, struct bytes domain)
{
    struct buffer ascii = buffer_with_most(LIMIT_DOMAIN + 1);
    bool here = domain_to_ascii(domain, &ascii) && !ascii.bad
        && (bytes_equal_nocase(buffer_bytes(&ascii), conf->host_ascii)
            || conf_serves(conf, buffer_bytes(&ascii)));

    buffer_done(&ascii);
    return here;
}

/* The local part is the login name, or that and a detail. */
static bool is_own(const struct conf *conf, struct bytes local, struct bytes login)
{
    struct bytes sign = conf->subaddress;

    if (sign.n == 1 && local.n > login.n && local.at[login.n] == sign.at[0])
        local.n = login.n;
    return bytes_equal_nocase(local, login);
}

bool conf_may_send_as(const struct conf *conf, uint32_t uid, struct bytes sender)
{
    struct bytes login = conf_login_of(conf, uid);
    struct address address;

    if (uid == 0 || sender.n == 0 || (login.n > 0 && is_trusted(conf, login)))
        return true;
    return login.n > 0 && address_parse(sender, true, &address, NULL)
        && is_own(conf, address.local, login) && is_here(conf, address.domain);
}

void conf_submit_put(struct buffer *to, const struct conf *conf)
{
    if (conf->submit.n > 0) {
        buffer_put(to, conf->submit);
        return;
    }
    buffer_put(to, bytes_first(conf->control, bytes_find_last(conf->control, '/')));
    buffer_put(to, BYTES("/submit"));
}
