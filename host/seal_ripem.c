/* SPDX-License-Identifier: ISC
 *
 * The program called as `ripem`: the options of RIPEM 1.2 and 3.0 that people's scripts use, turned
 * into the words of seal and open. The table is in postern-pem(1).
 */
#include "host/ctl_int.h"
#include "host/seal_int.h"


#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { USERS_ROOM = 1024 };

struct ripem {
    struct seal_words words;
    bool enciphers, deciphers;
    const char *home;
    char user[USERS_ROOM];          /* the first of -u's names */
    char secret[1100];
};

static const char help[] =
    "usage: ripem -e|-d [options]\n"
    "\n"
    "  -e            make a message;  -d  read one\n"
    "  -m MODE       encrypted (enveloped-only is refused), mic-only, mic-clear\n"
    "  -M FORMAT     ripem1 (as RIPEM 1.2 and 3.0 read it) or pem (RFC 1421)\n"
    "  -r NAME       a recipient; may be given again\n"
    "  -u NAME       whose keys are used\n"
    "  -h [ipr]      i: the letter's header is sealed with it; p: it stands before the message;\n"
    "                r: recipients are taken from To and Cc\n"
    "  -i FILE  -o FILE  -p PUBLIC  -s PRIVATE  -H HOME\n"
    "  -k PASSWORD   or \"-\": the first line of standard input\n"
    "  -A CIPHER     des-cbc, des-ede-cbc\n"
    "  -a DIGEST     rsa-md2, rsa-md5, sha-1\n"
    "  -T [amn]      a: no message when a key is missing; m: me too; n: leave him out\n";

static bool take_file(const char *name, struct seal_words *words)
{
    if (words->keys_n == SEAL_FILES_MOST)
        return false;
    words->keys[words->keys_n++] = name;
    return true;
}

/* Others can see a command line: it is hidden as soon as it was read, as RIPEM did. */
static bool take_password(char *value, struct ripem *ripem)
{
    size_t n = strlen(value);

    if (strcmp(value, "-") == 0) {
        ripem->words.password.fd = STDIN_FILENO;
        return true;
    }
    if (n >= sizeof(ripem->secret))
        return false;
    memcpy(ripem->secret, value, n);
    memset(value, '*', n);
    ripem->words.secret = (struct bytes){ ripem->secret, n };
    return true;
}

static bool take_header(const char *value, struct seal_words *words)
{
    words->include = strchr(value, 'i') != NULL;
    words->prepend = strchr(value, 'p') != NULL;
    words->take_to = strchr(value, 'r') != NULL;
    return strspn(value, "ipr") == strlen(value);
}

static bool take_missing(const char *value, struct seal_words *words)
{
    words->me_too = strchr(value, 'm') != NULL;
    words->without_missing = strchr(value, 'n') != NULL;
    return strspn(value, "amn") == strlen(value);
}

static bool take_mode(const char *value, struct seal_words *words)
{
    return pem_type_of(bytes_of(value), &words->order.type) && words->order.type <= PEM_MIC_CLEAR
        && (words->has_mode = true);
}

static bool take_format(const char *value, struct seal_words *words)
{
    bool pem = strcmp(value, "pem") == 0;

    words->order.profile = pem ? PEM_PROFILE_RFC1421 : PEM_PROFILE_RIPEM3;
    return pem || strcmp(value, "ripem1") == 0;
}

static bool take_user(const char *value, struct ripem *ripem)
{
    size_t n = strcspn(value, ",");

    if (n == 0 || n >= sizeof(ripem->user))
        return false;
    memcpy(ripem->user, value, n);
    ripem->words.from = ripem->user;
    return true;
}

static bool take_value(char option, char *value, struct ripem *ripem)
{
    struct seal_words *words = &ripem->words;

    switch (option) {
    case 'm': return take_mode(value, words);
    case 'M': return take_format(value, words);
    case 'r':
        if (words->to_n == SEAL_TO_MOST)
            return false;
        words->to[words->to_n++] = value;
        return true;
    case 'u': return take_user(value, ripem);
    case 'h': return take_header(value, words);
    case 'i': words->file = value; return true;
    case 'o': words->output = value; return true;
    case 'p': case 's': case 'P': case 'S': return take_file(value, words);
    case 'H': ripem->home = value; return true;
    case 'k': return take_password(value, ripem);
    case 'A': return words->order.has_dek = pem_cipher_of(bytes_of(value), &words->order.dek);
    case 'a': return words->order.has_mic = pem_digest_of(bytes_of(value), &words->order.mic);
    case 'T': return take_missing(value, words);
    default: return false;
    }
}

/* RIPEM took "-m mic-only" and "-mmic-only" alike. */
static int read_words(int argc, char **argv, struct ripem *ripem)
{
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        char option = word[0] == '-' ? word[1] : '\0';
        if (strcmp(word, "--help") == 0) {
            ripem->words.help = true;
        } else if ((option == 'e' || option == 'd') && word[2] == '\0') {
            ripem->enciphers = ripem->enciphers || option == 'e';
            ripem->deciphers = ripem->deciphers || option == 'd';
        } else if (option != '\0' && word[2] != '\0') {
            if (!take_value(option, word + 2, ripem))
                return ctl_unknown("ripem", word);
        } else if (option == '\0' || i + 1 == argc || !take_value(option, argv[i + 1], ripem)) {
            return ctl_unknown("ripem", word);
        } else {
            i++;
        }
    }
    return 0;
}

/* -H names a folder with RIPEM's own file names. */
static void open_home(struct ripem *ripem)
{
    static char paths[3][4096];
    static const char *const files[] = { "pubkeys", "privkey", "crls" };
    struct seal_words *words = &ripem->words;

    for (size_t i = 0; i < COUNT(files) && words->keys_n < SEAL_FILES_MOST; i++) {
        int n = snprintf(paths[i], sizeof(paths[i]), "%s/%s", ripem->home, files[i]);
        if (n > 0 && (size_t)n < sizeof(paths[i]) && access(paths[i], R_OK) == 0)
            (void)take_file(paths[i], words);
    }
}

int seal_ripem_run(int argc, char **argv)
{
    static struct ripem ripem;

    ripem = (struct ripem){ .words = { .password = { NULL, -1 }, .pem = true,
                                       .order = { .profile = PEM_PROFILE_RIPEM3 } } };
    int status = read_words(argc, argv, &ripem);
    if (status != 0)
        return status;
    if (ripem.words.help) {
        fputs(help, stdout);
        return ctl_end(EX_OK);
    }
    if (ripem.enciphers == ripem.deciphers) {
        fputs("ripem: say -e or -d; see --help\n", stderr);
        return EX_USAGE;
    }
    if (ripem.home != NULL)
        open_home(&ripem);
    ripem.words.command = ripem.enciphers ? "seal" : "open";
    if (ripem.enciphers && ripem.words.order.type == PEM_ENCRYPTED && ripem.words.to_n == 0
        && !ripem.words.take_to) {
        fputs("ripem: an encrypted message wants -r NAME\n", stderr);
        return EX_USAGE;
    }
    status = ripem.enciphers ? seal_write_words(&ripem.words) : seal_read_words(&ripem.words);
    mem_wipe(ripem.secret, sizeof(ripem.secret));
    return status;
}
