#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""corpus.py BOUNCE_SHOW: the reader over the shared corpus of reports, compared with what
other projects' own tests expect of them. Prints the scores, fails below the goals.

    --half dev|val   only the files whose group hashes even (odd): rules are written against the
                     one half, and the other shows whether they generalise
    --misses FILE    write every miss with its reason
    --list           print every miss
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter

# What is asked for, and below what the test fails. `category` is scored twice: raw, against what
# the other projects' tests expect, and without the rows of corpus-exceptions.tsv, whose expected
# reason a sentence of an RFC contradicts. The raw score cannot reach the goal while "user unknown"
# at a stage that is not known is called a filter; see explain-misses.md.
GOALS = {'record': 99.5, 'quiet': 100.0, 'recipient': 98.0, 'category': 97.0,
         'category by the standard': 97.0, 'code': 98.0, 'class': 90.0}
FLOORS = dict(GOALS, category=92.0)
EXCEPTIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus-exceptions.tsv')
PAGE_TEXT = """
"category" is scored as the other projects' tests have it. "category by the standard" leaves out
the rows of `core/bounce/corpus-exceptions.tsv`: what they expect is contradicted by the sentence
that stands in the last column here.

Not scored are ten mails that their origin calls no bounces. Three of them are reports all the
same, and read so: `flufl.bounce/dumbass_01.eml` (given up after many tries; the origin finds no
address in it), `rjbs-bounceparser/whitelist.eml` (refused until a server is confirmed) and
`sisimai-not/rb-issue-368-bug.eml` ("automatic bounce notification", mailbox full).

"""
# Their status is a label by the author, not what a server said: its class counts.
CLASS_LABELS = ('cws-bounce-handler', 'php-bounce-handler')
KINDS = {'feedback': 'complaint', 'vacation': 'autoreply', 'delivered': 'success'}
REPORTS = ('bounce', 'delay', 'success', 'relayed')


def half_of(row):
    return 'val' if hashlib.md5(row['group'].encode()).digest()[0] % 2 else 'dev'


def taxonomy(path):
    """Which of our categories stand for a reason of the corpus, and those that mean "any"."""
    allowed = {}
    with open(path, encoding='utf-8') as file:
        names = file.readline().rstrip('\n').split('\t')
        column = names.index('sisimai_reasons')
        for line in file:
            cells = line.rstrip('\n').split('\t')
            category = cells[0].lower().replace('_', '-')
            for reason in re.findall(r'[a-z]{6,}', re.sub(r'\([^)]*\)', '', cells[column])):
                allowed.setdefault(reason, set()).add(category)
    allowed.setdefault('userunknown', set()).add('address-invalid')
    return allowed


def exceptions_read():
    """(file, expected reason, our category): how often, and why."""
    rows = {}
    with open(EXCEPTIONS, encoding='utf-8') as file:
        for line in file:
            if not line.startswith('#'):
                name, wanted, ours, times, why = line.rstrip('\n').split('\t')
                rows[(name, wanted, ours)] = (int(times), why)
    return rows


def show(program, shared, rows):
    names = '\n'.join(os.path.join(shared, 'corpus', row['file']) for row in rows) + '\n'
    out = subprocess.run([program], input=names, capture_output=True, text=True, check=True,
                         errors='replace').stdout
    return [json.loads(line) for line in out.splitlines()]


def same(a, b):
    return a.strip().lower().strip('<>"') == b.strip().lower().strip('<>"')


def find(expected, index, row, got):
    """Our recipient for an expected one: by address, else by place."""
    people = got['recipients']
    address = expected.get('recipient')
    if address:
        for one in people:
            if same(one['recipient'], address) or same(one['original_recipient'], address):
                return one, True
    if len(people) == len(row['expect']) and index < len(people):
        return people[index], False
    return (people[0] if people else None), False


def invented(status):
    return re.match(r'[45]\.0\.9\d\d$|[45]\.9\.', status) is not None


class Score:
    def __init__(self):
        self.right, self.all, self.misses = Counter(), Counter(), []
        self.met = Counter()

    def mark(self, what, right, row, wanted, got, detail=''):
        self.all[what] += 1
        self.right[what] += bool(right)
        if not right:
            self.misses.append((row['file'], what, str(wanted), str(got), detail))

    def mark_category(self, right, row, wanted, got, ours, excepted, detail):
        self.mark('category', right, row, wanted, got, detail)
        key = (row['file'], wanted, ours)
        if not right and key in excepted:
            self.met[key] += 1
        else:
            self.all['category by the standard'] += 1
            self.right['category by the standard'] += bool(right)

    def rate(self, what):
        return 100.0 * self.right[what] / self.all[what] if self.all[what] else 100.0


def category_right(reason, action, one, got, allowed):
    if reason in KINDS:
        return got['kind'] == KINDS[reason]
    if one is None:
        return False
    if one['category'] == 'delayed' and action == 'delayed':
        return True
    return one['category'] in allowed.get(reason, ())


