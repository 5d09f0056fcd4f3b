/* SPDX-License-Identifier: ISC */
#include "role/once_key_int.h"

#include "base/number.h"
#include "base/safe.h"
#include "role/once_int.h"

static const char help[] =
    "usage: postern key make    --name ADDRESS [--dn NAME] [--bits N] [--days N]\n"
    "                           [--profile modern|rfc1423|ripem12|ripem3] [--authority]\n"
    "       postern key import  FILE [--name ADDRESS]\n"
    "       postern key export  KEY [--private] [--form pem|der|ripem12|ripem3]\n"
    "       postern key list    [KEY] [--json] [--strict]\n"
    "       postern key trust   KEY [--depth N] [--role ca|pca|ipra] | KEY --not\n"
    "       postern key revoke  KEY --by KEY [--days N]\n"
    "       postern key crl     --by KEY [--days N] | --ask KEY | --answer FILE | FILE\n"
    "       postern key request KEY [--profile ...] [--clear]\n"
    "       postern key issue   FILE --by KEY [--days N] [--profile ...] [--authority]\n"
    "\n"
    "Keys and certificates of Privacy-Enhanced Mail, kept in ~/.config/postern. KEY is a name or\n"
    "mail address, or eight or more digits of a digest. FILE \"-\" is standard input. What is\n"
    "asked for goes to standard output.\n"
    "\n"
    "  --keys FOLDER            where keys are kept\n"
    "  --password-file FILE     the pass phrase is its first line\n"
    "  --password-fd N          the same of an open descriptor; else the terminal is asked\n"
    "  --new-password-file FILE, --new-password-fd N\n"
    "                           the pass phrase of what is written, when it is another one\n"
    "\n"
    "postern-key(1) tells what each does.\n";

static const char *const verbs[] = {
    [KEY_MAKE] = "make", [KEY_IMPORT] = "import", [KEY_EXPORT] = "export", [KEY_LIST] = "list",
    [KEY_TRUST] = "trust", [KEY_REVOKE] = "revoke", [KEY_CRL] = "crl", [KEY_REQUEST] = "request",
    [KEY_ISSUE] = "issue",
};
_Static_assert(COUNT(verbs) == KEY_VERBS, "a verb without a word");

static const char *const profiles[] = {
    [KEY_MODERN] = "modern", [KEY_RFC1423] = "rfc1423", [KEY_RIPEM12] = "ripem12",
    [KEY_RIPEM3] = "ripem3",
};

static const char *const forms[] = {
    [KEY_FORM_PEM] = "pem", [KEY_FORM_DER] = "der", [KEY_FORM_RIPEM12] = "ripem12",
    [KEY_FORM_RIPEM3] = "ripem3",
};

#define ON(verb) (1U << (verb))
enum { ALL_VERBS = (1 << KEY_VERBS) - 1 };

const char *key_help(void)
{
    return help;
}

static bool find_word(const char *const *list, size_t n, struct bytes word, size_t *ret_i)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes_equal(word, bytes_of(list[i]))) {
            *ret_i = i;
            return true;
        }
    }
    return false;
}

