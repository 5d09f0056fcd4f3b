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
           ('else@elsewhere.example', 1, 'blocked-policy')], 'rows')
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
    true('nobody@example.org' in letter.get_content(), 'text')
    equal(letter['To'].addresses[0].addr_spec, 'postmaster@mx.example.org', 'To')


def nothing_and_nonsense(bench):
    server = bench.server().start()
    true('refused nothing.' in server.run('refused').stdout, 'nothing yet')
    for words in (['--since', 'x'], ['--bogus'], ['--json', '--letter']):
        equal(server.run('refused', *words).returncode, 64, words)
    equal(server.run('refused', '/nonexistent/log').returncode, 66, 'no such log')


harness.main([what_was_refused_is_told, it_is_a_letter_when_asked, nothing_and_nonsense])
