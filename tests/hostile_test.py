# SPDX-License-Identifier: ISC
"""Each hostile case of the groups that are due has a test that names it, or a line that says which
later issue it belongs to and why (tests/hostile-later.tsv)."""
import csv
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get('POSTERN_SHARED', ROOT / '../shared'))
CASES = SHARED / 'suites/hostile-cases.tsv'
DUE = ('SRV', 'MIM', 'SPL', 'CFG', 'CTL', 'OS', 'LDA', 'TLS', 'DSN', 'SEAL', 'STS', 'CLI', 'DNS')
NAMED = re.compile(r'\b(%s)[-_](\d{3})(?!\d)' % '|'.join(DUE), re.I)    # SRV-040, srv_040_...


def tests():
    """The sources of tests: beside the code, whole programs, and the simulator's own."""
    for folder in ('core', 'host', 'sim', 'tests'):
        for path in sorted((ROOT / folder).rglob('*')):
            whole = path.parent.name == 'e2e' or folder == 'sim'
            if path.suffix in ('.c', '.py') and (whole or path.stem.endswith(('_test', '_fuzz'))) \
                    and path.name != 'hostile_test.py':
                yield path


def main():
    if not CASES.exists():
        print('1..0 # SKIP the hostile cases are not beside the tree')
        return 0
    with open(ROOT / 'tests/hostile-later.tsv', encoding='utf-8') as file:
        rows = [row for row in csv.reader(file, delimiter='\t') if row and row[0][0] != '#']
        later = {row[0]: row for row in rows}
    named = {}
    for path in tests():
        for group, case in NAMED.findall(path.read_text(errors='replace')):
            named.setdefault(f'{group.upper()}-{case}', path.name)
    with open(CASES, encoding='utf-8') as file:
        due = [row[0] for row in csv.reader(file, delimiter='\t') if row[0].split('-')[0] in DUE]
    failed = 0
    for number, case in enumerate(due, 1):
        well = case in named or case in later
        failed += not well
        where = named.get(case) or f'later: {" ".join(later.get(case, ["", "nowhere"])[1:])}'
        print(f'{"ok" if well else "not ok"} {number} - {case} {where.replace("#", "no.")}')
    print(f'1..{len(due)}')
    return 1 if failed else 0


sys.exit(main())
