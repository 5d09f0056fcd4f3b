/* SPDX-License-Identifier: ISC
 *
 * Why it failed. The evidence in its order: a provider's own token, words that say one thing, a
 * code that says one thing, the command at which it failed, words that may mean much, a code that
 * may mean much, the reply code. 5.7.1 or 550 alone decide nothing.
 */
#include "bounce/read_int.h"

/* What was found of one person, the strongest so far. */
struct verdict {
    const struct rule *rule;
    unsigned weight, letters;
    uint32_t line;
    bool said;                  /* in the server's own words, not in the notice around them */
};

enum { PLAIN_WEIGHT = 64, SPECIFIC = 55, GENERIC = 20, REPLY = 12, ELSEWHERE = 25 };

enum { SUBJECTS = 8, DETAILS = 31 };
static const struct { uint8_t category, weight; } codes[SUBJECTS][DETAILS] = {
    [1][0] = { CAUSE_ADDRESS_INVALID, 8 }, [1][1] = { CAUSE_USER_MISSING, SPECIFIC },
    [1][2] = { CAUSE_DOMAIN_ISSUE, SPECIFIC }, [1][3] = { CAUSE_ADDRESS_INVALID, SPECIFIC },
    [1][4] = { CAUSE_ADDRESS_INVALID, SPECIFIC },
    [1][6] = { CAUSE_ADDRESS_CLOSED, SPECIFIC + 10 }, [1][7] = { CAUSE_BLOCKED_AUTH, SPECIFIC },
    [1][8] = { CAUSE_BLOCKED_AUTH, SPECIFIC }, [1][10] = { CAUSE_DOMAIN_ISSUE, SPECIFIC },
    [2][0] = { CAUSE_BLOCKED_POLICY, 10 }, [2][1] = { CAUSE_ADDRESS_CLOSED, 45 },
    [2][2] = { CAUSE_MAILBOX_FULL, SPECIFIC + 4 }, [2][3] = { CAUSE_TOO_LARGE, SPECIFIC },
    [2][4] = { CAUSE_SERVER_PROBLEM, SPECIFIC }, [3][0] = { CAUSE_SERVER_PROBLEM, 10 },
    [3][1] = { CAUSE_SERVER_PROBLEM, SPECIFIC }, [3][2] = { CAUSE_SERVER_PROBLEM, 30 },
    [3][3] = { CAUSE_FORMAT, 30 }, [3][4] = { CAUSE_TOO_LARGE, SPECIFIC + 4 },
    [3][5] = { CAUSE_LOOP_CONFIG, 45 }, [4][0] = { CAUSE_NO_ANSWER, GENERIC },
    [4][1] = { CAUSE_NO_ANSWER, SPECIFIC }, [4][2] = { CAUSE_NO_ANSWER, SPECIFIC },
    [4][3] = { CAUSE_DOMAIN_ISSUE, 45 }, [4][4] = { CAUSE_DOMAIN_ISSUE, SPECIFIC },
    [4][5] = { CAUSE_RATE_LIMITED, 45 }, [4][6] = { CAUSE_LOOP_CONFIG, SPECIFIC },
    [4][7] = { CAUSE_NO_ANSWER, 45 }, [5][0] = { CAUSE_LOOP_CONFIG, 10 },
    [5][1] = { CAUSE_LOOP_CONFIG, GENERIC }, [5][2] = { CAUSE_LOOP_CONFIG, GENERIC },
    [5][3] = { CAUSE_RATE_LIMITED, SPECIFIC }, [5][4] = { CAUSE_LOOP_CONFIG, GENERIC },
    [5][5] = { CAUSE_LOOP_CONFIG, GENERIC }, [5][6] = { CAUSE_NOT_PERMITTED, 45 },
    [6][0] = { CAUSE_FORMAT, 30 }, [6][1] = { CAUSE_FORMAT, 45 }, [6][2] = { CAUSE_FORMAT, 45 },
    [6][3] = { CAUSE_FORMAT, 45 }, [6][4] = { CAUSE_FORMAT, 45 }, [6][5] = { CAUSE_FORMAT, 45 },
    [6][6] = { CAUSE_FORMAT, 45 }, [6][7] = { CAUSE_FORMAT, SPECIFIC },
    [6][8] = { CAUSE_FORMAT, SPECIFIC }, [6][9] = { CAUSE_FORMAT, SPECIFIC },
    [6][10] = { CAUSE_FORMAT, SPECIFIC }, [7][0] = { CAUSE_BLOCKED_POLICY, 14 },
    [7][1] = { CAUSE_BLOCKED_POLICY, 14 }, [7][2] = { CAUSE_BLOCKED_POLICY, SPECIFIC },
    [7][3] = { CAUSE_SECURITY_TRANSPORT, 45 }, [7][4] = { CAUSE_SECURITY_TRANSPORT, 45 },
    [7][5] = { CAUSE_SECURITY_TRANSPORT, 45 }, [7][6] = { CAUSE_SECURITY_TRANSPORT, 45 },
    [7][7] = { CAUSE_SECURITY_TRANSPORT, 45 }, [7][8] = { CAUSE_NOT_PERMITTED, SPECIFIC },
    [7][9] = { CAUSE_NOT_PERMITTED, 45 }, [7][10] = { CAUSE_SECURITY_TRANSPORT, SPECIFIC },
    [7][11] = { CAUSE_SECURITY_TRANSPORT, SPECIFIC }, [7][12] = { CAUSE_NOT_PERMITTED, SPECIFIC },
    [7][13] = { CAUSE_ADDRESS_CLOSED, SPECIFIC }, [7][14] = { CAUSE_NOT_PERMITTED, SPECIFIC },
    [7][15] = { CAUSE_RATE_LIMITED, 45 }, [7][16] = { CAUSE_TOO_LARGE, 45 },
    [7][17] = { CAUSE_ADDRESS_CLOSED, SPECIFIC }, [7][18] = { CAUSE_ADDRESS_CLOSED, SPECIFIC },
    [7][19] = { CAUSE_ADDRESS_CLOSED, SPECIFIC }, [7][20] = { CAUSE_BLOCKED_AUTH, SPECIFIC },
    [7][21] = { CAUSE_BLOCKED_AUTH, SPECIFIC }, [7][22] = { CAUSE_BLOCKED_AUTH, SPECIFIC },
    [7][23] = { CAUSE_BLOCKED_AUTH, SPECIFIC }, [7][24] = { CAUSE_BLOCKED_AUTH, SPECIFIC },
    [7][25] = { CAUSE_BLOCKED_AUTH, SPECIFIC }, [7][26] = { CAUSE_BLOCKED_AUTH, SPECIFIC },
    [7][27] = { CAUSE_BLOCKED_AUTH, SPECIFIC }, [7][28] = { CAUSE_RATE_LIMITED, SPECIFIC },
    [7][29] = { CAUSE_BLOCKED_AUTH, SPECIFIC }, [7][30] = { CAUSE_SECURITY_TRANSPORT, SPECIFIC },
};

