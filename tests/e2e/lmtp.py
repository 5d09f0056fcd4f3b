#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Mailboxes kept by an LMTP server: Dovecot, and one of our own that lies, stalls and dies."""
import os
import pwd
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import Client, Refused, Skip, equal, free_port, true, wait_until

SENDER = 'sender@example.com'
HEAD = b'From: <sender@example.com>\r\nTo: <you@example.org>\r\nSubject: by LMTP\r\n\r\n'
CONF = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = lmtp
ssl = no
first_valid_uid = 1
mail_location = maildir:{folder}/boxes/%n
mail_plugins = quota
recipient_delimiter = +
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
plugin {{
  quota = maildir:User quota
  quota_grace = 0
}}
quota_full_tempfail = yes
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""


class Dovecot:
    """An instance with its own settings and folders; stopped after the test like a server."""

    def __init__(self, folder):
        if os.geteuid() != 0:
            raise Skip('Dovecot needs root')
        if not os.path.exists('/usr/lib/dovecot/lmtp'):
            raise Skip('dovecot-lmtpd is not installed')
        self.folder, self.port, self.process = folder, free_port(), None
        owner = pwd.getpwnam('mail')
        for name in ('run', 'state', 'boxes'):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        os.chown(os.path.join(folder, 'boxes'), owner.pw_uid, owner.pw_gid)
        with open(os.path.join(folder, 'users'), 'w', encoding='ascii') as users:
            for name, more in (('you', ''), ('me', ''), ('full', 'userdb_quota_rule=*:bytes=200')):
                users.write(f'{name}@example.org::{owner.pw_uid}:{owner.pw_gid}::'
                            f'{folder}/boxes/{name}::{more}\n')
        with open(os.path.join(folder, 'conf'), 'w', encoding='ascii') as conf:
            conf.write(CONF.format(folder=folder, port=self.port))

    def start(self):
        command = ['dovecot', '-F', '-c', os.path.join(self.folder, 'conf')]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(self.answers, 'Dovecot to answer')
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError('dovecot: ' + self.process.stderr.read().decode())
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(os.path.join(self.folder, 'lmtp'))
                return client.recv(4) == b'220 '
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(number)
            self.process.wait(30)
            self.process.stderr.close()
        self.process = None

    def letters(self, name='you'):
        place = os.path.join(self.folder, 'boxes', name, 'new')
        found = []
        for file in sorted(os.listdir(place)) if os.path.isdir(place) else []:
            with open(os.path.join(place, file), 'rb') as letter:
                found.append(letter.read())
        return found

    def server(self, bench, more='', tcp=False):
        """A server of ours whose mailboxes are this one's."""
        place = f'127.0.0.1:{self.port}' if tcp else f'unix:{self.folder}/lmtp'
        return bench.server(more=f'lmtp {place}\n{more}').start()


def dovecot(bench):
    peer = Dovecot(bench.folder())
    bench.running.append(peer)
    return peer.start()


def send(server, recipients, text, parameters=''):
    with Client(server.port) as client:
        client.envelope(SENDER, recipients, parameters)
        return client.data(text)


def queued(server):
    return server.run('queue').stdout


def body_of(octets):
    return octets.replace(b'\r\n', b'\n').split(b'\n\n', 1)[1]


def dovecot_gets_letters_by_socket_and_tcp(bench):
    peer = dovecot(bench)
    for tcp in (False, True):
        server = peer.server(bench, tcp=tcp)
        before = peer.letters()
        texts = [b'one\r\n', b'.\r\n..\r\n.x\r\n', b'y' * 900 + b'\r\n', b'z\r\n' * 500000]
        for text in texts:
            send(server, ['you@example.org'], HEAD + text)
        wait_until(lambda: len(peer.letters()) == len(before) + len(texts), 'all letters')
        # The names of its files are in no order: a new one may stand before an old one.
        bodies = sorted(body_of(letter) for letter in peer.letters() if letter not in before)
        equal([len(body) for body in bodies],
              sorted_lengths(texts), 'the bodies arrive whole')
        wait_until(lambda: server.run('status').returncode == 0 and 'by LMTP' not in queued(server),
                   'an empty queue')
        server.stop()


def sorted_lengths(texts):
    return [len(text) for text in sorted(text.replace(b'\r\n', b'\n') for text in texts)]


