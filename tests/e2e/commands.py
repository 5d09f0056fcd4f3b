#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The commands on a live server, its start and its end, as a person at a terminal meets them."""
import json
import os
import signal
import smtplib
import socket
import struct
import subprocess

import harness
from harness import Client, equal, has_ipv6, id_of, Skip, true, wait_until

TEXT = b'Message-ID: <first@example.com>\r\nSubject: hello\r\n\r\nhello\r\n'


def take(server, host='127.0.0.1', text=TEXT, recipient='you@example.org'):
    """One letter in; its id."""
    with Client(server.port, host) as client:
        client.envelope('sender@example.com', [recipient])
        letter = id_of(client.data(text))
        client.quit()
    return letter


def both_families(bench):
    if not has_ipv6():
        raise Skip('no IPv6 loopback here')
    server = bench.server()
    server.configure(listen=f'listen 127.0.0.1:{server.port}\nlisten [::1]:{server.port}')
    server.start()
    take(server)
    take(server, '::1')
    letters = b''.join(server.wait_for_letters(2).values())
    true(b'[127.0.0.1]' in letters and b'[IPv6:::1]' in letters, 'both peers in Received')


def any_address(bench):
    server = bench.server()
    server.configure(listen=f'listen *:{server.port}')
    server.start()
    take(server)
    if has_ipv6():
        take(server, '::1')
    server.wait_for_letters(1 + has_ipv6())


def trace_tells_the_journey(bench):
    server = bench.server().start()
    letter = take(server)
    server.wait_for_letters(1)
    for subject in (letter, letter.lower(), 'first@example.com', '<first@example.com>',
                    'you@example.org', 'sender@example.com'):
        told = wait_until(lambda one=subject: said_delivered(server, one), f'trace {subject}')
        true(letter in told, f'the id in trace {subject}')
    rows = server.run('trace', '--json', letter).stdout.splitlines()
    true(len([json.loads(row) for row in rows]) >= 2, 'accepted and delivered')
    server.stop()
    server.start()
    true(said_delivered(server, letter), 'also after a restart')
    true(server.run('trace', '0000000000000').returncode != 0, 'an unknown id is no success')


def said_delivered(server, subject):
    done = server.run('trace', subject)
    return done.stdout if done.returncode == 0 and 'deliver' in done.stdout else ''


def queue_shows_what_waits(bench):
    server = bench.server(more='deliver no').start()
    letter = take(server)
    done = server.run('queue')
    true(letter in done.stdout and 'you@example.org' in done.stdout, done.stdout + done.stderr)
    rows = [json.loads(line) for line in server.run('queue', '--json').stdout.splitlines()]
    equal(len(rows), 1, 'rows')
    equal(server.letters(), {}, 'nothing delivered')
    equal(json.loads(server.run('status', '--json').stdout)['queued'], 1, 'queued')
    server.stop()
    server.configure()
    server.start()
    server.wait_for_letters(1)
    wait_until(lambda: server.run('queue', '--json').stdout == '', 'an empty queue')


def a_stopped_server_can_be_asked(bench):
    """CTL-011: its files answer; only what a server alone knows is refused, in words."""
    server = bench.server(more='deliver no').start()
    letter = take(server)
    server.stop()
    true(letter in server.run('queue').stdout, 'queue from the files')
    true('you@example.org' in server.run('trace', letter).stdout, 'trace from the files')
    done = server.run('status')
    true(done.returncode != 0 and done.stderr, 'words on standard error')


def wrong_settings_start_nothing(bench):
    server = bench.server(more='recipient-limt 100')
    done = subprocess.run([server.program, 'serve', '-c', server.conf], capture_output=True,
                          text=True, timeout=60, check=False)
    equal(done.returncode, 78, 'EX_CONFIG')
    true('recipient-limit' in done.stderr, 'the nearest word: ' + done.stderr)
    done = server.run('check', server.conf)
    equal(done.returncode, 78, 'EX_CONFIG of check')
    true(':9:1:' in done.stdout + done.stderr, 'line and column: ' + done.stdout + done.stderr)
    server.configure()
    equal(server.run('check', server.conf).returncode, 0, 'a good file')


