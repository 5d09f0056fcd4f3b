/* SPDX-License-Identifier: ISC
 *
 * mail/list.c: RFC 5322, 3.4.
 *
 *   address-list = (address *("," address)) / obs-addr-list
 *   address      = mailbox / group
 *   mailbox      = [display-name] angle-addr / addr-spec
 *   group        = display-name ":" [group-list] ";"
 *   angle-addr   = [CFWS] "<" [obs-route] addr-spec ">" [CFWS]
 */
#include "mail/list.h"

#include "mail/lex.h"

struct list_reader list_of(struct bytes body)
{
    return (struct list_reader){
        .in = reader_of(body),
        .group = buffer_with_most(2 * body.n),
        .name = buffer_with_most(2 * body.n),
        .word = buffer_with_most(2 * body.n),
        .angle = buffer_with_most(body.n),
        .comment = buffer_with_most(body.n),
    };
}

void list_done(struct list_reader *list)
{
    buffer_done(&list->group);
    buffer_done(&list->name);
    buffer_done(&list->word);
    buffer_done(&list->angle);
    buffer_done(&list->comment);
}

static bool is_blank(char c) { return is_space(c) || c == '\r' || c == '\n'; }

static bool ends_word(char c)
{
    return is_blank(c) || c == ',' || c == ';' || c == ':' || c == '<' || c == '>' || c == '(';
}

/* Over a quoted string as it stands. */
static void skip_quoted(struct list_reader *list)
{
    struct buffer none = buffer_with_most(0);

    if (!take_quoted(&list->in, &none))
        list->flaws |= LIST_OPEN_QUOTE;
}

/* The octets of an address's part, or of a word, that stand together: quoted strings and address
   literals are taken whole. */
static struct bytes take_run(struct list_reader *list)
{
    struct reader *in = &list->in;
    size_t from = in->at;

    for (int c; (c = peek_octet(in)) >= 0 && !ends_word((char)c);) {
        struct bytes rest = reader_left(in);
        if (c == '"')
            skip_quoted(list);
        else if (c == '[' && bytes_find(bytes_first(rest, 256), ']') < rest.n
                 && bytes_find(bytes_first(rest, 256), ']') < 256)
            in->at += bytes_find(rest, ']') + 1;
        else
            in->at += c == '\\' && rest.n > 1 ? 2 : 1;
    }
    return (struct bytes){ in->all.at + from, in->at - from };
}

/* An "@" stands behind the last quote: a quoted string alone is a name, whatever is in it. */
static bool is_address(const struct list_reader *list)
{
    struct bytes word = buffer_bytes(&list->word);
    size_t at = bytes_find_last(word, '@'), quote = bytes_find_last(word, '"');

    return at < word.n && (quote == word.n || quote < at) && (list->flaws & LIST_OPEN_QUOTE) == 0;
}

/* The word under way belongs to the name: without its quotes, one space before it. */
static void word_to_name(struct list_reader *list)
{
    struct bytes word = buffer_bytes(&list->word);
    struct reader in = reader_of(word);

    if (word.n > 0 && list->name.n > 0)
        buffer_put_char(&list->name, ' ');
    if (list->bare_n == 0 && is_address(list)) {
        list->bare_at = list->name.n;
        list->bare_n = word.n;
    }
    if (word.n > 0 && word.at[0] == '"' && bytes_find(bytes_skip(word, 1), '"') + 2 >= word.n)
        (void)take_quoted(&in, &list->name);
    else
        buffer_put(&list->name, word);
    buffer_clear(&list->word);
}

/* White space and comments may stand around "@" (RFC 5322, 4.4): such words are one. */
static void take_word(struct list_reader *list)
{
    struct bytes run = take_run(list), word = buffer_bytes(&list->word);
    bool joined = run.n > 0 && word.n > 0 && (run.at[0] == '@' || word.at[word.n - 1] == '@');

    if (list->angle_seen)
        list->flaws |= LIST_STRAY;
    if (!joined)
        word_to_name(list);
    buffer_put(&list->word, run);
}

/* obs-route = "@" domain *("," "@" domain) ":" */
static void drop_route(struct list_reader *list)
{
    struct bytes all = buffer_bytes(&list->angle);
    size_t colon = bytes_find(all, ':');

    if (all.n > 0 && all.at[0] == '@' && colon < all.n) {
        list->flaws |= LIST_ROUTE;
        buffer_drop(&list->angle, colon + 1);
    }
}

