#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Mail to elsewhere: by a route, by a smart host, and by MX over a DNS of the test's own, signed
and not; to a sink that is told how to behave, to Postfix, and to another Postern."""
import base64
import hashlib
import json
import os
import shutil
import signal
import smtplib
import socket
import socketserver
import ssl
import subprocess
import threading

from dnslab import Lab
from harness import Client, Refused, Skip, equal, free_port, main, true, wait_until

FROM = 'you@example.org'
US = 'relay-from 127.0.0.0/8\nallow-private yes\nretry 1s 2s 2s\n'
TEXT = b'Subject: away\r\n\r\n.dots\r\n..\r\nend\r\n'


def openssl(*words, text=None):
    if shutil.which('openssl') is None:
        raise Skip('openssl is not here')
    return subprocess.run(['openssl', *words], capture_output=True, timeout=60, check=True,
                          input=text).stdout


def certificate(folder, name):
    """Its file, with the key in it; and what a TLSA record 3 1 1 says of it."""
    path = os.path.join(folder, name + '.pem')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-days', '2', '-subj', f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}',
            '-keyout', path + '.key', '-out', path)
    with open(path + '.key', 'rb') as key:
        public = openssl('pkey', '-pubout', '-outform', 'DER', text=key.read())
    with open(path, 'ab') as both, open(path + '.key', 'rb') as key:
        both.write(key.read())
    return path, hashlib.sha256(public).hexdigest()


class Sink(socketserver.ThreadingTCPServer):
    """An SMTP server. letters: (sender line, recipient lines, text, TLS version or None). A word of
    offers that begins with - takes an extension away."""
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """A client that vanished is no news."""

    def __init__(self, bench, address, certificate_file=None, broken=False, offers=(), refuse=None,
                 kept='250 2.0.0 kept'):
        super().__init__(address, Dialogue)
        self.letters, self.lines, self.sessions, self.reused = [], [], 0, 0
        self.shown = []                 # certificates of clients, or None: one for each handshake
        self.broken, self.offers, self.refuse, self.context = broken, offers, refuse or {}, None
        self.kept = kept
        if certificate_file:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate_file)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()
        bench.running.append(self)

    def stop(self):
        self.shutdown()
        self.server_close()


class Dialogue(socketserver.StreamRequestHandler):
    def say(self, words):
        self.wfile.write(words.encode() + b'\r\n')
        self.wfile.flush()

    def handle(self):
        self.server.sessions += 1
        self.tls = None
        try:
            self.say('220 sink')
            while self.command(self.rfile.readline()):
                pass
        except (OSError, ValueError):
            pass

    def command(self, octets):
        if not octets.endswith(b'\n'):
            return False
        line = octets.decode('utf-8', 'replace').strip()
        self.server.lines.append(line)
        verb = line.split(' ')[0].upper()
        if verb == 'EHLO':
            offers = [word for word in ['PIPELINING', '8BITMIME', 'SIZE', *self.server.offers]
                      if word[0] != '-' and '-' + word not in self.server.offers]
            if (self.server.context or self.server.broken) and not self.tls:
                offers.append('STARTTLS')
            for word in offers:
                self.say(f'250-{word}')
            self.say('250 ENHANCEDSTATUSCODES')
        elif verb == 'STARTTLS':
            self.say('220 2.0.0 go')
            if self.server.broken:
                self.rfile.read(5)
                return False
            self.secure()
        elif verb == 'MAIL':
            self.sender, self.recipients = line, []
            self.say('250 2.1.0 well')
        elif verb == 'RCPT':
            refuse = self.server.refuse
            reply = next((refuse[word] for word in refuse if word in line), None)
            if reply is None:
                self.recipients.append(line)
            self.say(reply or '250 2.1.5 well')
        elif verb == 'DATA':
            self.say('354 go')
            self.text()
        elif verb == 'QUIT':
            self.say('221 2.0.0 bye')
            return False
        else:
            self.say('235 2.7.0 welcome' if verb == 'AUTH' else '250 2.0.0 well')
        return True

    def secure(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.tls = self.request.version()
        self.server.reused += self.request.session_reused
        self.server.shown.append(self.request.getpeercert(True))
        self.rfile, self.wfile = self.request.makefile('rb'), self.request.makefile('wb')

    def text(self):
        lines = []
        for octets in iter(self.rfile.readline, b'.\r\n'):
            if not octets:
                return
            lines.append(octets[1:] if octets.startswith(b'.') else octets)
        self.server.letters.append((self.sender, self.recipients, b''.join(lines), self.tls))
        self.say(self.server.kept)


def hand_in(server, recipients, text=TEXT, parameters=''):
    with Client(server.port) as client:
        client.envelope(FROM, recipients, parameters)
        client.data(text)


def came(sink, count):
    wait_until(lambda: len(sink.letters) >= count, f'{count} letters in the sink')
    return sink.letters


def is_logged(server, *words):
    wait_until(lambda: any(all(word in line for word in words)
                           for line in server.log().splitlines()), f'{words} in the log')


def queue_is_empty(server):
    wait_until(lambda: '"id"' not in server.run('queue', '--json').stdout, 'an empty queue')


def by_a_route(bench):
    """One transaction for all recipients there; each has its own result, and a report its words."""
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DSN',), refuse={'<no@': '550 5.1.1 who is that'})
    server = bench.server(more=US + f'route there.lab=127.0.0.1:{sink.port}').start()
    hand_in(server, ['a@there.lab', 'b@THERE.lab', 'no@there.lab'],
            parameters=' ENVID=abc RET=HDRS')
    sender, recipients, text, _ = came(sink, 1)[0]
    equal(len(recipients), 2, 'recipients of one transaction')
    true(sender.startswith(f'MAIL FROM:<{FROM}> ') and 'ENVID=abc' in sender, sender)
    true(text.startswith(b'Received: from client.example.com') and text.endswith(TEXT), text)
    true(b'there.lab' not in text, 'the recipients are not told each other')
    report = list(server.wait_for_letters(1).values())[0]
    true(b'no@there.lab' in report and b'who is that' in report, report)
    queue_is_empty(server)
    hand_in(server, ['a@there.lab'])
    came(sink, 2)
    equal(sink.sessions, 1, 'the connection was kept')


def only_who_may(bench):
    sink = Sink(bench, ('127.0.0.1', 0))
    server = bench.server(more=f'route there.lab=127.0.0.1:{sink.port}').start()
    try:
        hand_in(server, ['a@there.lab'])
        raise AssertionError('a stranger may relay')
    except Refused as refused:
        true(str(refused).startswith('550 5.7.1'), str(refused))
    equal(sink.sessions, 0, 'nobody dialled')


def by_a_smart_host(bench):
    """The password is said to a server that is vouched for, and to no other."""
    folder = bench.folder()
    good, _ = certificate(folder, 'hub.lab')
    login = os.path.join(folder, 'login')
    with open(login, 'w', encoding='ascii') as file:
        file.write('user secret\n')
    lab = Lab(folder)
    lab.zone('lab', 'hub A 127.0.0.1\n', signed=False)
    bench.running.append(lab.start())
    sink = Sink(bench, ('127.0.0.1', 0), good, offers=('AUTH PLAIN',))
    for trusted in (False, True):
        more = US + (f'smarthost hub.lab:{sink.port}\nsmarthost-login {login}\n'
                     f'resolver {lab.address}\ntrust-anchor {lab.anchor}\n')
        server = bench.server(more=more + (f'ca-file {good}\n' if trusted else '')).start()
        hand_in(server, ['a@there.example'])
        if trusted:
            true(came(sink, 1)[0][3] is not None, 'inside TLS')
            asked = 'AUTH PLAIN ' + base64.b64encode(b'\0user\0secret').decode()
            true(asked in sink.lines, 'it signed in')
        else:
            is_logged(server, 'event=tls-failed')
            true(not any(line.startswith(('AUTH', 'MAIL')) for line in sink.lines), sink.lines)
        server.stop()


def own_address(last):
    """Of this machine, port 25; skip where that may not be had."""
    address = f'127.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250}.{last}'
    with socket.socket() as probe:
        try:
            probe.bind((address, 25))
        except OSError as why:
            raise Skip(f'port 25: {why}') from why
    return address


def by_mx(bench):
    """DANE where it is signed; TLS, or none, where nobody asks; what must be and is not, waits."""
    folder = bench.folder()
    mx, digest = certificate(folder, 'mx.lab')
    at = {name: own_address(i) for i, name in enumerate(('dane', 'wrong', 'plain', 'broken'), 1)}
    lab = Lab(folder)
    for name, address in at.items():
        tlsa = {'dane': digest, 'wrong': 'ab' * 32}.get(name)
        lab.zone(f'{name}.lab', f'@ MX 10 mx\nmx A {address}\n'
                 + (f'_25._tcp.mx TLSA 3 1 1 {tlsa}\n' if tlsa else ''), signed=tlsa is not None)
    lab.zone('none.lab', '@ MX 0 .\n', signed=False)
    bench.running.append(lab.start())
    sinks = {name: Sink(bench, (address, 25), mx, broken=name == 'broken')
             for name, address in at.items()}
    server = bench.server(more=US + f'resolver {lab.address}\ntrust-anchor {lab.anchor}\n').start()
    for name in at:
        hand_in(server, [f'a@{name}.lab'])
    for name, channel in (('dane', 'dane'), ('plain', 'tls'), ('broken', 'clear')):
        letter = came(sinks[name], 1)[0]
        equal(letter[3] is None, channel == 'clear', name)
        is_logged(server, 'event=delivered', f'server={name}.lab', f'channel={channel}')
    is_logged(server, 'event=tls-failed', 'server=wrong.lab', 'need=dane', 'next=wait')
    true(not any(line.startswith('MAIL') for line in sinks['wrong'].lines), 'not a word was said')
    hand_in(server, ['a@none.lab', 'a@nobody.dane.lab'])
    is_logged(server, 'event=delivery-failed', 'server=none.lab', 'code=5.1.10')
    is_logged(server, 'event=delivery-failed', 'server=nobody.dane.lab', 'code=5.1.2')
    reports = b''.join(server.wait_for_letters(1).values())
    true(b'5.1.10' in reports and b'5.1.2' in reports, 'its sender hears of it')
    true('wrong.lab' in server.run('queue').stdout, 'it waits')


def a_downgrade_is_seen(bench):
    """A host that had TLS has none: it is told, and where the settings say so the mail waits."""
    file, _ = certificate(bench.folder(), 'mx.lab')
    for hold in ('no', 'yes'):
        sink = Sink(bench, ('127.0.0.1', 0), file, offers=('LIMITS MAILMAX=1',))
        server = bench.server(more=US + f'route there.lab=127.0.0.1:{sink.port}\n'
                              f'hold-downgraded {hold}').start()
        hand_in(server, ['a@there.lab'])
        is_logged(server, 'event=delivered', 'channel=tls')
        sink.context = None
        hand_in(server, ['b@there.lab'])
        if hold == 'no':
            is_logged(server, 'event=tls-downgrade', 'best=tls', 'now=clear')
            is_logged(server, 'event=delivered', 'to=b@there.lab', 'channel=clear')
        else:
            is_logged(server, 'event=delivery-waits', 'to=b@there.lab', 'code=4.7.10')
            equal(len(sink.letters), 1, 'letters in the sink')


def a_downgrade_outlives_a_kill(bench):
    """Who had TLS whenever it was met is waited for, whatever dies meanwhile; but not for ever."""
    file, _ = certificate(bench.folder(), 'mx.lab')
    sink = Sink(bench, ('127.0.0.1', 0), file, offers=('LIMITS MAILMAX=1',))
    more = US.replace('retry 1s 2s 2s', 'retry 1s') + f'route there.lab=127.0.0.1:{sink.port}\n'
    server = bench.server(more=more).start()
    hand_in(server, ['a@there.lab'])
    is_logged(server, 'event=delivered', 'channel=tls')
    kept = os.path.join(server.disk, 'spool/memory')
    wait_until(lambda: os.path.exists(kept), 'that it is kept')
    server.kill()
    sink.context = None
    server.start()
    hand_in(server, ['b@there.lab'])
    is_logged(server, 'event=tls-missed', 'best=tls')
    is_logged(server, 'event=delivery-waits', 'to=b@there.lab', 'code=4.7.10')
    wait_until(lambda: 'it was there at each letter before' in server.run('queue').stdout,
               'why it waits')
    name = f'127.0.0.1:{sink.port}'
    known = json.loads(server.run('peers', '--json').stdout)
    equal((known['destination'], known['best'], known['now']), (name, 'tls', 'tls'), 'the ledger')
    true('missed-since' in known and 'no STARTTLS' in known['why'], known)
    true('mail waits for it' in server.run('peers').stdout, 'the ledger for people')
    equal(len(sink.letters), 1, 'letters in the sink')
    server.stop()
    server.configure(more + 'hold-downgraded-for 1s\n')
    server.start()
    is_logged(server, 'event=tls-downgrade', 'best=tls', 'now=clear')
    is_logged(server, 'event=delivered', 'to=b@there.lab', 'channel=clear')
    known = json.loads(server.run('peers', '--json').stdout)
    equal((known['best'], known['now']), ('tls', 'clear'), 'the ledger afterwards')
    equal(server.run('peers', 'other.lab').returncode, 1, 'of a destination nobody wrote to')


def to_postfix(bench):
    port = free_port()
    postfix = bench.postfix(port, {'myhostname': 'there.lab', 'mydestination': 'there.lab',
                                   'local_recipient_maps': '', 'local_transport': 'discard'})
    server = bench.server(more=US + f'route there.lab=127.0.0.1:{port}').start()
    with smtplib.SMTP('127.0.0.1', server.port) as client:
        for number in range(50):
            client.sendmail(FROM, ['a@there.lab', '"."@there.lab'],
                            f'Subject: {number}\r\n\r\n' + 'y' * number * 50 + '\r\n')
    queue_is_empty(server)
    equal(server.log().count('event=delivered'), 100, postfix.log()[-2000:])


def to_one_of_ours(bench):
    """Binary, and large, octet for octet."""
    there = bench.server(more='relay-from 192.0.2.1').start()
    server = bench.server(more=US + f'route example.net=127.0.0.1:'
                          f'{there.port}').start()
    there.stop()
    there.configure('domain example.net')
    owner = os.stat(os.path.join(there.disk, 'mail'))
    for part in ('example.net', 'example.net/you'):
        os.mkdir(os.path.join(there.disk, 'mail', part))
        os.chown(os.path.join(there.disk, 'mail', part), owner.st_uid, owner.st_gid)
    there.start()
    octets = b'Subject: binary\r\n\r\n' + bytes(range(256)) * 4000
    with Client(server.port) as client:
        client.envelope(FROM, ['you@example.net'], ' BODY=BINARYMIME')
        client.bdat(octets)
    place = os.path.join(there.disk, 'mail', 'example.net', 'you', 'new')
    wait_until(lambda: os.path.isdir(place) and os.listdir(place), 'the letter')
    with open(os.path.join(place, os.listdir(place)[0]), 'rb') as letter:
        true(letter.read().endswith(octets), 'octet for octet')
    queue_is_empty(server)


def a_dead_one_slows_nobody(bench):
    sink = Sink(bench, ('127.0.0.1', 0))
    silent = socket.create_server(('127.0.0.1', 0))
    server = bench.server(more=US + 'jobs 4\n' + f'route there.lab=127.0.0.1:{sink.port}\n'
                          f'route silent.lab=127.0.0.1:{silent.getsockname()[1]}\n'
                          f'route dead.lab=127.0.0.1:{free_port()}').start()
    for _ in range(8):
        hand_in(server, ['a@silent.lab'])
        hand_in(server, ['a@dead.lab'])
    for _ in range(8):
        hand_in(server, ['a@there.lab'])
    came(sink, 8)
    silent.close()


def each_retry_dials(bench):
    """Also when it failed a moment ago: the letter's schedule says when to try, nothing else."""
    port = free_port()
    server = bench.server(more=US + f'route there.lab=127.0.0.1:{port}').start()
    hand_in(server, ['a@there.lab'])
    for attempt in (1, 2, 3, 4):
        is_logged(server, 'event=delivery-waits', f'attempt={attempt}')
    true(server.log().count('event=server-unreachable') >= 4, server.log()[-3000:])
    came(Sink(bench, ('127.0.0.1', port)), 1)
    queue_is_empty(server)


