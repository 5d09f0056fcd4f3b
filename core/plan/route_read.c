/* SPDX-License-Identifier: ISC */
#include "plan/route_int.h"

#include "mail/address.h"

/* A file being read. */
struct route_file {
    struct routes *routes;
    struct bytes path, rest;
    unsigned line;              /* of the entry in hand */
    unsigned next_line;
    struct buffer entry;        /* a line with those that go on with it */
    struct buffer targets, key;
    const char *words;          /* what is wrong */
};

enum { ENTRY_MOST = 4 * 1024 * 1024 };

static bool refuse(struct route_file *file, const char *words)
{
    if (file->words == NULL)
        file->words = words;
    return false;
}

static bool goes_on(struct bytes rest)
{
    return rest.n > 0 && is_space(rest.at[0]);
}

static struct bytes cut_line(struct route_file *file)
{
    struct bytes line = BYTES_NONE;

    (void)bytes_cut(&file->rest, '\n', &line);
    file->next_line++;
    return line;
}

/* The next entry with its continuation lines; false: the file ends. Comments and blank lines do not
   end an entry, nor do they belong to it. */
static bool take_entry(struct route_file *file)
{
    buffer_clear(&file->entry);
    while (file->rest.n > 0) {
        bool more = goes_on(file->rest);
        if (file->entry.n > 0 && !more && file->rest.at[0] != '#')
            return true;
        struct bytes line = cut_line(file);
        if (bytes_trim(line).n == 0 || bytes_trim(line).at[0] == '#')
            continue;
        if (file->entry.n == 0)
            file->line = file->next_line;
        else
            buffer_put_char(&file->entry, ' ');
        if (more && file->entry.n == 0)
            refuse(file, "a line begins with a blank, but there is none before that it could go on"
                   " with");
        buffer_put(&file->entry, bytes_trim(line));
    }
    return file->entry.n > 0;
}

/* One word or quoted text from the start of *rest; `stops` end a word. */
static struct bytes take_word(struct bytes *rest, bool (*stops)(char))
{
    size_t n = 0;
    bool quoted = false;

    while (n < rest->n && (quoted || !stops(rest->at[n]))) {
        if (rest->at[n] == '\\' && n + 1 < rest->n)
            n++;
        else if (rest->at[n] == '"')
            quoted = !quoted;
        n++;
    }
    struct bytes word = bytes_first(*rest, n);
    *rest = bytes_skip(*rest, n);
    return word;
}

static bool ends_value(char c) { return c == ',' || is_space(c); }
static bool ends_name(char c) { return c == ':' || is_space(c); }

static bool is_forbidden(struct bytes value)
{
    if (value.n > 0 && value.at[0] == '"')
        value = bytes_skip(value, 1);
    return value.n > 0 && (value.at[0] == '|' || value.at[0] == '/');
}

static bool take_target(struct route_file *file, struct bytes value)
{
    struct address address;
    struct buffer whole = buffer_with_most(2 * ADDRESS_NORMAL_MOST);
    struct conf_texts domains = file->routes->conf->domains;

    if (is_forbidden(value))
        return refuse(file, "programs and files are no addresses here: mail goes to mailboxes and"
                      " addresses only");
    if (bytes_begins_nocase(value, BYTES(":include:")))
        return refuse(file, ":include: is not read: write the addresses here");
    if (value.n > 0 && value.at[0] == '\\')
        value = bytes_skip(value, 1);
    buffer_put(&whole, value);
    if (bytes_find_last(value, '@') == value.n && domains.n > 0) {
        buffer_put_char(&whole, '@');
        buffer_put(&whole, domains.list[0]);
    }
    bool parses = !whole.bad && address_parse(buffer_bytes(&whole), true, &address, NULL)
               && address.domain.n > 0;
    if (parses)
        buffer_put_block(&file->targets, buffer_bytes(&whole));
    buffer_done(&whole);
    return parses || refuse(file, "a mail address, or a name of one of ours, should stand here");
}