enum cause_category code_category(struct status_code code, unsigned *ret_weight)
{
    bool known = code.class >= 4 && code.subject < SUBJECTS && code.detail < DETAILS;

    *ret_weight = known ? codes[code.subject][code.detail].weight : 0;
    return *ret_weight > 0 ? (enum cause_category)codes[code.subject][code.detail].category
        : CAUSE_NONE;
}

enum cause_category reply_category(uint16_t reply, unsigned *ret_weight)
{
    enum { LEAST = 400, MOST = 599 };
    static const uint8_t replies[MOST - LEAST + 1] = {
        [421 - LEAST] = CAUSE_SERVER_PROBLEM, [422 - LEAST] = CAUSE_MAILBOX_FULL,
        [450 - LEAST] = CAUSE_DELAYED, [451 - LEAST] = CAUSE_SERVER_PROBLEM,
        [452 - LEAST] = CAUSE_MAILBOX_FULL, [453 - LEAST] = CAUSE_SERVER_PROBLEM,
        [454 - LEAST] = CAUSE_SECURITY_TRANSPORT, [455 - LEAST] = CAUSE_LOOP_CONFIG,
        [471 - LEAST] = CAUSE_BLOCKED_SPAM, [500 - LEAST] = CAUSE_LOOP_CONFIG,
        [501 - LEAST] = CAUSE_ADDRESS_INVALID, [502 - LEAST] = CAUSE_LOOP_CONFIG,
        [503 - LEAST] = CAUSE_LOOP_CONFIG, [504 - LEAST] = CAUSE_LOOP_CONFIG,
        [510 - LEAST] = CAUSE_ADDRESS_INVALID, [511 - LEAST] = CAUSE_USER_MISSING,
        [512 - LEAST] = CAUSE_DOMAIN_ISSUE, [513 - LEAST] = CAUSE_ADDRESS_INVALID,
        [521 - LEAST] = CAUSE_DOMAIN_ISSUE, [523 - LEAST] = CAUSE_SECURITY_TRANSPORT,
        [524 - LEAST] = CAUSE_SECURITY_TRANSPORT, [525 - LEAST] = CAUSE_NOT_PERMITTED,
        [530 - LEAST] = CAUSE_NOT_PERMITTED, [533 - LEAST] = CAUSE_NOT_PERMITTED,
        [534 - LEAST] = CAUSE_NOT_PERMITTED, [535 - LEAST] = CAUSE_NOT_PERMITTED,
        [538 - LEAST] = CAUSE_SECURITY_TRANSPORT, [541 - LEAST] = CAUSE_BLOCKED_SPAM,
        [551 - LEAST] = CAUSE_ADDRESS_CLOSED, [552 - LEAST] = CAUSE_MAILBOX_FULL,
        [553 - LEAST] = CAUSE_ADDRESS_INVALID, [555 - LEAST] = CAUSE_LOOP_CONFIG,
        [556 - LEAST] = CAUSE_DOMAIN_ISSUE, [571 - LEAST] = CAUSE_BLOCKED_POLICY,
        [585 - LEAST] = CAUSE_USER_MISSING, [591 - LEAST] = CAUSE_BLOCKED_REPUTATION,
    };
    bool known = reply >= LEAST && reply <= MOST && replies[reply - LEAST] != CAUSE_NONE;