def score_entry(score, row, index, expected, got, allowed, excepted):
    one, exact = find(expected, index, row, got)
    ours = one or {'recipient': None, 'category': None, 'status': '', 'reply_code': 0,
                   'evidence': '', 'diagnostic': '', 'rule': 0, 'action': ''}
    if expected.get('recipient') and expected.get('reason') not in ('feedback',):
        score.mark('recipient', exact, row, expected['recipient'],
                   [o['recipient'] for o in got['recipients']][:4])
    reason = expected.get('reason')
    if reason and reason != 'undefined':
        right = category_right(reason, expected.get('action'), one, got, allowed)
        detail = (f"{ours['status']} {ours['reply_code']} rule {ours['rule']}: "
                  f"{ours['evidence'] or ours['diagnostic']}")
        score.mark_category(right, row, reason, f"{got['kind']} {ours['category']}",
                            ours['category'], excepted, detail)
    status = expected.get('status')
    labelled = row['origin'] in CLASS_LABELS
    if status and labelled:
        score.mark('class', ours['status'][:1] == status[:1], row, status, ours['status'])
    elif status and not invented(status):
        score.mark('code', ours['status'] == status, row, status, ours['status'],
                   ours['diagnostic'])
    if expected.get('replycode'):
        score.mark('code', str(ours['reply_code']) == str(expected['replycode']), row,
                   expected['replycode'], ours['reply_code'], ours['diagnostic'])


def score_row(score, row, got, allowed, excepted):
    quiet = row['kind'] == 'ordinary'
    if row['kind'] == 'not-bounce':
        return          # what its origin does not read as one may be one: see explain-misses.md
    if quiet:
        score.mark('quiet', got['kind'] not in REPORTS, row, row['kind'], got['kind'])
    if row['kind'] in ('bounce', 'arf', 'autoreply', 'delivered'):
        score.mark('record', got['kind'] != 'not-a-report' and got['recipients'], row,
                   row['kind'], got['kind'])
    if row['kind'] == 'bounce-or-not-unknown' or quiet:
        return
    for index, expected in enumerate(row['expect']):
        score_entry(score, row, index, expected, got, allowed, excepted)


def reasons_file(path, score, excepted):
    """The misses as a page; a reason once written is kept, an exception brings its own."""
    known = {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            for line in file:
                cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
                if len(cells) == 5:
                    known[tuple(cells[:2])] = cells[4]
    with open(path, 'w', encoding='utf-8') as file:
        file.write('# What the reader misses\n\nMade by `core/bounce/corpus.py --misses`; the last'
                   ' column is written by hand and kept.\n\n')
        for what in GOALS:
            file.write(f'* {what}: {score.rate(what):.2f}% of {score.all[what]}\n')
        file.write(PAGE_TEXT + '| file | what | expected | ours | why |\n|---|---|---|---|---|\n')
        for name, what, wanted, got, _ in sorted(score.misses):
            why = known.get((name, what), '')
            if what == 'category':
                why = excepted.get((name, wanted, got.split()[-1]), (0, why))[1]
            got = got.replace('|', '/').replace('\n', ' ')
            file.write(f'| {name} | {what} | {wanted} | {got} | {why} |\n')


def exceptions_hold(score, rows, excepted, number):
    """Each exception is a miss still, as often as it says: one that is none any more must go."""
    files = {row['file'] for row in rows}
    stale = [key for key, (times, _) in excepted.items()
             if key[0] in files and score.met[key] != times]
    for key in stale:
        print('#', 'no exception any more:', *key)
    print(f"{'not ok' if stale else 'ok'} {number} - exceptions: {sum(score.met.values())} met")
    return not stale


def main():
    options = argparse.ArgumentParser()
    options.add_argument('program')
    options.add_argument('--half', choices=['dev', 'val'])
    options.add_argument('--misses')
    options.add_argument('--strict', action='store_true', help='fail below the goals')
    options.add_argument('--list', action='store_true')
    args = options.parse_args()
    shared = os.environ.get('POSTERN_SHARED', '')
    path = os.path.join(shared, 'corpus', 'expect.jsonl')
    if not os.path.exists(path):
        print('1..0 # SKIP no corpus at POSTERN_SHARED')
        return 0
    with open(path, encoding='utf-8') as file:
        rows = [json.loads(line) for line in file]
    rows = [row for row in rows if args.half in (None, half_of(row))]
    allowed = taxonomy(os.path.join(shared, 'codes', 'taxonomy.tsv'))
    excepted, score = exceptions_read(), Score()
    for row, got in zip(rows, show(args.program, shared, rows)):
        score_row(score, row, got, allowed, excepted)
    if args.list:
        for miss in sorted(score.misses, key=lambda miss: (miss[1], miss[0])):
            print('#', ' | '.join(cell.replace('\n', ' ')[:150] for cell in miss))
    if args.misses:
        reasons_file(args.misses, score, excepted)
    print(f'1..{len(GOALS) + 1}')
    failed = 0
    for number, (what, goal) in enumerate(GOALS.items(), 1):
        right = score.rate(what) >= (goal if args.half is None and args.strict else FLOORS[what])
        failed += not right
        print(f"{'ok' if right else 'not ok'} {number} - {what}: {score.rate(what):.2f}%"
              f' of {score.all[what]}, goal {goal}%, fails below {FLOORS[what]}%')
    failed += not exceptions_hold(score, rows, excepted, len(GOALS) + 1)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
