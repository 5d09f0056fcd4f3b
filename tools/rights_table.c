/* SPDX-License-Identifier: ISC
 *
 * The table of roles in ARCHITECTURE.md, from core/role/rights.def and host/box_calls.def.
 *
 *   usage: rights-table             print it
 *          rights-table PAGE        TAP: is it in that page, word for word?
 */
#include "base/buffer.h"
#include "host/box_calls.def"
#include "role/rights.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE_MOST = 1 << 20 };

static void put_cell(struct buffer *to, const char *text)
{
    buffer_put_text(to, text);
    buffer_put(to, BYTES(" | "));
}

static void put_peers(struct buffer *to, enum role_kind kind)
{
    bool first = true;

    for (enum role_kind peer = 0; peer < ROLE_KINDS; peer++) {
        if (!rights_talk(kind, peer))
            continue;
        if (!first)
            buffer_put(to, BYTES(", "));
        buffer_put_text(to, rights_of(peer)->name);
        first = false;
    }
    put_cell(to, first ? "all, at their start" : "");
}

/* Not those that count only with a value: they are few, and the same call twice. */
static unsigned calls_of(unsigned may)
{
    unsigned n = 0;

#define C(rights, call) n += (rights) == BOX_ALL || (may & (rights)) != 0;
    BOX_CALLS(C)
#undef C
    return n;
}

static const char *network_of(unsigned may)
{
    return may & MAY_BIND ? "binds, before anything else runs"
         : may & (MAY_CONNECT | MAY_DNS | MAY_FETCH) ? "connects"
         : may & (MAY_SMTP | MAY_CONTROL) ? "accepts; else an empty one" : "an empty one";
}

static void put_role(struct buffer *to, enum role_kind kind)
{
    const struct role_rights *role = rights_of(kind);
    bool master = kind == ROLE_MASTER;

    buffer_put(to, BYTES("| "));
    put_cell(to, role->name);
    buffer_put_text(to, master || role->may & MAY_HOME ? "" : "postern-");
    put_cell(to, master ? "root" : role->may & MAY_HOME ? "the recipient" : role->name);
    put_cell(to, role->holds);
    put_cell(to, role->may & MAY_SPOOL ? "below the spool"
               : role->may & MAY_MAIL ? "below the mail root"
               : role->may & MAY_HOME ? "below the home" : master ? "opens them" : "none");
    put_cell(to, network_of(role->may));
    put_peers(to, kind);
    if (master)
        buffer_put_char(to, '-');
    else
        buffer_put_uint(to, calls_of(role->may));
    buffer_put(to, BYTES(" |\n"));
}

static void put_table(struct buffer *to)
{
    buffer_put(to, BYTES("| role | user | holds | files | network | speaks with | calls |\n"
                         "|---|---|---|---|---|---|---|\n"));
    for (enum role_kind kind = 0; kind < ROLE_KINDS; kind++)
        put_role(to, kind);
}

static bool read_page(const char *path, struct buffer *page)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char piece[4096];
    ssize_t got = -1;

    while (fd >= 0 && (got = read(fd, piece, sizeof(piece))) > 0)
        buffer_put(page, (struct bytes){ piece, (size_t)got });
    if (fd >= 0)
        close(fd);
    return got == 0 && !page->bad;
}

int main(int argc, char **argv)
{
    struct buffer table = buffer_with_most(PAGE_MOST), page = buffer_with_most(PAGE_MOST);
    bool found = true;

    put_table(&table);
    if (argc > 1) {
        struct bytes wanted = buffer_bytes(&table);
        found = read_page(argv[1], &page)
             && bytes_search(buffer_bytes(&page), wanted) < page.n;
        printf("1..1\n%s 1 - the table of roles in %s is what rights.def says\n",
               found ? "ok" : "not ok", argv[1]);
    } else {
        fwrite(table.at, 1, table.n, stdout);
    }
    buffer_done(&table);
    buffer_done(&page);
    return found ? 0 : 1;
}
