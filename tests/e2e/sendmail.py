#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""sendmail, mailq and newaliases, as programs of this machine call them."""
import json
import os
import shutil
import smtplib
import socket
import subprocess

import harness
from harness import equal, Skip, true, wait_until

TEXT = b'To: you@example.org\nSubject: hello\n\nhello\n.\nafter the dot\n'
STRANGER = 'daemon'     # a user of every system


def names(server):
    """The customary names, as links to the program where anybody may run it."""
    folder = os.path.join(server.folder, 'bin')
    if not os.path.isdir(folder):
        os.mkdir(folder)
        shutil.copy(server.program, os.path.join(folder, 'postern'))
        for name in ('sendmail', 'mailq', 'newaliases'):
            os.symlink('postern', os.path.join(folder, name))
    return folder


def call(server, name, *words, text=TEXT, want=0, **more):
    done = subprocess.run([os.path.join(names(server), name), '-C', server.conf, *words],
                          input=text, capture_output=True, timeout=60, check=False, **more)
    equal(done.returncode, want, f'{name} {words}: {done.stdout}{done.stderr}')
    return done


def as_stranger():
    if os.geteuid() != 0:
        raise Skip('needs root, to be somebody else')
    return {'user': STRANGER, 'group': STRANGER, 'extra_groups': []}


def letters(server, count, name='you'):
    found = server.wait_for_letters(count, name)
    equal(len(found), count, f'letters of {name}')
    return [text.replace(b'\r\n', b'\n').decode() for text in found.values()]


def header(text, name):
    """The bodies of these fields."""
    lines = text.split('\n\n', 1)[0].replace('\n\t', ' ').replace('\n ', ' ').split('\n')
    return [line.split(':', 1)[1].strip() for line in lines
            if line.lower().startswith(name.lower() + ':')]


def a_letter(bench):
    server = bench.server(more='domain second.example').start()
    call(server, 'sendmail', 'you@example.org')
    text, = letters(server, 1)
    login = f'uid:{os.getuid()}'
    true(any(login in field for field in header(text, 'Received')), text)
    for name in ('Date', 'Message-ID', 'From'):
        equal(len(header(text, name)), 1, name)
    true(text.endswith('\n\nhello\n'), 'a lone dot ends it')
    call(server, 'sendmail', '-i', 'you@example.org')
    true(any(text.endswith('\nhello\n.\nafter the dot\n') for text in letters(server, 2)), '-i')
    letter = json.loads(server.run('trace', '--json', 'you@example.org').stdout.splitlines()[0])
    equal(letter['peer'], login, 'trace')


def recipients_of_the_header(bench):
    """CTL-009"""
    server = bench.server()
    for name in ('me', 'him', 'her'):
        server.mailbox(name)
    server.start()
    text = (b'From mbox Sat Nov 21 21:28:01 2026\n'
            b'From: "A, B" <you@example.org>\nTo: "Doe, J." <me@example.org>, him\n'
            b'Bcc: secret <her@example.org>,\n you@example.org\n'
            b'Cc: team: me@example.org, him@example.org;\nMessage-ID: <own@id.example>\n'
            b'Date: Sat, 21 Nov 2026 21:28:01 +0000\nSubject: many\n\nBcc: this stays\n')
    call(server, 'sendmail', '-t', '-oi', text=text)
    for name in ('me', 'him', 'her', 'you'):
        for letter in letters(server, 1, name):
            equal(header(letter, 'Bcc'), [], 'Bcc is taken out')
            true('secret' not in letter and letter.endswith('\n\nBcc: this stays\n'), letter)
            equal(header(letter, 'Message-ID'), ['<own@id.example>'], 'its own stays')
            equal(len(header(letter, 'Date')), 1, 'and its Date')
    call(server, 'sendmail', '-t', text=b'Subject: nobody\n\nx\n', want=64)
    call(server, 'sendmail', want=64)


def a_text_without_a_header(bench):
    server = bench.server().start()
    call(server, 'sendmail', '-F', 'Cron "x" \\ Daemon\r\nX: y', 'you',
         text=b'no header here\nmore')
    text, = letters(server, 1)
    true(text.endswith('\n\nno header here\nmore\n'), text)
    true('"Cron \\"x\\" \\\\ DaemonX: y" <' in header(text, 'From')[0], text)