/* Options that stand alone. */
static bool take_flag(struct bytes word, struct key_request *request)
{
    const struct {
        const char *word;
        bool *flag;
        unsigned verbs;
    } flags[] = {
        { "--help", &request->help, ALL_VERBS }, { "-h", &request->help, ALL_VERBS },
        { "--json", &request->json, ON(KEY_LIST) },
        { "--strict", &request->strict, ON(KEY_LIST) | ON(KEY_CRL) },
        { "--authority", &request->authority, ON(KEY_MAKE) | ON(KEY_ISSUE) },
        { "--private", &request->secret, ON(KEY_EXPORT) },
        { "--not", &request->drop, ON(KEY_TRUST) },
        { "--ask", &request->ask, ON(KEY_CRL) },
        { "--answer", &request->answer, ON(KEY_CRL) },
        { "--clear", &request->clear, ON(KEY_REQUEST) },
    };

    for (size_t i = 0; i < COUNT(flags); i++) {
        if (bytes_equal(word, bytes_of(flags[i].word))
            && (flags[i].verbs & ON(request->verb)) != 0) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

/* Options with a word of their own; NULL: the word is none of them. */
static struct bytes *word_option(struct bytes word, struct key_request *request)
{
    const struct {
        const char *word;
        struct bytes *to;
        unsigned verbs;
    } options[] = {
        { "--name", &request->name, ON(KEY_MAKE) | ON(KEY_IMPORT) },
        { "--dn", &request->dn, ON(KEY_MAKE) },
        { "--by", &request->by, ON(KEY_REVOKE) | ON(KEY_CRL) | ON(KEY_ISSUE) },
        { "--keys", &request->folder, ALL_VERBS },
        { "--password-file", &request->password_file, ALL_VERBS },
        { "--password-fd", &request->password_fd, ALL_VERBS },
        { "--new-password-file", &request->new_file, ON(KEY_IMPORT) | ON(KEY_EXPORT) },
        { "--new-password-fd", &request->new_fd, ON(KEY_IMPORT) | ON(KEY_EXPORT) },
    };

    for (size_t i = 0; i < COUNT(options); i++)
        if (bytes_equal(word, bytes_of(options[i].word))
            && (options[i].verbs & ON(request->verb)) != 0)
            return options[i].to;
    return NULL;
}

static bool take_number(struct bytes value, uint64_t most, uint64_t *ret_number)
{
    return number_parse(value, ret_number) && *ret_number <= most;
}

/* Options whose value is a number or one of some words. False: not one, or a wrong value. */
static bool take_value(struct bytes word, struct bytes value, struct key_request *request)
{
    unsigned on = ON(request->verb);
    size_t i;

    if (bytes_equal(word, BYTES("--bits")) && (on & ON(KEY_MAKE)) != 0)
        return take_number(value, RSA_BITS_MOST, &request->bits) && request->bits % 8 == 0
            && request->bits >= RSA_MAKE_LEAST;
    if (bytes_equal(word, BYTES("--days"))
        && (on & (ON(KEY_MAKE) | ON(KEY_REVOKE) | ON(KEY_CRL) | ON(KEY_ISSUE))) != 0)
        return take_number(value, 36500, &request->days) && request->days > 0;
    if (bytes_equal(word, BYTES("--depth")) && (on & ON(KEY_TRUST)) != 0)
        return take_number(value, CERT_DEPTH_MOST, &request->depth);
    if (bytes_equal(word, BYTES("--role")) && (on & ON(KEY_TRUST)) != 0)
        return key_role_of(value, &request->free_levels);
    if (bytes_equal(word, BYTES("--form")) && (on & ON(KEY_EXPORT)) != 0) {
        bool known = find_word(forms, COUNT(forms), value, &i);
        request->form = known ? (enum key_form)i : request->form;
        return known;
    }
    if (bytes_equal(word, BYTES("--profile"))
        && (on & (ON(KEY_MAKE) | ON(KEY_ISSUE) | ON(KEY_REQUEST))) != 0) {
        bool known = find_word(profiles, COUNT(profiles), value, &i);
        request->profile = known ? (enum key_profile)i : request->profile;
        return known;
    }
    return false;
}

static bool take_option(const struct bytes *words, size_t n, size_t *at,
                        struct key_request *request, struct buffer *reterr_words)
{
    struct bytes word = words[*at];

    if (take_flag(word, request))
        return true;
    if (*at + 1 == n)
        return once_refuse(reterr_words, "there is no option, or no value behind it,", word,
                      "; see --help");
    struct bytes value = words[++*at], *to = word_option(word, request);
    if (to != NULL) {
        *to = value;
        return value.n > 0 || once_refuse(reterr_words, "there is no value behind", word, "");
    }
    return take_value(word, value, request)
        || once_refuse(reterr_words, "key has no such option, or not with that value:", word,
                  "; see --help");
}

/* What each verb cannot do without. */
static bool is_whole(const struct key_request *request, struct buffer *reterr_words)
{
    bool subject = request->subject.n > 0;
    const char *missing = NULL;

    switch (request->verb) {
    case KEY_MAKE:
        missing = subject ? "no other word" : request->name.n == 0 ? "--name ADDRESS" : NULL;
        break;
    case KEY_IMPORT: missing = subject ? NULL : "a FILE"; break;
    case KEY_EXPORT: case KEY_TRUST: case KEY_REQUEST: missing = subject ? NULL : "a KEY"; break;
    case KEY_REVOKE: missing = !subject ? "a KEY" : request->by.n == 0 ? "--by KEY" : NULL; break;
    case KEY_ISSUE: missing = !subject ? "a FILE" : request->by.n == 0 ? "--by KEY" : NULL; break;
    case KEY_CRL:
        missing = (request->by.n > 0) == subject ? "either --by KEY, or a KEY or FILE" : NULL;
        break;
    case KEY_LIST: case KEY_VERBS: break;
    }
    if (missing == NULL)
        return true;
    buffer_put(reterr_words, BYTES("key "));
    buffer_put_text(reterr_words, verbs[request->verb]);
    buffer_put(reterr_words, BYTES(" wants "));
    buffer_put_text(reterr_words, missing);
    buffer_put(reterr_words, BYTES("; see --help\n"));
    return false;
}

bool key_words_read(const struct bytes *words, size_t n, struct key_request *ret_request,
                    struct buffer *reterr_words)
{
    struct key_request request = { .depth = UINT64_MAX };
    struct bytes *const texts[] = {
        &request.subject, &request.name, &request.dn, &request.by, &request.folder,
        &request.password_file, &request.password_fd, &request.new_file, &request.new_fd,
    };
    size_t verb;

    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = BYTES_NONE;
    if (n > 0 && (bytes_equal(words[0], BYTES("--help")) || bytes_equal(words[0], BYTES("-h")))) {
        request.help = true;
        *ret_request = request;
        return true;
    }
    if (n == 0 || !find_word(verbs, COUNT(verbs), words[0], &verb))
        return once_refuse(reterr_words, "key cannot", n == 0 ? BYTES_NONE : words[0],
                           "; see --help");
    request.verb = (enum key_verb)verb;
    for (size_t i = 1; i < n; i++) {
        if (bytes_begins(words[i], BYTES("-")) && words[i].n > 1) {
            if (!take_option(words, n, &i, &request, reterr_words))
                return false;
        } else if (request.subject.n > 0) {
            return once_refuse(reterr_words, "nothing is known of the word", words[i],
                               "; see --help");
        } else {
            request.subject = words[i];
        }
    }
    *ret_request = request;
    return request.help || is_whole(&request, reterr_words);
}