    *ret_weight = known ? REPLY : 0;
    return known ? (enum cause_category)replies[reply - LEAST] : CAUSE_NONE;
}

static bool hit_anywhere(const struct bounce_reader *reader, uint16_t rule)
{
    const struct match *both[] = { &reader->said, &reader->notice };

    for (size_t m = 0; m < COUNT(both); m++) {
        for (uint32_t i = 0; i < both[m]->hits_n; i++) {
            if (both[m]->hits[i].rule == rule)
                return true;
        }
    }
    return false;
}

static bool applies(const struct bounce_reader *reader, const struct rule *rule,
                    const struct bounce_recipient *out)
{
    if (rule->reply != 0 && rule->reply != out->reply_code)
        return false;
    if (rule->class != 0 && rule->class != out->status.class
        && rule->class != out->reply_code / 100)
        return false;
    if (rule->command != COMMAND_UNKNOWN && rule->command != out->command
        && !(rule->command == COMMAND_DATA && out->command == COMMAND_TEXT))
        return false;
    if (rule->with != 0 && !hit_anywhere(reader, (uint16_t)(rule->with - 1)))
        return false;
    return rule->without == 0 || !hit_anywhere(reader, (uint16_t)(rule->without - 1));
}

/* The command that the words name, if any. */
static enum bounce_command command_of(enum rule_mark mark)
{
    if (mark < MARK_CONNECT || mark > MARK_TEXT)
        return COMMAND_UNKNOWN;
    return (enum bounce_command)(mark - MARK_CONNECT + COMMAND_CONNECT);
}

