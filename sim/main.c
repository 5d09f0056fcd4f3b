/* SPDX-License-Identifier: ISC
 *
 * postern-sim: run seeds, replay one, or walk through the crashes of the store. */
#include "base/mark.h"
#include "base/number.h"
#include "base/plant.h"
#include "sim/dialogue.h"
#include "sim/enumerate.h"
#include "sim/run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The linker's names for the ends of the section that MARK fills. */
extern struct mark *const __start_postern_marks[], *const __stop_postern_marks[];
enum plant planted_fault = PLANT_none;

static const struct { const char *name; enum plant plant; } plants[] = {
#define P(name) { #name, PLANT_##name },
    PLANT_LIST(P)
#undef P
};

struct options {
    uint64_t from, seeds;
    uint64_t story, state;  /* 0: all of them; none of them */
    bool one, trace, twice, enumerate;
    enum run_small dialogue;
};

static void help(void)
{
    puts("postern-sim: the whole mail path in a simulated world, judged from outside\n"
         "\n"
         "  --seeds N [--from S]   run N seeds, and print what happened in all of them together\n"
         "  --twice                run each seed twice and compare the traces\n"
         "  --seed S [--trace]     run one; print every event and effect\n"
         "  --enumerate            the store alone, crashed at each operation in each legal way\n"
         "      [--story N]            only in that story, from 1\n"
         "      [--state N] [--trace]  print what happens in that state; in the stories\n"
         "  --dialogue             an LMTP server that lies at each reply and dies at each octet\n"
         "  --dialogue-smtp        the same of the servers elsewhere\n"
         "      [--from S] [--state N] [--trace]\n"
         "  --plant NAME           with a fault planted in the program, which is to be found:");
    for (size_t i = 0; i < COUNT(plants); i++)
        printf("                           %s\n", plants[i].name);
    puts("  --help                 this text\n"
         "\n"
         "Exit status: 0 all promises kept, 1 one is broken (the seed is printed), 64 usage.");
}

static bool set_plant(const char *name)
{
    for (size_t i = 0; i < COUNT(plants); i++)
        if (strcmp(plants[i].name, name) == 0) {
            planted_fault = plants[i].plant;
            return true;
        }
    return false;
}

static const char *plant_name(void)
{
    for (size_t i = 0; i < COUNT(plants); i++)
        if (plants[i].plant == planted_fault)
            return plants[i].name;
    return NULL;
}

/* An assertion of the program failed, or worse: that too must name its seed. */
static char last_words[64];
static size_t last_words_n;

static void on_death(int number)
{
    ssize_t written = write(STDOUT_FILENO, last_words, last_words_n);

    _exit(written < 0 ? EX_SOFTWARE : 1);
}

static void prepare_for_death(const char *what, uint64_t number)
{
    int n = snprintf(last_words, sizeof(last_words), "%s %" PRIu64 ": the program died in it\n",
                     what, number);

    last_words_n = n > 0 ? (size_t)n : 0;
    signal(SIGABRT, on_death);
    signal(SIGSEGV, on_death);
}

static void tell_failure(uint64_t seed, const char *words)
{
    const char *plant = plant_name();

    printf("seed %" PRIu64 ": %s\n", seed, words);
    printf("replay: postern-sim --seed %" PRIu64 " --trace%s%s\n", seed,
           plant != NULL ? " --plant " : "", plant != NULL ? plant : "");
}

static void print_marks(void)
{
    for (struct mark *const *mark = __start_postern_marks; mark < __stop_postern_marks; mark++)
        printf("%12" PRIu64 "  mark: %s\n", (*mark)->hits, (*mark)->name);
}

/* False: a promise is broken. */
static bool run_one(const struct options *options, uint64_t seed, struct totals *totals)
{
    struct run_options run = { .seed = seed, .store = &store_ops, .trace = options->trace };

    prepare_for_death("seed", seed);
    struct run_result result = run_seed(&run);

    totals_add(totals, &result.totals);
    if (!result.kept) {
        tell_failure(seed, result.words);
        return false;
    }
    run.trace = false;
    if (options->twice && run_seed(&run).hash != result.hash) {
        tell_failure(seed, "promise 8: the same seed gave another trace");
        return false;
    }
    if (options->one)
        printf("seed %" PRIu64 ": all promises kept, %.1f virtual seconds, trace %016" PRIx64 "\n",
               seed, (double)result.virtual_us / 1e6, result.hash);
    return true;
}