def unknown_users_are_refused_at_rcpt(bench):
    server = dovecot(bench).server(bench)
    with Client(server.port) as client:
        client.command(f'MAIL FROM:<{SENDER}>', '250')
        client.command('RCPT TO:<you@example.org>', '250')
        client.command('RCPT TO:<you+detail@example.org>', '250')
        try:
            client.command('RCPT TO:<nobody@example.org>', '250')
            raise AssertionError('an unknown user was taken')
        except Refused as refused:
            true(str(refused).startswith('550 5.1.1'), str(refused))


def a_full_mailbox_waits(bench):
    peer = dovecot(bench)
    server = peer.server(bench, 'retry 1s')
    send(server, ['full@example.org', 'you@example.org'], HEAD + b'x' * 900 + b'\r\n')
    wait_until(lambda: len(peer.letters()) == 1, 'the letter of the other')
    wait_until(lambda: 'code=4.2.2' in server.log(), '4.2.2 in the log')
    true('full@example.org' in queued(server), 'it waits in the queue')
    users = os.path.join(peer.folder, 'users')
    with open(users, encoding='ascii') as file:
        text = file.read()
    with open(users, 'w', encoding='ascii') as file:
        file.write(text.replace('bytes=200', 'bytes=1000000'))
    wait_until(lambda: len(peer.letters('full')) == 1, 'the letter after room was made')


def a_dead_server_is_waited_for(bench):
    peer = dovecot(bench)
    server = peer.server(bench, 'retry 1s')
    send(server, ['you@example.org'], HEAD + b'before\r\n')
    wait_until(lambda: len(peer.letters()) == 1, 'the first letter')
    peer.stop()
    for number in range(5):
        send(server, ['you@example.org'], HEAD + b'while dead %d\r\n' % number)
    wait_until(lambda: 'server-unreachable' in server.log(), 'a word about it')
    equal(len(peer.letters()), 1, 'nothing arrives')
    peer.start()
    wait_until(lambda: len(peer.letters()) == 6, 'all letters', 90)


def killed_in_the_middle_nothing_is_lost(bench):
    peer = dovecot(bench)
    server = peer.server(bench, 'retry 1s')
    stop = threading.Event()

    def kill_often():
        while not stop.wait(0.3):
            for pid in lmtp_pids(peer):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    killer = threading.Thread(target=kill_often)
    killer.start()
    try:
        for number in range(40):
            send(server, ['you@example.org'], HEAD + b'number %03d\r\n' % number + b'w\r\n' * 20000)
    finally:
        stop.set()
        killer.join()
    wanted = {b'number %03d' % number for number in range(40)}
    wait_until(lambda: {body_of(letter)[:10] for letter in peer.letters()} >= wanted,
               'every letter', 120)
    windows = server.log().count('window=yes')
    true(len(peer.letters()) <= 40 + windows, f'{len(peer.letters())} letters, {windows} windows')


def lmtp_pids(peer):
    """The delivering processes below that Dovecot."""
    with open(f'/proc/{peer.process.pid}/task/{peer.process.pid}/children',
              encoding='ascii') as children:
        pids = [int(word) for word in children.read().split()]
    return [pid for pid in pids if name_of(pid) == 'lmtp']


def name_of(pid):
    try:
        with open(f'/proc/{pid}/comm', encoding='ascii') as comm:
            return comm.read().strip()
    except OSError:
        return ''


def what_it_cannot_take_fails(bench):
    peer = dovecot(bench)
    server = peer.server(bench)
    with Client(server.port) as client:
        client.envelope(SENDER, ['you@example.org'], ' SMTPUTF8')
        client.data(HEAD + b'utf-8\r\n')
    wait_until(lambda: 'code=5.6.7' in server.log(), '5.6.7 in the log')
    with Client(server.port) as client:
        client.envelope(SENDER, ['you@example.org'], ' BODY=BINARYMIME')
        client.bdat(HEAD + bytes(range(256)))
    wait_until(lambda: 'code=5.6.3' in server.log(), '5.6.3 in the log')
    equal(peer.letters(), [], 'nothing of them arrives')


def aliases_lead_to_many(bench):
    peer = dovecot(bench)
    folder = bench.folder()
    with open(os.path.join(folder, 'aliases'), 'w', encoding='ascii') as file:
        file.write('team: you, me,\n  away@elsewhere.example\nround: about\nabout: round\n')
    server = peer.server(bench, f'aliases {folder}/aliases\npostmaster me@example.org\n'
                         f'route elsewhere.example=127.0.0.1:{free_port()}')
    send(server, ['team@example.org', 'you@example.org'], HEAD + b'all\r\n')
    send(server, ['abuse@example.org'], HEAD + b'complaint\r\n')
    wait_until(lambda: len(peer.letters()) == 1 and len(peer.letters('me')) == 2, 'the letters')
    wait_until(lambda: 'nobody answers there' in queued(server), 'the forward waits')
    true('away@elsewhere.example' in queued(server), 'it is seen in the queue')
    try:
        send(server, ['round@example.org'], HEAD)
        raise AssertionError('a loop was taken')
    except Refused as refused:
        true('5.4.6' in str(refused), str(refused))