static bool stronger(const struct verdict *verdict, const struct rule *rule, unsigned weight)
{
    if (verdict->rule == NULL || weight != verdict->weight)
        return verdict->rule == NULL || weight > verdict->weight;
    bool ours = rule->line < RULES_OPERATOR, theirs = verdict->rule->line >= RULES_OPERATOR;
    if (ours == theirs)
        return theirs == false;
    return rule->letters > verdict->letters;
}

static void weigh(const struct bounce_reader *reader, const struct bounce_recipient *out,
                  const struct hit *hit, unsigned less, bool said, struct verdict *verdict)
{
    const struct rule *rule = &reader->rules->rules[hit->rule];
    unsigned weight = rule->weight > less ? rule->weight - less : 1;

    if (rule->category == CAUSE_NONE && rule->mark != MARK_NOTHING)
        return;
    if (hit->line != LINE_HOST && applies(reader, rule, out) && stronger(verdict, rule, weight))
        *verdict = (struct verdict){ rule, weight, rule->letters, hit->line, said };
}

/* The words of the server, and those of its group. */
static void weigh_said(struct bounce_reader *reader, struct person *person,
                       struct verdict *verdict)
{
    struct bounce_recipient *out = &person->out;

    for (uint32_t i = 0; i < reader->said.hits_n; i++)
        weigh(reader, out, &reader->said.hits[i], 0, true, verdict);
}

/* The lines of the notice that are the person's, or nobody's (`less` sure). */
static void weigh_notice(struct bounce_reader *reader, struct person *person, uint16_t owner,
                         unsigned less, struct verdict *verdict)
{
    for (uint32_t i = 0; i < reader->notice.hits_n; i++) {
        const struct hit *hit = &reader->notice.hits[i];
        if (reader->lines[hit->line].owner == owner)
            weigh(reader, &person->out, hit, less, false, verdict);
    }
}

static void proof_add(struct bounce_recipient *out, enum bounce_proof proof, struct bytes text,
                      uint32_t rule)
{
    if (out->evidence_n < READ_EVIDENCE_MOST && text.n > 0)
        out->evidence[out->evidence_n++] = (struct bounce_evidence){ proof, text, rule };
}

static struct bytes verdict_text(const struct bounce_reader *reader, const struct person *person,
                                 const struct verdict *verdict)
{
    if (!verdict->said)
        return bytes_trim(reader->lines[verdict->line].text);
    return verdict->line == 1 ? person->extra : person->out.diagnostic;
}

static void rule_answers(struct cause *cause, const struct rule *rule)
{
    if (rule->has_who)
        cause->who = rule->who;
    if (rule->has_retry)
        cause->retry_would_help = rule->retry;
    if (rule->has_address)
        cause->address_bad = rule->address;
    if (rule->has_lasts)
        cause->permanence = rule->lasts;
}

/* What the class of the code adds to what the category says. */
static void class_answers(struct cause *cause, unsigned class)
{
    bool bad = cause->address_bad == CAUSE_YES;

    if (cause->category == CAUSE_UNKNOWN) {
        cause->permanence = class == 4 ? CAUSE_FOR_NOW : class == 5 ? CAUSE_FOR_GOOD
            : CAUSE_UNCERTAIN;
        cause->retry_would_help = class == 4 ? CAUSE_YES : class == 5 ? CAUSE_NO : CAUSE_UNSURE;
    } else if (class == 4 && bad) {
        cause->address_bad = CAUSE_UNSURE;      /* a server that is not sure of it either */
        cause->permanence = CAUSE_FOR_NOW;
        cause->retry_would_help = CAUSE_YES;
    } else if (class == 4 && cause->permanence != CAUSE_FOR_NOW) {
        cause->retry_would_help = CAUSE_UNSURE;
    }
}