def another_host_may_have_it(bench):
    """What the first host lacks is no failure before the others were asked."""
    folder = bench.folder()
    at = [own_address(i) for i in (1, 2)]
    lab = Lab(folder)
    lab.zone('there.lab', '@ MX 10 mx1\n@ MX 20 mx2\n'
             + ''.join(f'mx{i} A {address}\n' for i, address in enumerate(at, 1)), signed=False)
    bench.running.append(lab.start())
    poor = Sink(bench, (at[0], 25), offers=('-8BITMIME',))
    rich = Sink(bench, (at[1], 25))
    server = bench.server(more=US + f'resolver {lab.address}\ntrust-anchor {lab.anchor}\n').start()
    letter = (b'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa4\r\n'
              b'--b--\r\n')
    hand_in(server, ['a@there.lab'], letter, ' BODY=8BITMIME')
    true(came(rich, 1)[0][2].endswith(letter), 'as it was signed')
    true(poor.sessions == 1 and not poor.letters, 'the first was asked')
    rich.offers = ('-8BITMIME',)
    server.stop()
    server.start()
    hand_in(server, ['b@there.lab'], letter, ' BODY=8BITMIME')
    is_logged(server, 'event=delivery-failed', 'to=b@there.lab', 'code=5.6.3')
    true(rich.sessions >= 1, 'both were asked')


