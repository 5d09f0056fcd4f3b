/* SPDX-License-Identifier: ISC
 *
 * A main for the fuzz harnesses where libFuzzer is not linked in: runs every file of the folders it
 * is given, then mutations of them from a fixed seed, so that each run of the tests is the same.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { INPUT_MOST = 1 << 20, MUTATIONS = 200, MUTATED_MOST = 1 << 16 };

static uint64_t dice = 0x9E3779B97F4A7C15;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

/* Run on memory of exactly that size, so that the sanitizer sees one octet too far. */
static void run(const uint8_t *data, size_t n)
{
    uint8_t *exact = calloc(1, n == 0 ? 1 : n);

    if (exact == NULL)
        exit(1);
    if (n > 0)
        memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static size_t mutate(uint8_t *data, size_t n)
{
    static const char *const words[] = {
        "\r\n", "\r\n.\r\n", "\0", "\xff", "<>", "\"", "0", "=?", "\r", "\n",
    };

    for (unsigned times = 1 + (unsigned)(roll() % 4); times > 0 && n > 0; times--) {
        size_t at = roll() % n;
        const char *word = words[roll() % (sizeof(words) / sizeof(words[0]))];
        size_t w = strlen(word) == 0 ? 1 : strlen(word);
        switch (roll() % 4) {
        case 0: data[at] = (uint8_t)roll(); break;
        case 1: n = at; break;
        case 2: memmove(data + at, data + at + 1, n - at - 1); n--; break;
        default:
            memmove(data + at + w, data + at, n - at);
            memcpy(data + at, word, w);
            n += w;
        }
    }
    return n;
}

static unsigned run_file(const char *path)
{
    static uint8_t data[INPUT_MOST], copy[MUTATED_MOST + 64];
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return 0;
    size_t n = fread(data, 1, sizeof(data), file);
    fclose(file);
    run(data, n);
    for (unsigned i = 0; i < MUTATIONS && n <= MUTATED_MOST; i++) {
        memcpy(copy, data, n);
        run(copy, mutate(copy, n));
    }
    return 1;
}

static unsigned run_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    unsigned files = 0;
    char path[4096];

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            files += run_file(path);
    }
    if (dir != NULL)
        closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    unsigned files = 0;

    run((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        files += run_folder(argv[i]);
    printf("1..1\n%s 1 - %u corpus files and their mutations\n", files > 0 ? "ok" : "not ok",
           files);
    return files > 0 ? 0 : 1;
}
