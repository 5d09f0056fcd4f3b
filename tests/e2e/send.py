#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern send, the client for testing servers: against our own, and against servers that record
each read, sign people in, lie, and say too much or nothing.

usage: send.py POSTERN PACKAGES [TEST...]
"""
import json
import os
import re
import socket
import subprocess
import threading

from harness import below_the_fields, equal, free_port, main, true
from nextsink import Session, Sink
from webserver import Authority

EXTENSIONS = ('PIPELINING', '8BITMIME', 'SMTPUTF8', 'CHUNKING', 'BINARYMIME', 'DSN')
BINARY = (b'Subject: all octets\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n'
          b'Content-Transfer-Encoding: binary\r\n\r\n' + bytes(range(256)) * 20
          + b'\r\n.\r\n\x00\n')


class Here:
    """Where a Sink listens: this machine."""
    name = 'here'

    def listen(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        return self.socket


def sink(**more):
    here = Here()
    made = Sink(here, **more)
    made.port = here.port
    return made


class Raw:
    """A server that answers each read with what `say(octets, n)` returns, octet for octet; None
    hangs up. `reads` is what came, read by read."""

    def __init__(self, say, greeting=b'220 raw\r\n', path=None):
        self.say, self.greeting, self.reads = say, greeting, []
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(path)
            self.socket.listen()
        else:
            self.socket = socket.create_server(('127.0.0.1', 0))
            self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        try:
            with client:
                client.sendall(self.greeting)
                while True:
                    octets = client.recv(1 << 20)
                    said = self.say(octets, len(self.reads)) if octets else None
                    self.reads.append(octets)
                    if said is None:
                        return
                    client.sendall(said)
        except OSError:
            pass


def run(bench, port, *words, given=None):
    """`port` of this machine, or what --server is given; '': none is."""
    where = ['--server', port if isinstance(port, str) else f'127.0.0.1:{port}'] if port else []
    done = subprocess.run([bench.program, 'send', *where, *words], input=given,
                          capture_output=True, timeout=60, check=False)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    true('\x1b' not in done.stdout + done.stderr, 'nothing raw on the terminal')
    return done


def sends(bench, port, *words, status=0, given=None):
    done = run(bench, port, *words, given=given)
    equal(done.returncode, status, done.stdout + done.stderr)
    return done.stdout


def file_of(bench, octets):
    path = os.path.join(bench.folder(), 'letter')
    with open(path, 'wb') as file:
        file.write(octets)
    return path


# ---- our own server

def each_step_has_its_time(bench):
    server = bench.server().start()
    said = sends(bench, server.port, '--from', 'a@example.com', '--to', 'you@example.org',
                 '--subject', 'timed')
    for line in said.split('\n\n')[0].splitlines():
        true(re.match(r'( {2}\d| \d\d|\d{3})\.\d{3}.{8}  (S:| \*) ', line)
             or re.match(r'( {2}\d| \d\d|\d{3})\.\d{3} {10}C: ', line)
             or re.match(r' {17}(S: |C: | \* | {3})', line), f'a line of the transcript: {line!r}')
    true('taken\n      250 2.0.0 Ok, on disk as ' in said, said)
    letter, = server.wait_for_letters(1).values()
    true(b'\nSubject: timed\n' in letter, letter)


def a_binary_letter_in_chunks_arrives_whole(bench):
    server = bench.server().start()
    path = file_of(bench, BINARY)
    for number, more in enumerate((['--bdat', '1000'], ['--bdat', '1000', '--pipeline'],
                                   ['--bdat=1'], []), 1):
        letter = BINARY if '--bdat=1' not in more else BINARY[-300:]
        path = file_of(bench, letter)
        said = sends(bench, server.port, '--to', 'you@example.org', '--binarymime', '--file', path,
                     *more)
        true('BODY=BINARYMIME' in said, said)
        if '1000' in more:
            equal(said.count('C: BDAT 1000\n'), len(letter) // 1000, 'whole chunks')
        found = server.wait_for_letters(number)
        true(any(below_the_fields(octets) == letter for octets in found.values()),
             f'octet for octet with {more}')


def an_address_in_utf8(bench):
    server = bench.server()
    server.mailbox('%C3%BCser')
    server.start()
    said = sends(bench, server.port, '--from', 'é@example.com', '--to', 'üser@example.org')
    true('C: MAIL FROM:<é@example.com> ' in said and ' SMTPUTF8\n' in said, said)
    server.wait_for_letters(1, '%C3%BCser')


def a_refusal_is_explained(bench):
    server = bench.server().start()
    base = [server.port, '--from', 'a@example.com', '--to', 'nobody@example.org']
    said = sends(bench, *base, status=67)
    true('Address not found: there is no such mailbox. You can put' in said, said)
    said = json.loads(sends(bench, *base, '--to', 'you@example.org', '--json', status=67))
    equal([(one['address'], one['outcome']) for one in said['recipients']],
          [('nobody@example.org', 'refused'), ('you@example.org', 'taken')], 'recipients')
    equal(said['recipients'][0]['who_must_act'], 'You can put this right yourself.', 'who')
    equal(said['exit'], 67, 'status')
    true(any('took_us' in step for step in said['steps'] if step['who'] == 'server'), 'times')
    server.wait_for_letters(1)
    said = sends(bench, server.port, '--quit-after', 'rcpt', '--to', 'you@example.org')
    true('would be taken' in said and 'DATA' not in said, said)
    equal(len(server.letters()), 1, 'letters')


# ---- TLS

def what_tls_proves_is_told(bench):
    authority = Authority(bench.folder())
    good = sink(tls=authority.issue('mx.here.lab', '*.other.lab'), extensions=EXTENSIONS)
    old = sink(tls=authority.issue('mx.here.lab', expired=True))
    believe = ['--to', 'a@b', '--ca-file', authority.file]
    said = sends(bench, good.port, *believe, '--name', 'mx.here.lab', '--verify')
    for words in ('TLS version=TLSv1.3 cipher=TLS_', ' bits=256', 'mx.here.lab, *.other.lab',
                  'issued by', 'CN = Lab Authority', 'valid from 20', 'vouches for mx.here.lab',
                  'inside TLS'):
        true(words in re.sub(r'\n {20}', ' ', said), f'{words}: {said}')
    equal((good.letters[0].enciphered, good.letters[0].sni), (True, 'mx.here.lab'), 'the session')
    for server, name, words in ((good, 'mx.not.lab', 'hostname mismatch'),
                                (old, 'mx.here.lab', 'certificate has expired')):
        said = sends(bench, server.port, *believe, '--name', name, '--verify', status=77)
        true(words in said, said)
        said = json.loads(sends(bench, server.port, *believe, '--name', name, '--json'))
        tls, = [step['tls'] for step in said['steps'] if 'tls' in step]
        true(words in tls['verdict'] and not tls['verified'], tls)
    equal(len(good.letters), 2, 'letters to who proved nothing, where nobody asked for it')


def from_the_first_octet(bench):
    """Implicit TLS, with the certificate that our server made for itself; REQUIRETLS within."""
    server, port = bench.server(), free_port()
    server.configure(listen=f'listen 127.0.0.1:{server.port} 127.0.0.1:{port} tls')
    server.start()
    base = ['--to', 'you@example.org', '--tls', 'implicit']
    said = sends(bench, port, *base, '--requiretls')
    true(' REQUIRETLS\n' in said and 'not verified: self-signed certificate' in said, said)
    true(said.index('TLS version=') < said.index('S: 220 '), 'TLS first')
    said = sends(bench, port, *base, '--name', 'mx.example.org', '--verify', status=77)
    true('unknown_ca' in said, said)
    said = sends(bench, port, *base, '--verify', status=77)
    true('an address has no name to prove' in said, said)
    said = sends(bench, server.port, *base, status=76)      # there a greeting comes
    true('TLS failed' in said, said)
    server.wait_for_letters(1)


def requiretls_stays_here_where_it_is_not_offered(bench):
    pair = Authority(bench.folder()).issue('mx.here.lab')
    for server in (sink(), sink(tls=pair)):
        said = sends(bench, server.port, '--to', 'a@b', '--requiretls', status=69)
        true('does not offer REQUIRETLS' in re.sub(r'\s+', ' ', said), said)
        equal([line for one in server.sessions for line in one.lines if line.startswith('MAIL')],
              [], 'MAIL was said')
        said = sends(bench, server.port, '--to', 'a@b', '--requiretls', '--force')
        true('MAIL FROM' in said and 'REQUIRETLS' in said, said)


def clear_text_behind_starttls_is_refused(bench):
    evil = Raw(lambda octets, n: b'250-x\r\n250 STARTTLS\r\n' if octets.startswith(b'EHLO')
               else b'220 go\r\n250 2.0.0 yours truly\r\n')
    said = sends(bench, evil.port, '--to', 'a@b', status=76)
    true('spoke in clear behind' in re.sub(r'\s+', ' ', said), said)


# ---- order

def pipelined_is_one_flight_and_else_lock_step(bench):
    path = file_of(bench, b'Subject: x\n\n.dot\n')
    for words, flight in ((['--bdat'], b'BDAT'), ([], b'DATA')):
        for ahead in (False, True):
            raw = Raw(lambda octets, n: b''.join(
                b'250-raw\r\n250-PIPELINING\r\n250 CHUNKING\r\n' if line.startswith(b'EHLO') else
                b'354 go\r\n' if line == b'DATA' else b'221 bye\r\n' if line == b'QUIT' else
                b'250 2.0.0 ok\r\n' for line in octets.split(b'\r\n')
                if re.match(rb'EHLO|MAIL|RCPT|DATA$|BDAT|\.$|QUIT', line)))
            sends(bench, raw.port, '--to', 'a@b', '--to', 'c@b', '--file', path, *words,
                  *(['--pipeline'] if ahead else []))
            reads = [re.findall(rb'^(EHLO|MAIL|RCPT|DATA|BDAT|QUIT)', read, re.M)
                     for read in raw.reads if read]
            envelope = [b'MAIL', b'RCPT', b'RCPT', flight]
            want = [envelope] if ahead else [[verb] for verb in envelope]
            equal([read for read in reads if read and read[0] not in (b'EHLO', b'QUIT')], want,
                  f'reads with {words}, ahead: {ahead}')


def any_order_by_script(bench):
    server = bench.server().start()
    script = (b'expect 220\nsay MAIL FROM:<a@b.example>\nexpect 503 501\nsay EHLO me.example\n'
              b'say MAIL FROM:<a@b.example>\nsay RCPT TO:<you@example.org>\nsay DATA\nexpect 250\n'
              b'expect 250\nexpect 250\nexpect 354\nletter\nexpect 250\nsay NOOP\nexpect 2xx\n'
              b'octets QU\\x49T\\r\\n\nexpect 221\nexpect close\n')
    said = sends(bench, server.port, '--script', '-', given=script)
    true('the connection is gone, as expected' in said, said)
    server.wait_for_letters(1)
    # the end of a text that is none (smuggling): nothing behind it is a command
    script = (b'expect 220\nsay EHLO me.example\nexpect 250\nsay MAIL FROM:<>\nexpect 250\n'
              b'say RCPT TO:<you@example.org>\nexpect 250\nsay DATA\nexpect 354\n'
              b'octets x\\n.\\r\\nMAIL FROM:<evil@b.example>\\r\\n.\\r\\n\nexpect 5xx 4xx\n')
    sends(bench, server.port, '--script', '-', given=script)
    said = sends(bench, server.port, '--script', '-', given=b'expect 554\n', status=76)
    true('line 1 of the script expected 554' in said, said)
    done = run(bench, server.port, '--script', '-', given=b'expect 220\nhello\n')
    true(done.returncode == 64 and 'line 2' in done.stderr, done.stderr)


def raw_commands_and_parameters(bench):
    server = sink(extensions=EXTENSIONS)
    said = sends(bench, server.port, '--raw', 'VRFY a', '--raw', 'HELP', status=69)
    true(said.count('S: 500 5.5.1 not known here') == 2, said)
    sends(bench, server.port, '--to', 'a@b', '--from', '', '--mail-param', 'X=1', '--rcpt-param',
          'Y=2', '--ret', 'hdrs', '--envid', 'a+b', '--notify', 'success,failure', '--orcpt',
          'c@d', '--8bitmime')
    equal([line for line in server.sessions[-1].lines if ' FROM:' in line or ' TO:' in line],
          ['MAIL FROM:<> BODY=8BITMIME RET=HDRS ENVID=a+2Bb X=1',
           'RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@d Y=2'], 'said')


def lmtp_by_a_unix_socket(bench):
    path = os.path.join(bench.folder(), 'lmtp')

    def say(octets, _):
        if octets.endswith(b'.\r\n'):
            return b'250 2.1.5 kept\r\n552 5.2.2 mailbox is full\r\n'
        return (b'250 lmtp\r\n' if octets.startswith(b'LHLO') else b'354 go\r\n'
                if octets.startswith(b'DATA') else b'221 bye\r\n' if octets.startswith(b'QUIT')
                else b'250 ok\r\n')
    Raw(say, path=path)
    said = sends(bench, f'unix:{path}', '--lmtp', '--to', 'a@b', '--to', 'c@b', status=69)
    true('a@b: taken\n      250 2.1.5 kept' in said, said)
    true('c@b: refused\n      552 5.2.2' in said and "recipient's mailbox is full" in said, said)


# ---- secrets

class SignsIn(Session):
    def auth(self, line):
        if line.upper().startswith('AUTH LOGIN'):
            for word in ('VXNlcm5hbWU6', 'UGFzc3dvcmQ6'):
                self.say('334 ' + word)
                line += ' ' + self.file.readline().decode().strip()
        self.sink.tried.append(line)
        self.say('535 5.7.8 not ' + line)
        return True


def no_password_is_shown(bench):
    folder = bench.folder()
    with open(os.path.join(folder, 'password'), 'w', encoding='ascii') as file:
        file.write('hunter2secret\n')
    Session.verbs['AUTH'] = SignsIn.auth
    authority = Authority(folder)
    server = sink(extensions=('AUTH PLAIN LOGIN',), tls=authority.issue('mx.here.lab'))
    server.tried = []
    base = [server.port, '--to', 'a@b', '--auth', 'me', '--password-file',
            os.path.join(folder, 'password'), '--ca-file', authority.file, '--name', 'mx.here.lab']
    coded = 'AG1lAGh1bnRlcjJzZWNyZXQ='
    for words in (['--auth-with', 'plain'], ['--auth-with', 'LOGIN'], ['--json']):
        said = sends(bench, *base, *words, status=77)
        true('***' in said and 'welcome' not in said, said)
        for secret in ('hunter2secret', 'aHVudGVyMnNlY3JldA==', coded):
            true(secret not in said, f'{secret} is shown')
    equal(server.tried, [f'AUTH PLAIN {coded}', 'AUTH LOGIN bWU= aHVudGVyMnNlY3JldA==',
                         f'AUTH PLAIN {coded}'], 'what was said')


# ---- servers that mean no good

def a_hostile_server_is_borne(bench):
    evil = '\x1b]0;owned\x07\x1b[2J\u202e'.encode()
    rows = [
        (b'220 ' + evil + b'\r\n', lambda octets, n: b'250-' + evil + b'\r\n250 x\r\n' if n == 0
         else b'550 5.7.1 ' + evil + b'\r\n', 69, '\\x1b]0;owned\\x07'),
        (b'220 ' + b'x' * 100000, lambda octets, n: b'', 76, 'does not end'),
        (b'220-a\r\n' * 10000, lambda octets, n: b'', 76, 'no reply'),
        (b'HTTP/1.1 400 Bad\r\n\r\n', lambda octets, n: b'', 76, 'no reply'),
        (b'', lambda octets, n: b'', 75, 'no answer in 1 s'),
        (b'220 hi\r\n', lambda octets, n: b'250 x\r\n' if n == 0 else b'', 75, 'no answer in 1 s'),
        (b'220 hi\r\n', lambda octets, n: b'421 4.3.2 going down\r\n' if n == 0 else None, 75,
         '421 4.3.2 going down'),
        (b'220 hi\r\n', lambda octets, n: None, 75, 'the server closed the connection'),
        (b'554 5.7.1 never you\r\n', lambda octets, n: None, 69, 'a@b: refused'),
    ]
    for greeting, say, status, words in rows:
        raw = Raw(say, greeting)
        said = sends(bench, raw.port, '--to', 'a@b', '--timeout', '1', status=status)
        true(words in re.sub(r'\n {20}', ' ', said), f'{words}: {said[-2000:]}')
        true(len(said) < 20000, 'bounded')


def a_lost_answer_is_told(bench):
    server = sink(tells={'.': lambda session, line: 'lost'})
    said = sends(bench, server.port, '--to', 'a@b', status=75)
    true('whether the letter was taken nobody can tell' in re.sub(r'\s+', ' ', said), said)


def who_is_not_there(bench):
    with socket.create_server(('127.0.0.1', 0)) as closed:
        port = closed.getsockname()[1]
    said = sends(bench, port, '--to', 'a@b', status=75)
    true('Connection refused' in said, said)
    said = sends(bench, 'nosuch.invalid', '--to', 'a@b', status=68)
    true('nosuch.invalid' in said, said)


if __name__ == '__main__':
    main([each_step_has_its_time, a_binary_letter_in_chunks_arrives_whole, an_address_in_utf8,
          a_refusal_is_explained, what_tls_proves_is_told, from_the_first_octet,
          requiretls_stays_here_where_it_is_not_offered, clear_text_behind_starttls_is_refused,
          pipelined_is_one_flight_and_else_lock_step, any_order_by_script,
          raw_commands_and_parameters, lmtp_by_a_unix_socket, no_password_is_shown,
          a_hostile_server_is_borne, a_lost_answer_is_told, who_is_not_there])