static unsigned class_of(const struct bounce_recipient *out)
{
    /* The reply's digit speaks of permanence, where the two contradict each other. */
    if (out->reply_code >= 400)
        return out->reply_code / 100;
    return out->status.class;
}

static void over_answer(struct cause *cause, const struct bounce_recipient *out,
                        enum bounce_kind kind)
{
    switch (out->action) {
    case ACTION_FAILED:
    case ACTION_DELIVERED:
    case ACTION_RELAYED:
    case ACTION_EXPANDED:
        cause->over = CAUSE_YES;
        return;
    case ACTION_DELAYED:
        cause->over = CAUSE_NO;
        return;
    case ACTION_UNKNOWN:
    case BOUNCE_ACTIONS:
        break;
    }
    cause->over = kind == BOUNCE_DELAY ? CAUSE_NO : kind == BOUNCE_FAILURE ? CAUSE_YES
        : CAUSE_UNSURE;
}

static bool is_address_cause(enum cause_category category)
{
    return category == CAUSE_USER_MISSING || category == CAUSE_DOMAIN_ISSUE
        || category == CAUSE_ADDRESS_INVALID;
}

/* "User unknown" said only after the text was seen, or with a code that says that the mailbox is
   there or a rule spoke, is a filter's word and no lookup's. */
static bool filter_speaks(const struct verdict *verdict, const struct bounce_recipient *out)
{
    bool late = out->command == COMMAND_DATA || out->command == COMMAND_TEXT;
    struct status_code code = out->status;
    bool known = code.class != 0 && code.subject == 1 && code.detail == 1;
    bool other = out->command != COMMAND_RCPT && code.class != 0 && code.detail < 2
        && (code.subject == 2 || code.subject == 7);

    return ((late && !known) || other) && verdict->rule->category == CAUSE_USER_MISSING
        && verdict->rule->weight <= PLAIN_WEIGHT;
}

/* What the command at which it failed changes: at MAIL FROM an address is the sender's; before
   any command it is the sending server that is not wanted. */
static enum cause_category by_command(enum cause_category category, unsigned weight,
                                      const struct bounce_recipient *out)
{
    if (out->command == COMMAND_MAIL && is_address_cause(category) && weight < RULE_TOKEN_WEIGHT)
        return CAUSE_BLOCKED_AUTH;
    bool early = out->command == COMMAND_CONNECT || out->command == COMMAND_HELO;
    if (early && weight < SPECIFIC && out->reply_code >= 500)
        return CAUSE_BLOCKED_REPUTATION;
    return category;
}

static struct cause decide_words(const struct bounce_reader *reader, struct person *person,
                                 const struct verdict *verdict)
{
    struct bounce_recipient *out = &person->out;
    const struct rule *rule = verdict->rule;
    bool token = verdict->weight >= RULE_TOKEN_WEIGHT;

    proof_add(out, token ? PROOF_TOKEN : PROOF_WORDS, verdict_text(reader, person, verdict),
              rule->line);
    out->confidence = (uint8_t)(token ? 95 : verdict->weight < 30 ? 40 : verdict->weight + 20);
    enum cause_category category = rule->category == CAUSE_NONE ? CAUSE_UNKNOWN : rule->category;
    enum cause_category other = filter_speaks(verdict, out) ? CAUSE_BLOCKED_POLICY
        : by_command(category, verdict->weight, out);
    struct cause cause = cause_of(other);
    if (other == category) {
        rule_answers(&cause, rule);
    } else {
        out->evidence[0].proof = PROOF_COMMAND;
        out->confidence = 60;
    }
    return cause;
}

