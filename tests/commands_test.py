#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The commands beside the server, as a person uses them: while it runs, and after it ended.

usage: commands_test.py POSTERN      TAP on standard output
"""
import json
import os
import shutil
import signal
import smtplib
import socket
import struct
import subprocess
import sys
import tempfile
import time

POSTERN = os.path.abspath(sys.argv[1])
WAIT = 20.0         # seconds; far more than anything here takes
checks = []


def check(well, name, seen=''):
    checks.append(well)
    print(f'{"ok" if well else "not ok"} {len(checks)} - {name}')
    if not well:
        print('# ' + str(seen).replace('\n', '\n# '))


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.conf, self.control = folder + '/postern.conf', folder + '/control'
        os.makedirs(folder + '/mail/example.org/bob')
        with open(self.conf, 'w', encoding='utf-8') as conf:
            conf.write('host mx.example.org\ndomain example.org\nmailboxes mail\nspool spool\n'
                       'users no\n'
                       f'control control\nlisten 127.0.0.1:{self.port}\nspace-reserve 0\n'
                       'segment-size 1M\nlog log\n')

    def run(self, *words, text=None):
        """One command to its end: (status, output, errors)."""
        words = list(words[:1]) + (['-c', self.conf] if words[0] not in ('send', 'check') else []) \
            + list(words[1:])
        if words[0] == 'store':
            words = ['store', words[3]] + words[1:3] + words[4:]
        done = subprocess.run([POSTERN] + words, input=text, capture_output=True, timeout=WAIT,
                              check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def start(self):
        self.process = subprocess.Popen([POSTERN, 'serve', '--one-process', '-c', self.conf])
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            status, out, _ = self.run('status', '--json')
            if status == 0 and json.loads(out)['state'] == 'open':
                return True
            time.sleep(0.05)
        return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT)

    def dial(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(WAIT)
        client.connect(self.control)
        return client


def frame(*words):
    octets = b''.join(word + b'\0' for word in words)
    return struct.pack('<I', len(octets)) + octets


def read_all(client):
    octets = b''
    while True:
        try:
            part = client.recv(65536)
        except ConnectionResetError:
            part = b''
        if not part:
            return octets
        octets += part


def send(server, *words):
    return server.run('send', '--server', f'127.0.0.1:{server.port}', '--from', 'ann@peer.example',
                      '--to', 'bob@example.org', *words)


def wait_for(what):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        seen = what()
        if seen:
            return seen
        time.sleep(0.05)
    return None


def delivered(server):
    status, out, _ = server.run('trace', '--json', 'bob@example.org')
    events = [json.loads(line) for line in out.splitlines()]
    return events if any(event['event'] == 'delivered' for event in events) else None


def check_journey(server):
    for words in ([], ['--bdat'], ['--pipeline'], ['--pipeline', '--bdat'], ['--binarymime']):
        status, out, err = send(server, *words)
        check(status == 0, f'send {" ".join(words)}', out + err)
    events = wait_for(lambda: delivered(server))
    check(events is not None, 'trace by address tells of a delivery')
    if events is None:
        return
    first = events[0]
    check(first['event'] == 'accepted' and first['sender'] == 'ann@peer.example'
          and first['recipients'] == ['bob@example.org'] and first['peer'] == '127.0.0.1',
          'the story begins with who sent it', first)
    for name, word in (('id', first['id']), ('id in lower case', first['id'].lower()),
                       ('Message-ID', first['message_id']),
                       ('Message-ID in brackets', '<' + first['message_id'] + '>')):
        status, out, err = server.run('trace', '--json', word)
        ids = {json.loads(line)['id'] for line in out.splitlines()}
        check(status == 0 and ids == {first['id']}, 'trace by ' + name, out + err)
    status, out, err = server.run('trace', first['id'])
    check(status == 0 and 'delivered to <bob@example.org>' in out
          and 'Now: 1 recipient: in the mailbox.' in out, 'trace in words', out + err)
    check(server.run('trace', '0000000000001')[0] == 1, 'trace of no letter ends with 1')


def check_queue(server):
    empty = wait_for(lambda: server.run('queue')[1] == 'The queue is empty.\n')
    check(empty is True, 'the queue is empty in the end')


def check_hostile(server):
    idle = [server.dial() for _ in range(28)]
    for octets in (b'', b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x05\0\0', b'GET / HTTP/1.1\r\n\r\n',
                   frame(b'trace', b'../../etc/passwd'), frame(b'trace', b'a\n\x1b[2J'),
                   frame(b'nothing'), frame(*[b'x'] * 17), frame(b'queue') + b'more'):
        with server.dial() as client:
            client.sendall(octets)
            client.shutdown(socket.SHUT_WR)
            answer = read_all(client)
        check(b'\x1b' not in answer, f'an answer to {octets[:12]!r} is safe', answer)
    with server.dial() as client:
        client.sendall(frame(b'queue'))     # and gone before the answer
    check(server.run('queue')[0] == 0, 'others are answered, with 28 connections held open')
    idle += [server.dial() for _ in range(300)]
    status, _, err = server.run('queue')
    check(status == 75 and 'Too many' in err, 'the 33rd of one user is told to come again', err)
    for client in idle:
        client.close()
    check(wait_for(lambda: server.run('queue')[0] == 0) is True, 'and is answered later')
    check(server.process.poll() is None, 'the server still runs')


def check_words(server):
    for words, want in ((['trace', 'A'], 64), (['trace'], 64), (['queue', 'x'], 64),
                        (['queue', '--yaml'], 64), (['trace', 'x' * 100000], 64),
                        (['queue', '--help'], 0), (['trace', '--help'], 0), (['store', 'x'], 64),
                        (['store', 'export'], 64)):
        status, _, err = server.run(*words)
        check(status == want, ' '.join(words)[:40] + f' ends with {want}', err)
    check(server.run('store', 'check')[0] == 75, 'store check refuses while a server runs')
    status, out, _ = server.run('check', server.conf)
    check(status == 0 and ': well.' in out, 'check', out)
    status, out, _ = server.run('check', '--json', server.conf)
    check(status == 0 and json.loads(out)['domains'] == ['example.org'], 'check --json', out)


def check_without_server(server, want):
    status, out, err = server.run('trace', '--json', 'bob@example.org')
    kinds = [json.loads(line)['event'] for line in out.splitlines()]
    check(status == 0 and kinds.count('delivered') == want, 'trace from the files alone', out + err)
    status, out, err = server.run('queue')
    check(status == 0 and out == 'The queue is empty.\n', 'queue from the files alone', out + err)
    check(server.run('status')[0] == 69, 'status wants a server')
    status, out, err = server.run('store', 'check')
    check(status == 0 and 'No damage.' in out, 'store check', out + err)


def check_many(server):
    """One session of many letters, and a list of many pages."""
    with smtplib.SMTP('127.0.0.1', server.port, timeout=WAIT) as client:
        for number in range(1200):
            client.sendmail('ann@peer.example', ['bob@example.org'], f'\r\n{number}\r\n')
    status, out, err = server.run('queue')
    check(status == 0 and out.endswith('1202 letters, 1202 recipients, 692.9 KiB.\n'),
          'a list of many pages', out[-200:] + err)
    status, out, err = server.run('queue', '--json')
    ids = [json.loads(line)['id'] for line in out.splitlines()]
    check(len(ids) == 1202 and ids == sorted(set(ids)), 'each letter once, in order', err)


def check_kept(server):
    """Letters that wait, since nothing is delivered: listed and exported, with and without a
       server."""
    with open(server.conf, 'a', encoding='utf-8') as conf:
        conf.write('deliver no\n')
    check(server.start(), 'it starts again')
    letter = server.folder + '/letter'
    with open(letter, 'wb') as file:
        file.write(b'Subject: kept\n\n.dot\n' + b'x' * 998 + b'\n')
    check(send(server, '--file', letter)[0] == 0, 'send a file')
    large = b'Subject: large\r\n\r\n' + b'y' * 700000 + b'\r\n'
    with open(letter, 'wb') as file:
        file.write(large)
    check(send(server, '--file', letter, '--binarymime')[0] == 0, 'send a large one')
    status, out, _ = server.run('queue', '--json')
    rows = [json.loads(line) for line in out.splitlines()]
    check(status == 0 and [row['state'] for row in rows] == ['new', 'new'], 'both wait', out)
    check('2 letters, 2 recipients' in server.run('queue')[1], 'the totals')
    check_many(server)
    server.stop()
    status, out, err = server.run('queue', '--json')
    kept = [json.loads(line) for line in out.splitlines()]
    check(status == 0 and [row['id'] for row in kept[:2]] == [row['id'] for row in rows]
          and kept[0]['recipients'] == ['bob@example.org'], 'both wait in the files too', out + err)
    status, out, err = server.run('store', 'export', '--all', server.folder + '/out')
    check(status == 0, 'export all', out + err)
    texts = {}
    for row in rows:
        with open(f'{server.folder}/out/{row["id"]}.eml', 'rb') as file:
            texts[row['id']] = file.read()
        with open(f'{server.folder}/out/{row["id"]}.envelope', 'rb') as file:
            check(json.load(file)['sender'] == 'ann@peer.example', 'its envelope')
    check(texts[rows[0]['id']] == b'Subject: kept\r\n\r\n.dot\r\n' + b'x' * 998 + b'\r\n',
          'the small text is as it was received')
    check(texts[rows[1]['id']] == large, 'the large text too')
    status, out, err = server.run('store', 'export', rows[0]['id'])
    check(status == 0 and out.encode() == texts[rows[0]['id']], 'export one', err)
    check(server.run('store', 'export', '--all', server.folder + '/out')[0] == 73,
          'no file is replaced')
    check(server.run('store', 'export', '0000000000001')[0] == 1, 'export of no letter ends with 1')


def main():
    folder = tempfile.mkdtemp(prefix='postern-commands-')
    server = Server(folder)
    try:
        check(server.run('queue')[0] == 69, 'no server and no spool: told so')
        check(server.start(), 'the server starts')
        check_journey(server)
        check_queue(server)
        check_words(server)
        check_hostile(server)
        check(server.stop() == 0, 'the server ends cleanly')
        check_without_server(server, 5)
        check_kept(server)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
        shutil.rmtree(folder)
    print(f'1..{len(checks)}')
    sys.exit(0 if all(checks) else 1)


main()