/* What is between "<" and ">", or up to the end; the first one of a mailbox counts. */
static void take_angle(struct list_reader *list)
{
    struct reader *in = &list->in;
    bool first = !list->angle_seen;

    list->angle_seen = true;
    in->at++;
    for (int c; (c = peek_octet(in)) != '>';) {
        if (c < 0 || !skip_cfws(in)) {
            list->flaws |= c < 0 ? LIST_OPEN_ANGLE : LIST_BAD_COMMENT;
            in->at = in->all.n;
            break;
        }
        c = peek_octet(in);
        struct bytes run = take_run(list);
        if (run.n == 0 && c != '>' && c >= 0) {
            run = bytes_first(reader_left(in), 1);
            in->at++;
        }
        if (c == '<')
            list->flaws |= LIST_STRAY;
        else if (first)
            buffer_put(&list->angle, run);
    }
    (void)take_char(in, '>');
    list->flaws |= first ? 0 : LIST_STRAY;
    drop_route(list);
}

static void begin_group(struct list_reader *list)
{
    word_to_name(list);
    list->in.at++;
    if (list->in_group) {
        list->flaws |= LIST_NESTED_GROUP;
    } else {
        buffer_clear(&list->group);
        buffer_put(&list->group, buffer_bytes(&list->name));
    }
    buffer_clear(&list->name);
    list->in_group = true;
    list->group_used = false;
}

static bool has_item(const struct list_reader *list)
{
    return list->name.n > 0 || list->word.n > 0 || list->angle_seen || list->comment.n > 0;
}

/* One step over what stands next; true when an item, or an empty group, is over. */
static bool take_next(struct list_reader *list)
{
    struct reader *in = &list->in;
    int c = peek_octet(in);

    if (c == ',' || c == ';') {
        in->at++;
        list->group_ends = c == ';' && list->in_group;
        return has_item(list) || (list->group_ends && !list->group_used);
    }
    if (c == '(' && !take_comment(in, list->comment.n == 0 ? &list->comment : NULL)) {
        list->flaws |= LIST_BAD_COMMENT;
        in->at = in->all.n;
    } else if (c == '<') {
        take_angle(list);
    } else if (c == '>') {
        list->flaws |= LIST_STRAY;
        in->at++;
    } else if (c == ':') {
        begin_group(list);
    } else if (c != '(') {
        take_word(list);
    }
    return false;
}

/* Words around a bare address, or a second one behind it: the first that could be one is it, the
   others are its name. */
static void take_bare(struct list_reader *list, struct list_item *item)
{
    word_to_name(list);
    struct bytes name = buffer_bytes(&list->name);
    struct bytes behind = bytes_skip(name, list->bare_at + list->bare_n);

    list->flaws |= LIST_STRAY;
    buffer_clear(&list->angle);
    buffer_put(&list->angle, bytes_first(bytes_skip(name, list->bare_at), list->bare_n));
    buffer_put(&list->word, bytes_first(name, list->bare_at));
    buffer_put(&list->word, list->bare_at == 0 ? bytes_trim(behind) : behind);
    item->address = buffer_bytes(&list->angle);
    item->name = bytes_trim(buffer_bytes(&list->word));
}

static struct list_item finish_item(struct list_reader *list)
{
    struct list_item item = { .in_group = list->in_group, .group = buffer_bytes(&list->group) };

    item.group_itself = !has_item(list);
    item.group = list->in_group ? item.group : BYTES_NONE;
    item.address = BYTES_NONE;
    if (list->angle_seen) {
        word_to_name(list);
        item.address = buffer_bytes(&list->angle);
    } else if (is_address(list)) {
        item.address = buffer_bytes(&list->word);
    } else {
        word_to_name(list);
    }
    item.name = buffer_bytes(list->name.n > 0 ? &list->name : &list->comment);
    if (!list->angle_seen && list->bare_n > 0)
        take_bare(list, &item);
    return item;
}

static void begin_item(struct list_reader *list)
{
    buffer_clear(&list->name);
    buffer_clear(&list->word);
    buffer_clear(&list->angle);
    buffer_clear(&list->comment);
    list->angle_seen = false;
    list->bare_n = 0;
    if (list->group_ends)
        list->in_group = false;
    list->group_ends = false;
}

bool list_next(struct list_reader *list, struct list_item *ret_item)
{
    bool over = false;

    begin_item(list);
    while (take_while(&list->in, is_blank), !over && !reader_empty(&list->in)) {
        over = take_next(list);
        if (!over && list->group_ends)
            begin_item(list);
    }
    bool open = !over && list->in_group;
    if (open)
        list->flaws |= LIST_OPEN_GROUP;
    if (!over && !has_item(list) && !(open && !list->group_used))
        return false;
    *ret_item = finish_item(list);
    list->group_used = true;
    list->group_ends = list->group_ends || (open && reader_empty(&list->in));
    return true;
}