/* The strongest of words, code and reply; sets the category, the evidence and the confidence. */
static struct cause decide(const struct bounce_reader *reader, struct person *person,
                           const struct verdict *verdict)
{
    struct bounce_recipient *out = &person->out;
    unsigned code_weight, reply_weight;
    enum cause_category by_code = code_category(out->status, &code_weight);
    enum cause_category by_reply = reply_category(out->reply_code, &reply_weight);
    bool words = verdict->rule != NULL && verdict->weight >= code_weight
        && verdict->weight >= reply_weight;

    if (words)
        return decide_words(reader, person, verdict);
    enum cause_category category = CAUSE_UNKNOWN;
    unsigned weight = code_weight >= reply_weight ? code_weight : reply_weight;
    if (weight > 0)
        category = code_weight >= reply_weight ? by_code : by_reply;
    out->confidence = weight >= SPECIFIC ? 80 : weight > REPLY ? 40 : weight > 0 ? 30 : 10;
    return cause_of(by_command(category, weight, out));
}

static void say(struct bounce_reader *reader, const struct person *person)
{
    const struct bounce_recipient *out = &person->out;
    struct match *said = &reader->said;
    struct lines lines = lines_of(bytes_first(out->diagnostic, READ_FIELD_MOST));
    struct bytes line;

    match_begin(said);
    while (lines_next(&lines, &line))
        match_line(said, line, 0);
    if (person->extra.n > 0 && person->extra.at != out->diagnostic.at) {
        match_gap(said);
        match_line(said, bytes_first(person->extra, READ_FIELD_MOST), 1);
    }
    struct bytes hosts[] = { out->remote_mta, reader->got.reporting_mta,
                             bytes_skip(out->recipient, bytes_find(out->recipient, '@')) };
    for (size_t i = 0; i < COUNT(hosts); i++) {
        if (hosts[i].n == 0)
            continue;
        match_gap(said);
        match_line(said, hosts[i], LINE_HOST);
    }
    match_end(said);
}

/* Says the Status field less than the server's own words? X.0.0 says nothing, X.4.7 only that
   somebody gave up. */
static bool says_less(struct status_code status, struct status_code said)
{
    if (status.class == 0)
        return true;
    if (said.detail == 0 && said.subject == 0)
        return false;
    return status.detail == 0 || (status.subject == 4 && status.detail == 7);
}

/* "552 5.2.2 ...": the server itself said it, whatever a gateway made of it. */
static bool follows_reply(struct bytes text, struct status_code said)
{
    struct status_code code;
    size_t used;

    return said.detail != 0 && text.n > 9 && text.at[0] == text.at[4] && text.at[3] == ' '
        && status_parse(bytes_skip(text, 4), &code, &used) && code.subject == said.subject
        && code.detail == said.detail;
}

static void codes_find(struct person *person)
{
    struct bounce_recipient *out = &person->out;
    struct bytes text = bytes_first(out->diagnostic, READ_DIAGNOSTIC_MOST);
    uint16_t reply;
    struct status_code said = codes_in(text, "45", &reply);

    if (out->reply_code == 0 && reply >= 400)
        out->reply_code = reply;
    bool as_vague = out->status.detail == 0 && said.detail == 0 && out->status.subject != 0
        && out->status.class == said.class;
    if (said.class != 0 && (says_less(out->status, said) || follows_reply(text, said)) && !as_vague)
        out->status = said;
}

/* "Given up" (X.4.7) says only that time ran out. Exchange tells below it what each attempt got,
   the latest first: the first code that says more is the last real error. */
static void last_error_find(const struct bounce_reader *reader, struct bounce_recipient *out,
                            uint16_t owner)
{
    const struct bytes mark = BYTES(" returned '4");

    if (out->status.subject != 4 || out->status.detail != 7)
        return;
    for (uint32_t i = 0; i < reader->lines_n; i++) {
        struct bytes line = bytes_first(reader->lines[i].text, READ_DIAGNOSTIC_MOST);
        size_t at = reader->lines[i].owner == owner ? bytes_search(line, mark) : line.n;
        struct status_code code = code_in(bytes_skip(line, at), "4");
        if (at == line.n || code.class == 0 || code.detail == 0
            || (code.subject == 4 && code.detail == 7))
            continue;
        out->status = code;
        return;
    }
}

