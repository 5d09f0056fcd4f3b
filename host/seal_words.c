/* SPDX-License-Identifier: ISC */
#include "host/seal_int.h"

#include "base/number.h"
#include "host/ctl_int.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define KEYS_HELP_ \
    "  --keys FILE            more keys: RIPEM's files, PEM, certificates; up to 16\n" \
    "  --keys FOLDER          the folder of keys; else ~/.config/postern\n" \
    "  --password-file FILE   the pass phrase of a private key is its first line\n" \
    "  --password-fd N        the same, from a descriptor\n"

static const struct { const char *command, *help; } helps[] = {
    { "verify",
      "usage: postern verify [options] [FILE]\n"
      "\n"
      "Says of each privacy-enhanced message in a file (a letter, an EDGAR filing, standard\n"
      "input) who signed it, and whether it is unchanged.\n"
      "\n" KEYS_HELP_
      "  --strict               names in certificates must be below their issuer's (RFC 1422)\n"
      "  --interchange FILE     keys that both sides know: ENTITY ISSUER VERSION HEX a line\n"
      "  --json                 one JSON object\n"
      "\n"
      "Exit status 0: unchanged; 1: changed; 2: a key is missing; 3: not supported; 65: not\n"
      "readable. With several messages, the worst.\n" },
    { "open",
      "usage: postern open [options] [FILE]\n"
      "\n"
      "Writes the text of each privacy-enhanced message in a file, once it proved unchanged;\n"
      "what it found goes to standard error. One level is opened.\n"
      "\n" KEYS_HELP_
      "  -o FILE                write there, when all was good, and not to standard output\n"
      "  --strict               names in certificates must be below their issuer's (RFC 1422)\n"
      "  --interchange FILE     keys that both sides know: ENTITY ISSUER VERSION HEX a line\n"
      "  --json                 what it found as one JSON object on standard error\n"
      "\n"
      "Exit status as of postern verify.\n" },
    { "convert",
      "usage: postern convert --mode mic-only|mic-clear [options] [FILE]\n"
      "\n"
      "Opens an enciphered message and writes it for others to verify, with the signer's\n"
      "own fields and signature.\n"
      "\n" KEYS_HELP_
      "  -o FILE                write there, not to standard output\n"
      "\n"
      "Exit status as of postern verify.\n" },
    { "seal",
      "usage: postern seal --pem [options] [FILE]\n"
      "\n"
      "Signs a text, and enciphers it for its recipients.\n"
      "\n"
      "  --mode MODE            encrypted, mic-only or mic-clear; else encrypted with --to,\n"
      "                         mic-clear without\n"
      "  --from NAME            whose key signs; else the only private key there is\n"
      "  --to NAME              a recipient; may be given again\n"
      "  --to-header            the recipients that a letter's To and Cc name\n"
      "  --header inside|outside|both\n"
      "                         where a letter's header goes; else inside, sealed with the rest,\n"
      "                         so that recipients, date and subject are signed too\n"
      "  --profile PROFILE      rfc1421, ripem12 or ripem3: what old programs read, weak today;\n"
      "                         modern: strong, and read by Postern alone; else RFC 1421's form\n"
      "                         with the strongest it can hold\n"
      "  --mic NAME             RSA-MD2, RSA-MD5, SHA1 or SHA256\n"
      "  --dek NAME             DES-CBC, DES-EDE-CBC or AES-256-GCM\n"
      "  --interchange FILE     not RSA but keys that both sides know: ENTITY ISSUER VERSION HEX\n"
      "                         a line; --to names their entities\n"
      "  -o FILE                write there, not to standard output\n" KEYS_HELP_ },
};

const char *seal_help(const char *command)
{
    for (size_t i = 0; i < COUNT(helps); i++)
        if (strcmp(command, helps[i].command) == 0)
            return helps[i].help;
    return "";
}

static bool take_mode(const char *value, struct seal_words *words)
{
    return pem_type_of(bytes_of(value), &words->order.type) && words->order.type <= PEM_MIC_CLEAR
        && (words->has_mode = true);
}

static bool take_number(const char *value, int *ret)
{
    uint64_t number;

    if (!number_parse(bytes_of(value), &number) || number > 1023)
        return false;
    *ret = (int)number;
    return true;
}

/* Of a letter: is its header sealed with it, does it stand before the message, or both? */
static bool take_header(const char *value, struct seal_words *words)
{
    bool both = strcmp(value, "both") == 0;

    words->include = both || strcmp(value, "inside") == 0;
    words->prepend = both || strcmp(value, "outside") == 0;
    return words->include || words->prepend;
}