def utf8_and_parameters(bench):
    server = bench.server().start()
    call(server, 'sendmail', '-i', 'you@example.org', text='Subject: x\n\ngrün\n'.encode())
    call(server, 'sendmail', '-i', 'you@example.org', text='Subject: grün\n\nx\n'.encode())
    call(server, 'sendmail', '-i', '-N', 'success,delay', '-R', 'hdrs', '-V', 'a=b+c', '-f',
         'you@example.org', 'you@example.org')
    letters(server, 4)      # the last wanted to hear of success
    rows = [json.loads(row) for row in
            server.run('trace', '--json', 'you@example.org').stdout.splitlines()]
    accepted = [(row['body'], row['smtputf8']) for row in rows if row['event'] == 'accepted']
    equal(accepted[:3], [('8bitmime', False), ('8bitmime', True), ('7bit', False)], 'parameters')
    for words in (['-N', 'sometimes'], ['-R', 'all'], ['-V', ''], ['-f'], ['-bd'], ['-Z'],
                  ['-f', 'no address']):
        call(server, 'sendmail', *words, 'you@example.org', want=64)
    call(server, 'sendmail', 'a b@c d', want=65)


def who_may_be_whom(bench):
    server = bench.server(more='submit-trust mail').start()
    stranger = as_stranger()
    call(server, 'sendmail', 'you@example.org', **stranger)
    text, = letters(server, 1)
    equal(header(text, 'Return-Path'), [f'<{STRANGER}@example.org>'], 'his own name')
    for sender in ('you@example.org', f'{STRANGER}@elsewhere.example', 'root', 'root@localhost'):
        done = call(server, 'sendmail', '-f', sender, 'you@example.org', want=77, **stranger)
        true(b'5.7.1' in done.stderr, done.stderr)
    call(server, 'sendmail', '-f', '', 'you@example.org', **stranger)
    call(server, 'sendmail', '-f', STRANGER + '@MX.example.org', 'you@example.org', **stranger)
    call(server, 'sendmail', '-f', 'any@elsewhere.example', 'you@example.org',
         user='mail', group='mail', extra_groups=[])
    call(server, 'sendmail', '-f', 'any@elsewhere.example', 'you@example.org')
    letters(server, 5)
    equal(server.run('reload').returncode, 0, 'reload')
    call(server, 'sendmail', 'you@example.org', **stranger)
    letters(server, 6)


def elsewhere_is_relayed(bench):
    server = bench.server(more='deliver no').start()
    call(server, 'sendmail', '-i', 'far@elsewhere.example')
    true('far@elsewhere.example' in call(server, 'mailq').stdout.decode(), 'it waits')
    call(server, 'newaliases')
    call(server, 'sendmail', '-bp')
    call(server, 'sendmail', '-q')
    call(server, 'sendmail', 'nobody@example.org', want=67)


def no_server(bench):
    server = bench.server().start()
    call(server, 'sendmail', 'you@example.org')
    server.stop()
    done = call(server, 'sendmail', 'you@example.org', want=75)
    true(b'no mail server runs' in done.stderr, done.stderr)
    done = call(server, 'sendmail', '-bs', want=75, text=b'')
    true(done.stdout.startswith(b'421 '), done.stdout)
    server.start()
    call(server, 'sendmail', 'you@example.org')
    letters(server, 2)


def smtp_on_standard_input(bench):
    server = bench.server().start()
    text = (b'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<you@example.org>\r\nDATA\r\nSubject: bs\r\n\r\n'
            b'hi\r\n.\r\nQUIT\r\n')
    done = call(server, 'sendmail', '-bs', text=text)
    true(done.stdout.startswith(b'220 ') and b'\r\n221 ' in done.stdout, done.stdout)
    letters(server, 1)


def the_socket_is_hostile_ground(bench):
    """What strangers do there ends with them."""
    server = bench.server().start()
    path = os.path.join(server.folder, 'submit')
    equal(os.stat(path).st_mode & 0o777, 0o666, 'mode')
    idle = []
    for octets in (b'', b'\0' * 1000, b'EHLO ' + b'x' * 100000 + b'\r\n', b'STARTTLS\r\n',
                   b'XCLIENT ADDR=192.0.2.1\r\n'):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        client.sendall(octets)
        idle.append(client)
    with smtplib.SMTP('127.0.0.1', server.port, timeout=60) as client:
        client.sendmail('a@b.example', ['you@example.org'], 'x: y\r\n\r\n')
    letters(server, 1)
    for client in idle:
        client.close()
    call(server, 'sendmail', 'you@example.org')
    letters(server, 2)
    wait_until(lambda: server.run('status').returncode == 0, 'the server still runs')


if __name__ == '__main__':
    harness.main([
        a_letter, recipients_of_the_header, a_text_without_a_header, utf8_and_parameters,
        who_may_be_whom, elsewhere_is_relayed, no_server, smtp_on_standard_input,
        the_socket_is_hostile_ground])