static bool take_targets(struct route_file *file, struct bytes rest)
{
    buffer_clear(&file->targets);
    while (rest.n > 0) {
        if (ends_value(rest.at[0])) {
            rest = bytes_skip(rest, 1);
            continue;
        }
        if (!take_target(file, take_word(&rest, ends_value)))
            return false;
    }
    return file->targets.n > 0 || refuse(file, "an alias without any address");
}

static bool add(struct route_file *file, struct bytes key)
{
    bool twice = false;

    if (file->targets.bad)
        return refuse(file, "more addresses than can be kept");
    if (routes_add(file->routes, key, buffer_bytes(&file->targets), &twice))
        return true;
    return refuse(file, twice ? "this name has an alias already" : "memory is short");
}

/* NAME ":" ADDRESS, ... The name is compared without regard to case. */
static bool take_alias(struct route_file *file)
{
    struct bytes rest = buffer_bytes(&file->entry), name = take_word(&rest, ends_name);

    rest = bytes_trim(rest);
    if (name.n == 0 || rest.n == 0 || rest.at[0] != ':')
        return refuse(file, "expected NAME: ADDRESS, ...");
    if (!take_targets(file, bytes_skip(rest, 1)))
        return false;
    buffer_clear(&file->key);
    bool whole = bytes_find_last(name, '@') < name.n;
    if (!routes_key(file->routes, name, &file->key))
        return refuse(file, "the name before the colon cannot be that of a mailbox");
    struct bytes key = buffer_bytes(&file->key);
    return add(file, whole ? key : bytes_first(key, bytes_find_last(key, '@')));
}

static bool take_catch_all(struct route_file *file, struct bytes name)
{
    struct buffer probe = buffer_with_most(LIMIT_PATH);

    buffer_put(&probe, BYTES("x"));
    buffer_put(&probe, name);
    buffer_clear(&file->key);
    bool parses = !probe.bad && routes_key(file->routes, buffer_bytes(&probe), &file->key);
    buffer_done(&probe);
    if (!parses)
        return refuse(file, "no domain stands behind the @");
    return add(file, bytes_skip(buffer_bytes(&file->key), 1));
}

static bool take_virtual(struct route_file *file)
{
    struct bytes rest = buffer_bytes(&file->entry), name = take_word(&rest, is_space);

    if (!take_targets(file, rest))
        return false;
    if (name.n > 0 && name.at[0] == '@')
        return take_catch_all(file, name);
    buffer_clear(&file->key);
    if (bytes_find_last(name, '@') == name.n || !routes_key(file->routes, name, &file->key))
        return refuse(file, "expected ADDRESS or @DOMAIN, then one address or more");
    return add(file, buffer_bytes(&file->key));
}

static bool read_file(struct route_file *file, struct bytes text,
                      bool (*take)(struct route_file *), struct route_flaw *ret_flaw)
{
    bool well = true;

    file->rest = text;
    file->entry = buffer_with_most(ENTRY_MOST);
    file->targets = buffer_with_most(ENTRY_MOST);
    file->key = buffer_with_most(4 * ADDRESS_NORMAL_MOST);
    if (bytes_find(text, '\0') < text.n)
        well = refuse(file, "the file holds a NUL octet: it is no text");
    while (well && take_entry(file))
        well = file->words == NULL && !file->entry.bad && take(file);
    if (file->entry.bad)
        well = refuse(file, "an entry of this length cannot be kept");
    if (!well)
        *ret_flaw = (struct route_flaw){ file->path, file->line, file->words };
    buffer_done(&file->entry);
    buffer_done(&file->targets);
    buffer_done(&file->key);
    return well;
}

bool routes_read_aliases(struct routes *routes, struct route_flaw *ret_flaw)
{
    struct route_file file = { .routes = routes, .path = routes->conf->aliases };

    return read_file(&file, routes->conf->aliases_text, take_alias, ret_flaw);
}

bool routes_read_virtual(struct routes *routes, struct route_flaw *ret_flaw)
{
    struct route_file file = { .routes = routes, .path = routes->conf->virtual };

    return read_file(&file, routes->conf->virtual_text, take_virtual, ret_flaw);
}