def a_domain_has_settings_of_its_own(bench):
    """Its own patience, and its own way; all others have what all have."""
    sink = Sink(bench, ('127.0.0.1', 0))
    port = free_port()
    server = bench.server(more=US + f'smarthost 127.0.0.1:{port}\n'
                          f'for-domain short.lab retry 1s give-up-after 3s\n'
                          f'for-domain there.lab route 127.0.0.1:{sink.port}'
                          ).start()
    hand_in(server, ['a@short.lab', 'a@long.lab'])
    for name in 'abc':
        hand_in(server, [f'{name}@there.lab'])
    report = list(server.wait_for_letters(1).values())[0]
    true(b'a@short.lab' in report and b'a@long.lab' not in report, report)
    wait_until(lambda: list(destinations(server)) == ['long.lab'], 'the other waits')
    came(sink, 3)


def destinations(server):
    done = server.run('queue', '--destinations', '--json')
    equal(done.returncode, 0, done.stderr)
    return {row['destination']: row for row in map(json.loads, done.stdout.splitlines())}


def queue_has(server, count):
    wait_until(lambda: json.loads(server.run('status', '--json').stdout)['queued'] == count,
               f'{count} letters to wait')


def suspended_stays_suspended(bench):
    """Whatever dies: nothing leaves for it until it is resumed; then all goes, at once."""
    sink = Sink(bench, ('127.0.0.1', 0))
    server = bench.server(more=US.replace('1s 2s 2s', '1h') + f'smarthost 127.0.0.1:{sink.port}'
                          ).start()
    done = server.run('queue', 'suspend', 'There.Lab', 'they move house')
    equal(done.returncode, 0, done.stderr)
    true('waits until it is resumed' in done.stdout, done.stdout)
    hand_in(server, ['a@there.lab', 'b@other.lab'])
    equal(len(came(sink, 1)[0][1]), 1, 'recipients that went')
    wait_until(lambda: destinations(server)['there.lab']['last_error'], 'its first try')
    for role in ('relay', 'store', 'all'):
        if role == 'all':
            server.kill()
            server.start()
        else:
            pid = server.roles()[role]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: server.roles().get(role) not in (None, pid), f'another {role}')
            wait_until(lambda: server.run('queue', '--json').returncode == 0, 'the store')
        hand_in(server, ['c@there.lab'])
        server.run('queue', 'retry', '--all')
        hand_in(server, ['b@other.lab'])
        wait_until(lambda: sum('b@other.lab' in line for letter in sink.letters
                               for line in letter[1])
                   >= 2 + ('relay', 'store', 'all').index(role), 'the other')
        queue_has(server, 2 + ('relay', 'store', 'all').index(role))    # it is known to have gone
    true(not any('there.lab' in line for line in sink.lines), 'not a word of it')
    row = destinations(server)['there.lab']
    equal((row['waiting'], row['suspended'], row['suspended_by'], row['suspended_why']),
          (4, True, os.getuid(), 'they move house'), row)
    true('they move house' in server.run('queue').stdout, 'in the list too')
    text = server.run('queue', '--destinations').stdout
    true('there.lab  4 waiting, 0 in flight' in text and 'suspended by uid' in text, text)
    done = server.run('queue', 'resume', 'there.lab')
    true('goes out again' in done.stdout and '4 recipients of 4 letters' in done.stdout,
         done.stdout)
    queue_is_empty(server)
    equal(sum('there.lab' in line for letter in sink.letters for line in letter[1]), 4, 'all of it')
    equal(server.run('queue', 'resume', 'there.lab').returncode, 1, 'it was not suspended')


def a_suspension_ends_by_itself(bench):
    sink = Sink(bench, ('127.0.0.1', 0))
    server = bench.server(more=US.replace('1s 2s 2s', '1h')
                          + f'smarthost 127.0.0.1:{sink.port}').start()
    server.run('queue', 'suspend', 'there.lab', '--for', '3s')
    hand_in(server, ['a@there.lab'])
    is_logged(server, 'event=suspended', 'destination=there.lab')
    true(not sink.letters, 'it waits')
    came(sink, 1)
    is_logged(server, 'event=resumed', 'destination=there.lab')
    true('there.lab' not in destinations(server), 'all is as before')


if __name__ == '__main__':
    main([by_a_route, only_who_may, by_a_smart_host, by_mx, a_downgrade_is_seen,
          a_downgrade_outlives_a_kill, to_postfix, to_one_of_ours, a_dead_one_slows_nobody,
          each_retry_dials, another_host_may_have_it,
          a_domain_has_settings_of_its_own, suspended_stays_suspended, a_suspension_ends_by_itself])