static int run_all(const struct options *options)
{
    struct totals totals = { .steps = 0 };

    for (uint64_t i = 0; i < options->seeds; i++)
        if (!run_one(options, options->from + i, &totals))
            return 1;
    totals_print(&totals);
    print_marks();
    if (!options->one)
        printf("%" PRIu64 " seeds, all promises kept\n", options->seeds);
    return 0;
}

static int run_enumeration(const struct options *options)
{
    const char *plant = plant_name();

    prepare_for_death("enumeration, some state from", options->from);
    struct enumerated result = enumerate(&(struct enumerate_options){
        .seed = options->from, .story = options->story, .state = options->state,
        .trace = options->trace });

    if (!result.kept) {
        puts(result.words);
        printf("replay: postern-sim --enumerate --from %" PRIu64 " --state %" PRIu64, options->from,
               result.states);
        if (options->story != 0)
            printf(" --story %" PRIu64, options->story);
        printf("%s%s\n", plant != NULL ? " --plant " : "", plant != NULL ? plant : "");
        return 1;
    }
    print_marks();
    printf("%" PRIu64 " states (%" PRIu64 " of them crashes in a start, %" PRIu64
           " with an octet flipped), all promises kept\n", result.states, result.nested,
           result.damaged);
    return 0;
}

static int run_dialogue(const struct options *options)
{
    const char *plant = plant_name();

    prepare_for_death("dialogue, seed", options->from);
    struct dialogue_result result = dialogue_walk(&(struct dialogue_options){
        .seed = options->from, .small = options->dialogue, .state = options->state,
        .trace = options->trace });

    if (!result.kept) {
        puts(result.words);
        printf("replay: postern-sim --dialogue%s --from %" PRIu64 " --state %" PRIu64
               " --trace%s%s\n", options->dialogue == RUN_SMTP ? "-smtp" : "", options->from,
               result.state, plant != NULL ? " --plant " : "",
               plant != NULL ? plant : "");
        return 1;
    }
    printf("%" PRIu64 " misfortunes in a dialogue of %" PRIu64 " replies, %" PRIu64
           " octets said and %" PRIu64 " heard, all promises kept\n", result.states,
           result.replies, result.said, result.heard);
    return 0;
}

static bool number(const char *text, uint64_t *ret_number)
{
    return text != NULL && number_parse(bytes_of(text), ret_number);
}

/* One word of the command line; *i is moved on over its value. */
static bool option(struct options *options, char **words, int *i)
{
    const char *word = words[*i], *value = words[*i + 1];

    if (strcmp(word, "--trace") == 0)
        return options->trace = true;
    if (strcmp(word, "--twice") == 0)
        return options->twice = true;
    if (strcmp(word, "--enumerate") == 0)
        return options->enumerate = true;
    if (strcmp(word, "--dialogue") == 0)
        return (options->dialogue = RUN_LMTP) != RUN_WHOLE;
    if (strcmp(word, "--dialogue-smtp") == 0)
        return (options->dialogue = RUN_SMTP) != RUN_WHOLE;
    ++*i;
    if (strcmp(word, "--seeds") == 0)
        return number(value, &options->seeds);
    if (strcmp(word, "--from") == 0)
        return number(value, &options->from);
    if (strcmp(word, "--story") == 0)
        return number(value, &options->story);
    if (strcmp(word, "--state") == 0)
        return number(value, &options->state);
    if (strcmp(word, "--seed") == 0) {
        options->one = true;
        options->seeds = 1;
        return number(value, &options->from);
    }
    if (strcmp(word, "--plant") == 0)
        return value != NULL && set_plant(value);
    return false;
}

int main(int words_n, char **words)
{
    struct options options = { .from = 1, .seeds = 0 };

    if (words_n == 2 && strcmp(words[1], "--help") == 0) {
        help();
        return 0;
    }
    for (int i = 1; i < words_n; i++)
        if (!option(&options, words, &i)) {
            fprintf(stderr, "postern-sim: '%s' is not understood; --help says what is\n", words[i]);
            return EX_USAGE;
        }
    if (options.enumerate)
        return run_enumeration(&options);
    if (options.dialogue != RUN_WHOLE)
        return run_dialogue(&options);
    if (options.seeds == 0) {
        help();
        return EX_USAGE;
    }
    return run_all(&options);
}
