#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern explain and libpostern, as a person, a script and a program meet them.

usage: explain.py POSTERN PACKAGES
"""
import json
import os
import pathlib
import re
import subprocess
import unicodedata

from explain_texts import DSN, MISSING
import harness
from harness import equal, Skip, true

SHARED = pathlib.Path(os.environ.get('POSTERN_SHARED', '/nonexistent'))
LANGUAGES = 'en de fr es pt it nl pl ru ja zh'.split()
CATEGORIES = '''user-missing domain-issue address-invalid address-closed mailbox-full too-large
    delayed no-answer server-problem rate-limited blocked-reputation blocked-spam blocked-unsafe
    blocked-auth blocked-policy not-permitted security-transport format loop-config
    unknown'''.split()
UNSAFE = re.compile('[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e'
                    '\u2060-\u206f\ufeff\U000e0000-\U0010ffff]')

def explain(bench, *words, given=None, **environment):
    """One run: (status, output, errors)."""
    octets = given.encode() if isinstance(given, str) else given
    done = subprocess.run([bench.program, 'explain', *words], input=octets or b'',
                          capture_output=True, timeout=300, check=False,
                          env={'PATH': os.environ['PATH'], 'TZ': 'UTC', **environment})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def told(bench, *words, given=None, **environment):
    status, out, errors = explain(bench, *words, given=given, **environment)
    equal((status, errors), (0, ''), f'explain {words}')
    return out


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF'
               else 1 for c in line)


def a_message_is_explained(bench):
    out = told(bench, given=MISSING)
    for part in ('Address not found: there is no such mailbox\n', '  To: jane@example.com\n',
                 '  Subject: Hello\n', 'Who must act?\n', 'What to do\n', 'Status code: 5.1.1\n',
                 'Will it be tried again?\n  No.', "server's own words: 550 5.1.1"):
        true(part in out, part)
    true('\033' not in out, 'no colours off a terminal')


def a_reply_a_code_and_a_line_are_explained(bench):
    for words, category in (('550 5.1.1 User unknown', 'user-missing'),
                            ('452 4.2.2 mailbox full', 'mailbox-full'), ('5.2.2', 'mailbox-full'),
                            ('DNS Error: Domain name not found', 'domain-issue'),
                            ('Nov 21 10:00:00 mx postfix/smtp[1]: 4ABC: to=<a@example.com>, '
                             'relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred '
                             '(connect to mx.example.com[192.0.2.1]:25: Connection timed out)',
                             'no-answer')):
        for way in ((words,), ('-',)):
            row, = rows(told(bench, '--json', *way, given=words if way == ('-',) else None))
            equal(row['recipients'][0]['category'], category, words)


def what_people_saw_is_explained(bench):
    """The replies that a page of 2014 quoted as what nobody understands."""
    wanted = {
        '550-Callout verification failed:\n550 550 No such user': ('blocked-auth', 'user-missing'),
        '550 Requested action failed: User not found': ('user-missing',),
        '550 5.1.1 : Recipient address rejected: User unknown in relay recipient table':
            ('user-missing',),
        '550 5.1.1 Recipient address rejected: {Gateway}': ('user-missing',),
        '550 relay not permitted!': ('not-permitted',),
        '550 5.1.1 recipient does not exist here.': ('user-missing',),
        '550 #5.1.0 Address rejected.': ('user-missing', 'address-invalid'),
        '550 No such user \u2013 psmtp': ('user-missing',),
        '550 5.1.1 User Unknown': ('user-missing',),
        'DNS Error: Domain name not found': ('domain-issue',),
        '550-5.1.1 The email account that you tried to reach does not exist. Please try\n'
        '550-5.1.1 double-checking the recipient\u2019s email address for typos or\n'
        '550-5.1.1 unnecessary spaces. Learn more at\n'
        '550 5.1.1 o19si5072179wiv.42 \u2013 gsmtp': ('user-missing',),
        'The recipient server did not accept our requests to connect. Learn more at '
        '[ 2606:2800:220:1:248:1893:25c8:1946: timed out] [ timed out]': ('no-answer',),
    }
    for reply, categories in wanted.items():
        row, = rows(told(bench, '--json', reply))
        true(row['recipients'][0]['category'] in categories,
             f'{reply}: {row["recipients"][0]["category"]}')


def the_json_is_as_documented(bench):
    row, = rows(told(bench, '--json', given=MISSING))
    document = (pathlib.Path(__file__).parents[2] / 'doc/explain-json.md').read_text()
    for member in list(row) + list(row['recipients'][0]):
        true(f'`{member}`' in document, f'{member} is documented')
    one = row['recipients'][0]
    equal((row['version'], row['kind'], row['input']), (1, 'bounce', '-'), 'head')
    equal([one[name] for name in ('recipient', 'action', 'status', 'reply_code', 'category',
                                  'family', 'over', 'retry_would_help', 'who', 'address_bad',
                                  'retry_until')],
          ['jane@example.com', 'failed', '5.1.1', 550, 'user-missing', 'address-not-found', True,
           False, 'sender', True, None], 'facts')
    equal(row['original'], {'message_id': '1@example.org', 'subject': 'Hello'}, 'original')
    true(one['official']['reference'].startswith('RFC 3463') and len(one['fix']) == 2, str(one))
    true(0 < one['confidence'] <= 100 and one['evidence'], 'evidence')
    success = DSN % ('delivered', '2.0.0', '250 ok', '', 'Hello')
    row, = rows(told(bench, '--json', given=success))
    equal((row['kind'], row['recipients'][0]['category']), ('success', None), 'success')


def a_deadline_is_said(bench):
    late = DSN % ('delayed', '4.4.1', '421 4.4.1 timed out',
                  'Will-Retry-Until: Sat, 24 Nov 2096 14:05:00 +0000\n', 'Hello')
    out = told(bench, given=late)
    true(out.startswith('Delivery incomplete: '), out)
    true('Yes, until 24 November 2096, 14:05 (UTC) (another ' in out, out)
    out = told(bench, '--lang', 'pl', given=late, TZ='Europe/Warsaw')
    true('24 listopada 2096, godz. 15:05 (UTC+1)' in out, out)
    one = rows(told(bench, '--json', given=late))[0]['recipients'][0]
    equal((one['over'], one['retry_until'], one['family']),
          (False, '2096-11-24T14:05:00.000Z', 'delivery-incomplete'), 'facts')


def every_language_speaks(bench):
    seen = set()
    for lang in LANGUAGES:
        out = told(bench, '--lang', lang, given=MISSING)
        seen.add(out)
        true(all(columns(line) <= 80 for line in out.splitlines()), f'{lang}: 80 columns')
        html = told(bench, '--html', '--lang', lang, given=MISSING)
        true(f'<html lang="{lang}">' in html and f'<article class="card card-address" lang="{lang}"'
             in html, lang)
    equal(len(seen), len(LANGUAGES), 'each says it in its own words')
    true(told(bench, given=MISSING, LANG='de_AT.UTF-8') == told(bench, '--lang', 'de',
                                                               given=MISSING), 'LANG')
    equal(explain(bench, '--lang', 'tlh', '550')[0], 64, 'a language that is not there')


def the_html_asks_nobody(bench):
    html = told(bench, '--html', given=MISSING)
    for word in ('http:', 'https:', 'src=', '<script', '<link', '@import', 'url('):
        true(word not in html, word)
    for word in ('<h2 id=', 'aria-labelledby=', 'aria-hidden="true"', 'prefers-color-scheme:dark',
                 '<h3>', '<dt>', 'viewport'):
        true(word in html, word)


def nothing_foreign_leaves_raw(bench):
    """DSN-004"""
    nasty = 'x\033[2J\u202e<script>alert(1)</script>"\'&\u200b\x9b31m\x07'
    message = (DSN % ('failed', '5.7.1', '550 5.7.1 ' + nasty, '', nasty)).encode() \
        .replace(b'jane@', '"<b>\u202e"@'.encode())
    for form in ('--text', '--html', '--json'):
        for lang in ('en', 'ja'):
            out = told(bench, form, '--lang', lang, given=message)
            true(not UNSAFE.search(out), f'{form}: {UNSAFE.search(out)}')
            if form == '--html':
                true('<script' not in out and '<b>' not in out, 'escaped')
    json.loads(told(bench, '--json', given=message))


def folders_mboxes_and_logs(bench):
    folder = pathlib.Path(bench.folder())
    for sub in ('cur', 'new', 'deep/er'):
        (folder / 'box' / sub).mkdir(parents=True)
    (folder / 'box/cur/1').write_text(MISSING)
    (folder / 'box/new/2').write_text('From: a@example.org\nSubject: hello\n\nhow are you?\n')
    (folder / 'box/deep/er/3').write_text(MISSING.replace('\n', '\r\n'))
    (folder / 'mbox').write_text(''.join(f'From x\n{MISSING}\n' for _ in range(3)))
    found = rows(told(bench, '--json', str(folder / 'box')))
    equal([row['kind'] for row in found], ['bounce', 'bounce', 'not-a-report'], 'a folder')
    equal([row['input'][-2:] for row in found], ['/1', '/3', '/2'], 'in order of names')
    equal(len(rows(told(bench, '--json', str(folder / 'mbox')))), 3, 'an mbox')
    out = told(bench, str(folder / 'box'), str(folder / 'mbox'))
    equal(out.count('\n== ') + out.startswith('== '), 5, 'each is named')
    out = told(bench, '--summary', str(folder))
    true('Messages read: 6\nReports among them: 5\n' in out and '  5  there is no such mailbox\n'
         in out, out)
    equal(json.loads(told(bench, '--summary', '--json', str(folder))),
          {'version': 1, 'messages': 6, 'reports': 5, 'recipients': 5,
           'causes': {'user-missing': 5}}, 'counts')


def bad_input_has_a_clear_end(bench):
    for given, status, said in (
            (b'', 65, 'there is nothing in it'), (os.urandom(100000), 1, ''),
            (b'\0' * 5000, 1, ''), (MISSING[:200].encode(), None, ''),
            (b'A' * (10 << 20), 1, ''), (b'Subject: ' + b'x' * (10 << 20), 1, ''),
            (b'From x\n' * 100000, 1, '')):
        code, out, errors = explain(bench, given=given)
        true(status is None or code == status, f'{given[:20]!r}: {code} {errors}')
        true(said in errors and not UNSAFE.search(out), errors)
    many = MISSING.replace('\n\n--b\nContent-Type: message/rfc822', '').split(
        'Final-Recipient')[0] + ''.join(
            f'\nFinal-Recipient: rfc822; u{i}@example.com\nAction: failed\nStatus: 5.1.1\n'
            for i in range(100000)) + '\n--b--\n'
    row, = rows(told(bench, '--json', given=many))
    equal((len(row['recipients']), row['recipients_found']), (1000, 100000), 'recipients')
    true('and 99,000 more recipients' in told(bench, given=many), 'counted')
    row, = rows(told(bench, '--json', given=MISSING + 'x\n' * (5 << 20)))
    true(row['cut'] and row['recipients_found'] == 1, 'said to be cut')
    for words, status in ((['/nonexistent/x'], 66), (['nosuch'], 66), (['--bogus'], 64),
                          (['--lang'], 64), (['--rules', '/nonexistent', '550'], 66)):
        equal(explain(bench, *words)[0], status, words)
    true('usage: postern explain' in told(bench, '--help'), 'help')


def a_large_mbox_streams(bench):
    """64 MiB through the window, in memory that does not grow with it."""
    path = pathlib.Path(bench.folder()) / 'large'
    piece = f'From x\n{MISSING}\n'.encode() + b'From y\nSubject: big\n\n' + b'x' * 70 + b'\n'
    piece += (b'y' * 70 + b'\n') * 14000 + b'\n'
    with path.open('wb') as file:
        for _ in range(64):
            file.write(piece)
    script = ('import resource, subprocess, sys\n'
              'subprocess.run(sys.argv[1:], check=True)\n'
              'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n')
    done = subprocess.run(['python3', '-c', script, bench.program, 'explain', '--summary',
                           str(path)], capture_output=True, text=True, timeout=300, check=True)
    true('Messages read: 128\nReports among them: 64\n' in done.stdout, done.stdout)
    kib = int(done.stdout.split()[-1])
    sanitized = subprocess.run(['grep', '-q', '__asan_init', bench.program], check=False)
    true(sanitized.returncode == 0 or kib < 40 * 1024, f'{kib} KiB')


def the_corpus_is_read_whole(bench):
    corpus = SHARED / 'corpus'
    if not corpus.is_dir():
        raise Skip('no corpus here')
    found = rows(told(bench, '--json', str(corpus)))
    true(len(found) > 900, f'{len(found)} messages')
    seen = {one['category'] for row in found for one in row['recipients']} - {None}
    true(seen <= set(CATEGORIES) and len(seen) >= 18, sorted(seen))
    for form in ('--text', '--html'):
        true(not UNSAFE.search(told(bench, form, str(corpus))), form)


def the_library_installs_and_links(bench):
    build = pathlib.Path(bench.program).parent
    if not (build / 'build.ninja').exists():
        raise Skip('not in a build folder')
    folder = pathlib.Path(bench.folder())
    done = subprocess.run(['meson', 'install', '--no-rebuild', '-C', str(build), '--destdir',
                           str(folder / 'root')], capture_output=True, text=True, check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)
    config, = (folder / 'root').rglob('postern.pc')
    example, = (folder / 'root').rglob('example.c')
    library = config.parents[1]
    shown = subprocess.run(['nm', '-D', '--defined-only', str(library / 'libpostern.so')],
                           capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split('@')[0] for line in shown.splitlines()}
    true(all(name.lower().startswith('postern_') for name in names), sorted(names))
    shown = subprocess.run(['nm', '-g', '--defined-only', str(library / 'libpostern.a')],
                           capture_output=True, text=True, check=True).stdout
    names = [line.split()[-1] for line in shown.splitlines() if len(line.split()) == 3]
    true(names and all(name.startswith('postern_') for name in names), names)
    if b'__asan_init' in pathlib.Path(bench.program).read_bytes():
        raise Skip('a library with sanitizers links only into programs that have them')
    environment = {**os.environ, 'PKG_CONFIG_SYSROOT_DIR': str(folder / 'root'),
                   'PKG_CONFIG_PATH': str(config.parent)}
    for static in (False, True):
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'postern']
                               + ['--static'] * static, env=environment, capture_output=True,
                               text=True, check=True).stdout.split()
        if static:
            flags = [f'-l:{"libpostern.a"}' if flag == '-lpostern' else flag for flag in flags]
        subprocess.run(['cc', '-Wall', '-Wextra', '-Werror', str(example), *flags, '-o',
                        str(folder / 'example')], check=True, timeout=100)
        done = subprocess.run([str(folder / 'example')], input=MISSING, capture_output=True,
                              text=True, check=True, env={'LD_LIBRARY_PATH': str(library)})
        true('user-missing: Address not found: there is no such mailbox\n' in done.stdout,
             done.stdout)


harness.main([a_message_is_explained, a_reply_a_code_and_a_line_are_explained,
              what_people_saw_is_explained, the_json_is_as_documented, a_deadline_is_said,
              every_language_speaks, the_html_asks_nobody, nothing_foreign_leaves_raw,
              folders_mboxes_and_logs, bad_input_has_a_clear_end, a_large_mbox_streams,
              the_corpus_is_read_whole, the_library_installs_and_links])