def try_to_send(server, text):
    """The server may not find out whether the mailbox is there."""
    try:
        return send(server, ['you@example.org'], text)
    except Refused as refused:
        true(str(refused).startswith('451 4.3.0'), str(refused))
        return ''


class Liar:
    """An LMTP server that says what it is told and is cut off where it is told."""

    def __init__(self, folder, cut):
        self.path, self.cut, self.taken = os.path.join(folder, 'liar'), cut, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(16)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.speak, args=(client,), daemon=True).start()

    def speak(self, client):
        said = 0
        cut = self.cut()

        def say(text):
            nonlocal said
            left = len(text) if cut is None else max(0, cut - said)
            client.sendall(text[:left].encode())
            said += len(text)
            if cut is not None and said >= cut:
                raise ConnectionError
        try:
            with client, client.makefile('rb') as file:
                say('220 liar\r\n')
                while line := file.readline():
                    verb = line[:4].upper()
                    if verb == b'LHLO':
                        say('250-liar\r\n250-PIPELINING\r\n250 8BITMIME\r\n')
                    elif verb == b'DATA':
                        say('354 go\r\n')
                        text = b''
                        while (line := file.readline()) != b'.\r\n':
                            if not line:
                                return
                            text += line
                        self.taken.append(text)
                        say('250 2.0.0 taken\r\n')
                    else:
                        say('250 2.0.0 well\r\n')
        except OSError:
            return

    def stop(self):
        self.listener.close()


def a_server_that_dies_at_every_octet_loses_nothing(bench):
    """LDA-012: exactly once, or again only where the answer to the end was cut."""
    begun = len('220 liar\r\n250-liar\r\n250-PIPELINING\r\n250 8BITMIME\r\n')
    cuts = iter([3, *range(begun, begun + 90)])     # after the greeting a server rests longer
    liar = Liar(bench.folder(), lambda: next(cuts, None))
    bench.running.append(liar)
    server = bench.server(more=f'lmtp unix:{liar.path}\nretry 1s\njobs 1\n').start()
    count = 6
    for number in range(count):
        wait_until(lambda n=number: try_to_send(server, HEAD + b'number %d\r\n' % n), 'a taker',
                   300)       # while the relay rests nobody is taken
    wanted = {b'number %d' % number for number in range(count)}
    wait_until(lambda: {text.split(b'\r\n\r\n', 1)[1].strip() for text in list(liar.taken)}
               >= wanted and 'you@example.org' not in queued(server), 'every letter', 300)
    windows = server.log().count('window=yes')
    true(len(liar.taken) <= count + windows, f'{len(liar.taken)} taken, {windows} windows')


def one_silent_server_does_not_stop_the_others(bench):
    peer = dovecot(bench)
    folder = bench.folder()
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(os.path.join(folder, 'silent'))
    os.chmod(os.path.join(folder, 'silent'), 0o666)
    silent.listen(64)
    server = bench.server(more=f'lmtp unix:{peer.folder}/lmtp\ndomain silent.example\n'
                          f'lmtp silent.example=unix:{folder}/silent\naliases {folder}/aliases\n')
    with open(os.path.join(folder, 'aliases'), 'w', encoding='ascii') as file:
        file.write('quiet: you@silent.example\n')
    server.start()
    with silent:
        for _ in range(40):
            send(server, ['quiet@example.org'], HEAD + b'unheard\r\n')
        time.sleep(6)
        for _ in range(5):
            send(server, ['you@example.org'], HEAD + b'heard\r\n')
        wait_until(lambda: len(peer.letters()) == 5, 'the letters of the other server', 60)


if __name__ == '__main__':
    harness.main([
        dovecot_gets_letters_by_socket_and_tcp, unknown_users_are_refused_at_rcpt,
        a_full_mailbox_waits, a_dead_server_is_waited_for, killed_in_the_middle_nothing_is_lost,
        what_it_cannot_take_fails, aliases_lead_to_many,
        a_server_that_dies_at_every_octet_loses_nothing,
        one_silent_server_does_not_stop_the_others])
