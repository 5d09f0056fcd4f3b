#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern refused: what a live server refused, told from its log.

usage: refused.py POSTERN PACKAGES
"""
import email
import email.policy
import json

import harness
from harness import Client, equal, true, wait_until


def refuse(server, *recipients):
    with Client(server.port) as client:
        client.command('MAIL FROM:<me@example.com>', '250')
        for recipient in recipients:
            client.command(f'RCPT TO:<{recipient}>', '550')
        client.quit()


def what_was_refused_is_told(bench):
    server = bench.server().start()
    refuse(server, 'nobody@example.org', 'nobody@example.org', 'else@elsewhere.example')
    told = wait_until(lambda: rows(server) if len(rows(server)) == 2 else None, 'the log')
    equal([(row['recipient'], row['count'], row['category']) for row in told],
          [('nobody@example.org', 2, 'user-missing'),
           ('else@elsewhere.example', 1, 'not-permitted')], 'rows')
    out = server.run('refused').stdout
    true('the mail server mx.example.org refused 3 recipients.' in out, out)
    true('there is no such mailbox: 2\n       2  nobody@example.org  550 5.1.1, last ' in out, out)
    true('Dieses Postfach gibt es nicht: 2' in server.run('refused', '--lang', 'de').stdout, 'de')


def rows(server):
    return [json.loads(line) for line in server.run('refused', '--json').stdout.splitlines()]


def it_is_a_letter_when_asked(bench):
    server = bench.server().start()
    refuse(server, 'nobody@example.org')
    wait_until(lambda: rows(server), 'the log')
    done = server.run('refused', '--letter')
    letter = email.message_from_string(done.stdout, policy=email.policy.default)
    equal(letter.defects, [], 'defects')
    equal(letter['Auto-Submitted'], 'auto-generated', 'Auto-Submitted')
    equal([part.get_content_type() for part in letter.get_payload()],
          ['text/plain', 'text/html'], 'parts')
    for part in letter.get_payload():
        true('nobody@example.org' in part.get_content(), part.get_content_type())
    equal(letter['To'].addresses[0].addr_spec, 'postmaster@mx.example.org', 'To')


def postmaster_is_told_by_the_server_itself(bench):
    server = bench.server(more='refused-report 2s\npostmaster you@example.org').start()
    refuse(server, 'nobody@example.org', 'else@elsewhere.example')
    octets = list(server.wait_for_letters(1).values())[0]
    letter = email.message_from_bytes(octets, policy=email.policy.default)
    equal(letter.defects, [], 'defects')
    equal(letter['Return-Path'], '<>', 'from nobody')
    equal(letter['To'].addresses[0].addr_spec, 'you@example.org', 'To')
    true(letter['Message-ID'].startswith('<refused.'), 'Message-ID')
    text, page = (part.get_content() for part in letter.get_payload())
    for part in (text, page):
        true('nobody@example.org' in part and 'else@elsewhere.example' in part, part)
    server.stop()
    server.start()
    with Client(server.port) as client:     # a restart later nothing more has come
        client.quit()
    true(len(server.letters()) <= 2, 'letters')


def nothing_and_nonsense(bench):
    server = bench.server().start()
    true('refused nothing.' in server.run('refused').stdout, 'nothing yet')
    for words in (['--since', 'x'], ['--bogus'], ['--json', '--letter']):
        equal(server.run('refused', *words).returncode, 64, words)
    equal(server.run('refused', '/nonexistent/log').returncode, 66, 'no such log')


harness.main([what_was_refused_is_told, it_is_a_letter_when_asked,
              postmaster_is_told_by_the_server_itself, nothing_and_nonsense])
