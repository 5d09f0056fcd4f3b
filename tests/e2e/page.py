#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The page in a real browser: Debian's Chromium, driven by page/page.mjs; and POST /v1/explain.

usage: page.py POSTERN PACKAGES        SHOTS=FOLDER keeps pictures there
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import explain_texts
import harness
from harness import equal, Skip, true

HERE = pathlib.Path(__file__).parent / 'page'
CHROMIUM = '/usr/bin/chromium'


class Page:
    """`postern page` on a free port, for as long as the block lasts."""

    def __init__(self, bench):
        self.process = subprocess.Popen([bench.program, 'page', '--listen',
                                         f'127.0.0.1:{harness.free_port()}'],
                                        stdout=subprocess.PIPE, text=True)
        self.url = re.search(r'http://\S+/', self.process.stdout.readline())[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()

    def ask(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(self.url.split('/')[2], timeout=60)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers['Content-Type'], text


def node_modules(bench):
    """playwright-core of the lock file, kept beside the other packages of peers."""
    if not os.path.exists(CHROMIUM) or not shutil.which('npm'):
        raise Skip('no Chromium or no npm here')
    folder = pathlib.Path(bench.packages) / 'page'
    folder.mkdir(parents=True, exist_ok=True)
    for name in ('package.json', 'package-lock.json', 'page.mjs'):
        shutil.copy(HERE / name, folder / name)
    if not (folder / 'node_modules/playwright-core/package.json').exists():
        done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'],
                              cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise Skip('playwright-core cannot be had: ' + done.stderr.strip()[-300:])
    return folder


def a_real_browser_finds_its_way(bench):
    folder = node_modules(bench)
    bounce = pathlib.Path(bench.folder()) / 'bounce.eml'
    bounce.write_text(explain_texts.MISSING)
    words = ['node', 'page.mjs', '', CHROMIUM, str(bounce)]
    if os.environ.get('SHOTS'):
        words.append(os.path.abspath(os.environ['SHOTS']))
    with Page(bench) as page:
        words[2] = page.url
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=350,
                              check=False)
    flaws = [line for line in done.stdout.splitlines() if not line.startswith('ok ')]
    equal(done.returncode, 0, '\n'.join(flaws) + done.stderr)
    true(re.search(r'^1\.\.(\d+)$', done.stdout, re.M), 'a plan')
    equal(done.stdout.count('\nok '), int(re.search(r'^1\.\.(\d+)$', done.stdout, re.M)[1]), 'all')


def programs_ask_too(bench):
    bounce = explain_texts.MISSING
    with Page(bench) as page:
        for body, headers in (
                (bounce, {'Content-Type': 'message/rfc822'}), (bounce, {}),
                (bounce, {'Content-Type': 'application/x-www-form-urlencoded'}),
                ('text=550+5.1.1+no+such+user',
                 {'Content-Type': 'application/x-www-form-urlencoded'}),
                ('--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n550 5.1.1 no such '
                 'user\r\n--b--\r\n', {'Content-Type': 'multipart/form-data; boundary=b'})):
            status, kind, text = page.ask('POST', '/v1/explain', body, headers)
            equal((status, kind), (200, 'application/json'), text)
            equal(json.loads(text)['recipients'][0]['category'], 'user-missing', headers)
        _, kind, text = page.ask('POST', '/v1/explain', f'From x\n{bounce}\n' * 3)
        equal((kind, len(text.splitlines())), ('application/x-ndjson', 3), 'an mbox')
        _, kind, text = page.ask('POST', '/v1/explain?format=html&lang=de', bounce)
        true(kind.startswith('text/html') and '<html lang="de">' in text, 'HTML, in German')
        _, kind, text = page.ask('POST', '/v1/explain', bounce,
                                 {'Accept': 'text/plain', 'Accept-Language': 'ja'})
        true(kind.startswith('text/plain') and 'メールボックス' in text, 'text, in Japanese')
        equal(page.ask('POST', '/v1/explain', '')[0], 400, 'nothing')
        equal(page.ask('GET', '/v1/explain')[0], 405, 'no body')
        code = json.loads(page.ask('GET', '/v1/codes/5.7.7')[2])
        equal((code['code'], code['registered']), ('5.7.7', True), 'a code')
        equal(page.ask('GET', '/v1/codes/hello')[0], 404, 'no code')
        true(len(page.ask('GET', '/v1/codes')[2].splitlines()) > 200, 'all codes')
        equal(page.ask('GET', '/healthz')[0], 404, 'no mail server stands behind')


def bad_words_are_refused(bench):
    for words in (['--listen'], ['--listen', '0.0.0.0:80'], ['--listen', 'x'], ['x']):
        done = subprocess.run([bench.program, 'page', *words], capture_output=True, text=True,
                              timeout=60, check=False)
        true(done.returncode in (64, 69) and done.stderr.startswith('postern: '), done.stderr)


harness.main([a_real_browser_finds_its_way, programs_ask_too, bad_words_are_refused])