def two_servers_on_one_spool(bench):
    first = bench.server().start()
    second = bench.server(folder=first.folder)
    second.process = subprocess.Popen([second.program, 'serve', '-c', second.conf],
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    status = second.process.wait(60)
    said = second.process.stderr.read().decode() + first.log()
    true(status != 0, f'refused, with words: {said}')
    second.process = None
    first.configure()
    take(first)
    first.wait_for_letters(1)


def a_taken_port_is_said(bench):
    first = bench.server().start()
    second = bench.server()
    second.port = first.port
    second.configure()
    done = subprocess.run([*second.system, second.program, 'serve', '-c', second.conf],
                          capture_output=True, text=True, timeout=60, check=False)
    true(done.returncode != 0 and str(first.port) in done.stderr, done.stderr)


def ends_cleanly(bench):
    for number in (signal.SIGTERM, signal.SIGINT):
        server = bench.server().start()
        with Client(server.port) as idle:
            equal(server.stop(number), 0, f'status after signal {number}')
            true(idle.file.readline().startswith(b'421 4.3.2'), 'open sessions are told 421')


def one_process(bench):
    server = bench.server(options=['--one-process']).start()
    equal(server.roles(), {}, 'processes below it')
    letter = take(server)
    server.wait_for_letters(1)
    wait_until(lambda: said_delivered(server, letter), 'trace')
    equal(server.stop(), 0, 'status')


def send_shows_the_dialogue(bench):
    server = bench.server().start()
    base = ['send', '--server', f'127.0.0.1:{server.port}', '--from', 'me@example.com']
    for count, options in enumerate([[], ['--bdat'], ['--pipeline'], ['--binarymime']], 1):
        done = server.run(*base, '--to', 'you@example.org', *options)
        equal(done.returncode, 0, done.stdout + done.stderr)
        true('EHLO' in done.stdout and '250' in done.stdout, 'the dialogue')
        server.wait_for_letters(count)
    done = server.run(*base, '--to', 'you@example.org', '--pipeline', '--bdat')
    equal(done.returncode, 0, done.stdout + done.stderr)
    server.wait_for_letters(5)
    equal(server.run(*base, '--to', 'nobody@example.org').returncode, 67, 'nobody of that name')


def store_check_and_export(bench):
    server = bench.server(more='deliver no').start()
    letter = take(server)
    true(server.run('store', 'check').returncode != 0, 'not while it runs')
    server.stop()
    done = server.run('store', 'check')
    equal(done.returncode, 0, done.stdout + done.stderr)
    done = server.run('store', 'export', letter)
    true('Subject: hello' in done.stdout, done.stdout + done.stderr)


def log_tells_a_session(bench):
    server = bench.server().start()
    with Client(server.port, hello='') as client:
        client.command('EHLO evil\x1b[2J', '501')
        client.command('EHLO client.example.com', '250')
        client.envelope('sender@example.com', ['you@example.org'])
        letter = id_of(client.bdat(TEXT))
    log = wait_until(lambda: letter in server.log() and server.log(), 'the letter in the log')
    for word in ('127.0.0.1', 'client.example.com', 'sender@example.com', 'you@example.org'):
        true(word in log, f'{word} in the log')
    true('\x1b' not in log, 'strangers\' octets are escaped')


def a_mailbox_that_cannot_be_written_waits(bench):
    server = bench.server(more='retry 1s').start()
    box = server.mailbox('later')
    with open(os.path.join(box, 'tmp'), 'w', encoding='utf-8') as file:
        file.write('in the way')
    letter = take(server, recipient='later@example.org')
    wait_until(lambda: letter in server.run('queue').stdout, 'it waits')
    os.unlink(os.path.join(box, 'tmp'))
    server.wait_for_letters(1, 'later')


def frame(*words):
    octets = b''.join(word + b'\0' for word in words)
    return struct.pack('<I', len(octets)) + octets


def ask(server, octets):
    """The answer to whatever octets on the control socket."""
    with dial(server) as client:
        client.sendall(octets)
        client.shutdown(socket.SHUT_WR)
        answer = b''
        while True:
            try:
                part = client.recv(65536)
            except ConnectionResetError:
                part = b''
            if not part:
                return answer
            answer += part


def dial(server):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(os.path.join(server.folder, 'control'))
    return client


def strangers_at_the_control_socket(bench):
    server = bench.server().start()
    idle = [dial(server) for _ in range(28)]
    for octets in (b'', b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x05\0\0', b'GET / HTTP/1.1\r\n\r\n',
                   frame(b'trace', b'../../etc/passwd'), frame(b'trace', b'a\n\x1b[2J'),
                   frame(b'nothing'), frame(*[b'x'] * 41), frame(b'queue') + b'more'):
        true(b'\x1b' not in ask(server, octets), f'an answer to {octets[:12]!r} is safe')
    with dial(server) as client:
        client.sendall(frame(b'queue'))     # and gone before the answer
    equal(server.run('queue').returncode, 0, 'others are answered, with 28 connections held open')
    idle += [dial(server) for _ in range(300)]
    done = server.run('queue')
    equal(done.returncode, 75, 'the 33rd of one user')
    true('Too many' in done.stderr, done.stderr)
    for client in idle:
        client.close()
    wait_until(lambda: server.run('queue').returncode == 0, 'an answer later')
    true(server.process.poll() is None, 'the server still runs')


def words_and_their_statuses(bench):
    server = bench.server().start()
    for words, want in ((['trace', 'A'], 64), (['trace'], 64), (['queue', 'x'], 64),
                        (['queue', '--yaml'], 64), (['trace', 'x' * 100000], 64),
                        (['queue', '--help'], 0), (['trace', '--help'], 0), (['store', 'x'], 64),
                        (['store', 'export'], 64), (['store', 'check'], 75)):
        done = server.run(*words)
        equal(done.returncode, want, ' '.join(words)[:40] + done.stderr)
    done = server.run('check', '--json', server.conf)
    equal((done.returncode, json.loads(done.stdout)['domains']), (0, ['example.org']), 'check')


def a_list_of_many_pages(bench):
    server = bench.server(more='deliver no').start()
    with smtplib.SMTP('127.0.0.1', server.port, timeout=60) as client:
        for number in range(1200):
            client.sendmail('ann@peer.example', ['you@example.org'], f'\r\n{number}\r\n')
    done = server.run('queue')
    true('\n1200 letters, 1200 recipients, ' in done.stdout, done.stdout[-200:] + done.stderr)
    rows = [json.loads(line) for line in server.run('queue', '--json').stdout.splitlines()]
    ids = [row['id'] for row in rows]
    equal((len(ids), ids), (1200, sorted(set(ids))), 'each letter once, in order')
    equal({row['state'] for row in rows}, {'new'}, 'state')


def what_waits_is_exported(bench):
    server = bench.server(more='deliver no').start()
    texts = [b'Subject: kept\r\n\r\n.dot\r\n' + b'x' * 998 + b'\r\n',
             b'Subject: large\r\n\r\n' + b'y' * 700000 + b'\r\n']
    file = os.path.join(server.folder, 'letter')
    for text, options in zip(texts, ([], ['--binarymime'])):
        with open(file, 'wb') as letter:
            letter.write(text if options else text.replace(b'\r\n', b'\n'))
        done = server.run('send', '--server', f'127.0.0.1:{server.port}', '--from',
                          'ann@peer.example', '--to', 'you@example.org', '--file', file, *options)
        equal(done.returncode, 0, done.stdout + done.stderr)
    ids = [json.loads(line)['id'] for line in server.run('queue', '--json').stdout.splitlines()]
    server.stop()
    kept = [json.loads(line) for line in server.run('queue', '--json').stdout.splitlines()]
    equal([(row['id'], row['recipients']) for row in kept],
          [(letter, ['you@example.org']) for letter in ids], 'both wait in the files too')
    out = os.path.join(server.folder, 'out')
    command = [server.program, 'store', 'export', '-c', server.conf, '--all', out]
    for want in (0, 73):        # no file is replaced
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        equal(done.returncode, want, 'export --all')
    for letter, text in zip(ids, texts):
        with open(f'{out}/{letter}.eml', 'rb') as exported:
            equal(exported.read(), text, 'the text as it was received')
        with open(f'{out}/{letter}.envelope', 'rb') as envelope:
            equal(json.load(envelope)['sender'], 'ann@peer.example', 'its envelope')
    equal(server.run('store', 'export', '0000000000001').returncode, 1, 'export of no letter')


def no_server_and_no_spool(bench):
    server = bench.server()
    os.rmdir(server.disk + '/spool')
    equal(server.run('queue').returncode, 69, 'told so')


if __name__ == '__main__':
    harness.main([
        both_families, any_address, trace_tells_the_journey, queue_shows_what_waits,
        a_stopped_server_can_be_asked, wrong_settings_start_nothing, two_servers_on_one_spool,
        a_taken_port_is_said, ends_cleanly, one_process, send_shows_the_dialogue,
        store_check_and_export, log_tells_a_session, a_mailbox_that_cannot_be_written_waits,
        strangers_at_the_control_socket, words_and_their_statuses, a_list_of_many_pages,
        what_waits_is_exported, no_server_and_no_spool])
