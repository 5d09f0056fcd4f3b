/* SPDX-License-Identifier: ISC */
#include "host/box_int.h"

#include "host/box_calls.def"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct list {
    scmp_filter_ctx filter;
    unsigned may, n;
    int error;                  /* of the first that could not be added; 0 */
};

static void note(struct list *list, int result)
{
    if (result < 0 && list->error == 0)
        list->error = -result;
    list->n += result == 0;
}

static void allow(struct list *list, unsigned rights, int call)
{
    if (rights == BOX_ALL || list->may & rights)
        note(list, seccomp_rule_add(list->filter, SCMP_ACT_ALLOW, call, 0));
}

static void allow_value(struct list *list, unsigned rights, int call, unsigned argument,
                        uint64_t mask, uint64_t value)
{
    struct scmp_arg_cmp when = { .arg = argument, .op = SCMP_CMP_MASKED_EQ,
                                 .datum_a = mask, .datum_b = value };

    if (rights == BOX_ALL || list->may & rights)
        note(list, seccomp_rule_add_array(list->filter, SCMP_ACT_ALLOW, call, 1, &when));
}

static void allow_all_of_row(struct list *list)
{
#define C(rights, call) allow(list, rights, SCMP_SYS(call));
#define V(rights, call, argument, mask, value) \
    allow_value(list, rights, SCMP_SYS(call), argument, mask, value);
    BOX_CALLS(C)
    if (BOX_IS_SANITIZED) {
        BOX_SANITIZED(C)
    }
    BOX_VALUES(V)
#undef V
#undef C
}

/* Other people's libraries try this and that, and take no for an answer; that there is no clone3
   they must be told in those words, for then they use clone. */
static void let_foreign_live(struct list *list)
{
    note(list, seccomp_rule_add(list->filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
}

static int load(struct list *list)
{
    int result = seccomp_attr_set(list->filter, SCMP_FLTATR_CTL_TSYNC, 1);

    if (result == 0)
        result = seccomp_attr_set(list->filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return result == 0 ? seccomp_load(list->filter) : result;
}

bool box_calls(struct box *box)
{
    struct list list = { .may = box->rights->may };
    bool foreign = box->rights->may & MAY_FOREIGN;
    int result;

    list.filter = seccomp_init(foreign ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
    if (list.filter == NULL) {
        errno = ENOMEM;
        return false;
    }
    allow_all_of_row(&list);
    if (foreign)
        let_foreign_live(&list);
    result = list.error != 0 ? -list.error : load(&list);
    seccomp_release(list.filter);
    if (result == -ENOSYS || result == -EINVAL) {
        box_lack(box, "seccomp");
        return true;
    }
    box->calls = result == 0 ? list.n : 0;
    errno = -result;
    return result == 0;
}
