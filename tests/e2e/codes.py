#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern code, as a person and as a program meet it: text, JSON, HTML, and what is no code."""
import json
import subprocess
import xml.etree.ElementTree as xml

import harness
from harness import equal, true


def code(bench, *words):
    return subprocess.run([bench.program, 'code', *words], capture_output=True, text=True,
                          timeout=60, check=False)


def told(bench, *words):
    done = code(bench, *words)
    equal((done.returncode, done.stderr), (0, ''), f'code {words}')
    return done.stdout


def a_page_tells_it_all(bench):
    page = told(bench, '4.7.7')
    for heading in ('What happened', 'How to fix it', '  If you are the sender',
                    "  If you run the sender's mail", '  If you receive it, or run the mail there',
                    'Is it tried again?', 'With another first number', '  5.7.7 ', '  2.7.7 ',
                    'What the standard says', 'RFC 3463, 3.8', 'Action: delayed',
                    'Diagnostic-Code: smtp; 451 4.7.7 ', 'Codes beside it', '  4.7.8 '):
        true(f'\n{heading}' in page or heading in page, heading)
    true('\033' not in page, 'no colours off a terminal')
    true(max(map(len, page.splitlines())) <= 80, '80 columns')


def all_forms_of_a_code_are_known(bench):
    for word, name in (('X.7.7', 'X.7.7'), ('x.7.7', 'X.7.7'), ('550', '550'), ('5.7', '5.7.X'),
                       ('5', '5.X.X'), ('#5.1.0', '5.1.0')):
        true(told(bench, word).startswith(name + '  '), word)
    true('\n\n\n550  ' in told(bench, '5.1.1', '550'), 'two codes')


def an_unregistered_code_is_said_to_be_so(bench):
    for word in ('5.7.509', '4.9.1', '599'):
        true('Nobody has' in told(bench, word), word)
        page = json.loads(told(bench, '--json', word))
        equal((page['registered'], page['code']), (False, word), word)


def json_is_valid_and_complete(bench):
    pages = [json.loads(line) for line in told(bench, '--list', '--json').splitlines()]
    codes = {page['code'] for page in pages}
    equal(len(codes), len(pages), 'each once')
    for page in pages:
        true(page['version'] == 1 and page['registered'] and page['headline'], page['code'])
        for meaning in page['meanings']:
            true(meaning['reason'] and meaning['fix_sender'] and meaning['retried'], page['code'])
        true(all(one['code'] in codes for one in page['neighbours']), page['code'])
        true(all(one in codes for one in page['goes_with']), page['code'])
        true(page['official'][0]['text'], page['code'])


def check_document(text, of):
    """Another parser's view of it."""
    root = xml.fromstring(text)
    equal((root.tag, root.get('lang')), ('html', 'en'), of)
    tags = [element.tag for element in root.iter()]
    true(not {'script', 'link', 'img', 'iframe', 'object'} & set(tags), f'{of}: resources')
    true(tags.count('h1') == tags.count('main') == tags.count('title') == 1, f'{of}: one heading')
    true('url(' not in text and 'http' not in text and '@import' not in text, f'{of}: resources')
    true('prefers-color-scheme:dark' in text, f'{of}: dark')
    ids = [element.get('id') for element in root.iter() if element.get('id')]
    equal(len(ids), len(set(ids)), f'{of}: ids')
    return ''.join(root.find('body').itertext())


def documents_are_well_formed(bench):
    pages = [json.loads(line) for line in told(bench, '--list', '--json').splitlines()]
    for page in pages:
        if page['kind'] == 'status' and page['code'][0] in '42':
            continue        # the tests of units look at each
        words = check_document(told(bench, '--html', page['code']), page['code'])
        true(page['headline'] in words and page['meanings'][0]['reason'] in words, page['code'])
    list_words = check_document(told(bench, '--list', '--html'), 'list')
    true('X.7.30' in list_words and '591' in list_words, 'the list is whole')


def what_is_no_code_is_refused(bench):
    for words, said in ((['5.7.1000'], 'at most three digits'), (['7.7'], 'near it: X.7.7'),
                        (['hello'], 'write one like'), (['\033[2J'], '\\x1b[2J'),
                        ([], 'say a code'), (['--bogus'], 'no option'), (['--list', '5'], '--list'),
                        (['--html', '550', '551'], 'one code'), (['5.7.1', 'x'], 'too much open')):
        done = code(bench, *words)
        equal(done.returncode, 64, words)
        true(said in done.stderr and '\033' not in done.stderr, done.stderr)
        true(done.stderr.startswith('postern: '), done.stderr)
    true(code(bench, '5.7.1', 'x').stdout.startswith('5.7.1  '), 'the good one is told')
    true('usage: postern code' in told(bench, '--help'), 'help')


harness.main([a_page_tells_it_all, all_forms_of_a_code_are_known,
              an_unregistered_code_is_said_to_be_so, json_is_valid_and_complete,
              documents_are_well_formed, what_is_no_code_is_refused])