static bool take_seal_value(const char *option, const char *value, struct seal_words *words)
{
    struct pem_order *order = &words->order;

    if (strcmp(option, "--to") == 0 && words->to_n < SEAL_TO_MOST)
        words->to[words->to_n++] = value;
    else if (strcmp(option, "--from") == 0)
        words->from = value;
    else if (strcmp(option, "--header") == 0)
        return take_header(value, words);
    else if (strcmp(option, "--profile") == 0)
        return words->has_profile = pem_profile_of(bytes_of(value), &order->profile);
    else if (strcmp(option, "--mic") == 0)
        return order->has_mic = pem_digest_of(bytes_of(value), &order->mic);
    else if (strcmp(option, "--dek") == 0)
        return order->has_dek = pem_cipher_of(bytes_of(value), &order->dek);
    else
        return false;
    return true;
}

static bool take_value(const char *option, const char *value, struct seal_words *words)
{
    bool seals = strcmp(words->command, "seal") == 0;

    if (strcmp(option, "--keys") == 0 && words->keys_n < SEAL_FILES_MOST)
        words->keys[words->keys_n++] = value;
    else if (strcmp(option, "--password-file") == 0)
        words->password.file = value;
    else if (strcmp(option, "--password-fd") == 0)
        return take_number(value, &words->password.fd);
    else if (strcmp(option, "-o") == 0 && strcmp(words->command, "verify") != 0)
        words->output = value;
    else if (strcmp(option, "--mode") == 0)
        return (seals || strcmp(words->command, "convert") == 0) && take_mode(value, words);
    else if (strcmp(option, "--interchange") == 0)
        words->interchange = value;
    else
        return seals && take_seal_value(option, value, words);
    return true;
}

/* An option that takes a value, and not this one: the value is named, not the option. */
static int say_value(const char *command, const char *option, const char *value)
{
    static const char *const choices[][2] = {
        { "--mode", "encrypted, mic-only or mic-clear" },
        { "--profile", "rfc1421, ripem12, ripem3 or modern" },
        { "--mic", "RSA-MD2, RSA-MD5, SHA1 or SHA256" },
        { "--dek", "DES-CBC, DES-EDE-CBC or AES-256-GCM" },
        { "--header", "inside, outside or both" },
    };
    char words[300];

    for (size_t i = 0; i < COUNT(choices) && value != NULL; i++) {
        if (strcmp(option, choices[i][0]) != 0)
            continue;
        snprintf(words, sizeof(words), "%s takes %s", option, choices[i][1]);
        return seal_say(value, words, EX_USAGE);
    }
    return ctl_unknown(command, option);
}

static bool take_flag(const char *option, struct seal_words *words)
{
    if (ctl_is_help(option))
        words->help = true;
    else if (strcmp(option, "--json") == 0 && strcmp(words->command, "seal") != 0)
        words->json = true;
    else if (strcmp(option, "--strict") == 0)
        words->subordinate = true;
    else if (strcmp(option, "--pem") == 0)
        words->pem = true;
    else if (strcmp(option, "--to-header") == 0 && strcmp(words->command, "seal") == 0)
        words->take_to = true;
    else
        return false;
    return true;
}

static int check(const struct seal_words *words)
{
    bool seals = strcmp(words->command, "seal") == 0;

    if (seals && !words->pem) {
        fputs("postern: seal wants --pem: that is the one form it writes\n", stderr);
        return EX_USAGE;
    }
    if (strcmp(words->command, "convert") == 0
        && (!words->has_mode || words->order.type == PEM_ENCRYPTED)) {
        fputs("postern: convert wants --mode mic-only or --mode mic-clear\n", stderr);
        return EX_USAGE;
    }
    if (seals && words->order.type == PEM_ENCRYPTED && words->to_n == 0 && !words->take_to) {
        fputs("postern: an encrypted message wants --to NAME\n", stderr);
        return EX_USAGE;
    }
    return 0;
}

int seal_words_read(int argc, char **argv, struct seal_words *ret_words)
{
    struct seal_words *words = ret_words;
    bool options = true;

    *words = (struct seal_words){ .command = argv[0], .password = { NULL, -1 } };
    for (int i = 1; i < argc; i++) {
        bool dashed = options && argv[i][0] == '-' && argv[i][1] != '\0';
        if (dashed && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (dashed && !take_flag(argv[i], words)) {
            if (i + 1 == argc || !take_value(argv[i], argv[i + 1], words))
                return say_value(words->command, argv[i], argv[i + 1]);
            i++;
        } else if (!dashed && words->file != NULL) {
            return ctl_unknown(words->command, argv[i]);
        } else if (!dashed) {
            words->file = argv[i];
        }
    }
    if (words->help)
        return 0;
    if (!words->has_mode && strcmp(words->command, "seal") == 0)
        words->order.type = words->to_n > 0 || words->take_to ? PEM_ENCRYPTED : PEM_MIC_CLEAR;
    if (words->take_to && !words->prepend)
        words->include = true;
    return check(words);
}