/* The code that a server would have said for that cause. */
static void status_infer(struct bounce_recipient *out)
{
    static const struct { enum cause_category category; uint16_t subject, detail; } usual[] = {
        { CAUSE_USER_MISSING, 1, 1 }, { CAUSE_DOMAIN_ISSUE, 1, 2 },
        { CAUSE_ADDRESS_INVALID, 1, 3 }, { CAUSE_ADDRESS_CLOSED, 2, 1 },
        { CAUSE_MAILBOX_FULL, 2, 2 }, { CAUSE_TOO_LARGE, 3, 4 }, { CAUSE_NO_ANSWER, 4, 1 },
        { CAUSE_LOOP_CONFIG, 4, 6 }, { CAUSE_NOT_PERMITTED, 7, 1 },
    };

    for (size_t i = 0; out->status.class == 0 && i < COUNT(usual); i++) {
        if (usual[i].category != out->cause.category)
            continue;
        uint8_t class = out->reply_code / 100 == 4 || out->action == ACTION_DELAYED ? 4 : 5;
        out->status = STATUS(class, usual[i].subject, usual[i].detail);
        out->status_inferred = true;
    }
}

/* Which command it was, by the server's words, else by the notice. */
static void command_find(struct bounce_reader *reader, struct bounce_recipient *out,
                         uint16_t owner)
{
    for (uint32_t i = 0; i < reader->said.hits_n && out->command == COMMAND_UNKNOWN; i++)
        out->command = command_of(reader->rules->rules[reader->said.hits[i].rule].mark);
    for (uint32_t i = 0; i < reader->notice.hits_n && out->command == COMMAND_UNKNOWN; i++) {
        const struct hit *hit = &reader->notice.hits[i];
        if (reader->lines[hit->line].owner == owner)
            out->command = command_of(reader->rules->rules[hit->rule].mark);
    }
}

void judge(struct bounce_reader *reader, struct person *person, enum bounce_kind kind)
{
    struct bounce_recipient *out = &person->out;
    struct verdict verdict = { 0 };
    uint16_t owner = (uint16_t)(person - reader->people);

    if (!person->codes_known)
        codes_find(person);
    last_error_find(reader, out, owner);
    say(reader, person);
    command_find(reader, out, owner);
    weigh_said(reader, person, &verdict);
    if (verdict.weight < RULE_SURE_WEIGHT)
        weigh_notice(reader, person, owner, person->group ? 5 : 0, &verdict);
    if (verdict.weight < 30)
        weigh_notice(reader, person, OWNER_NONE, ELSEWHERE, &verdict);
    out->cause = decide(reader, person, &verdict);
    over_answer(&out->cause, out, kind);
    if (person->group && out->action == ACTION_FAILED && out->cause.category == CAUSE_DELAYED) {
        out->cause = cause_of(CAUSE_UNKNOWN);   /* "later" is all it said, and there is no later */
        out->cause.over = CAUSE_YES;
    }
    class_answers(&out->cause, class_of(out));
    if (out->cause.over == CAUSE_NO && out->cause.category == CAUSE_UNKNOWN) {
        enum cause_answer over = out->cause.over;
        out->cause = cause_of(CAUSE_DELAYED);
        out->cause.over = over;
    }
    status_infer(out);
    out->cause.status = out->status;
    out->cause.reply_code = out->reply_code;
    out->cause.retry_until = out->retry_until;
    quotes_know(out, out->recipient, quotes_by_words(out));
    proof_add(out, PROOF_STATUS, out->evidence_n > 0 ? BYTES_NONE : out->diagnostic, 0);
}
