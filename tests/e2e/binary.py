#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Lossless binary: base64 goes raw between two Posterns, and the letter that arrives is octet for
octet the one that was sent, whatever happens on the way; to others it goes raw when nothing is
signed and the settings say so.

usage: binary.py POSTERN PACKAGES
"""
import base64
import json
import os
import random
import re
import socket
import threading
import time

from harness import Client, equal, id_of, main, true, wait_until
from relay import Dialogue, FROM, Sink, US, queue_is_empty
from web import metrics

PDF = b'%PDF-1.7\n' + random.Random(7).randbytes(250000) + b'\n%%EOF\n'
SIGNED = (b'DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=a; bh=Zm9v; b=YmFy;\r\n'
          b' h=from:subject\r\nFrom: <a@example.com>\r\nSubject: a report\r\n')
CLEAR = 'tls-policy none\n'     # so that what is between can read and change it


def lines_of(octets, length=76):
    text = base64.b64encode(octets)
    return b'\r\n'.join(text[at:at + length] for at in range(0, len(text), length))


def letter_with(octets, fields=SIGNED, length=76):
    """An attachment that is canonical, in odd clothes, and two that are not."""
    return (fields + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=_b"\r\n\r\n'
            b'--=_b\r\n\r\nLook:\r\n'
            b'--=_b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n'
            b'CONTENT-transfer-encoding:\r\n (as usual) Base64\r\n\r\n' + lines_of(octets, length)
            + b'\r\n\r\n--=_b\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            + lines_of(octets[:3000]).replace(b'\r\n', b' \r\n', 1) +
            b'\r\n--=_b\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            + lines_of(octets[:3001]).rstrip(b'=') + b'\r\n--=_b--\r\n')


class Wire:
    """What lies between: counts what goes each way, and may change it, hold it or cut it."""

    def __init__(self, bench, port):
        self.port_there, self.listener = port, socket.create_server(('127.0.0.1', 0))
        self.port, self.sent = self.listener.getsockname()[1], bytearray()
        self.out, self.back = 0, 0      # octets
        self.change, self.cut_at, self.slow, self.over = None, None, 0, False
        threading.Thread(target=self.accept, daemon=True).start()
        bench.running.append(self)

    def accept(self):
        while not self.over:
            try:
                near = self.listener.accept()[0]
                far = socket.create_connection(('127.0.0.1', self.port_there), 60)
            except OSError:
                continue
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(*ends, ends[0] is near),
                                 daemon=True).start()

    def pump(self, source, to, out):
        told = 0
        try:
            while octets := source.recv(16384):
                if out:
                    octets = self.change(octets) if self.change else octets
                    if self.cut_at is not None and told + len(octets) >= self.cut_at:
                        to.sendall(octets[:self.cut_at - told])
                        break
                    self.out += len(octets)
                    self.sent += octets
                    time.sleep(self.slow)
                else:
                    self.back += len(octets)
                told += len(octets)
                to.sendall(octets)
        except OSError:
            pass
        for end in (source, to):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.over = True
        self.listener.close()


def receiver(bench, more=''):
    """A Postern for example.net."""
    there = bench.server(more='relay-from 192.0.2.1\n' + more)
    there.configure('domain example.net\n' + more)
    owner = os.stat(os.path.join(there.disk, 'mail'))
    for part in ('example.net', 'example.net/you'):
        os.mkdir(os.path.join(there.disk, 'mail', part))
        os.chown(os.path.join(there.disk, 'mail', part), owner.st_uid, owner.st_gid)
    return there.start()


def pair(bench, more='', there_more=''):
    there = receiver(bench, there_more)
    wire = Wire(bench, there.port)
    here = bench.server(more=US + more + f'route example.net=127.0.0.1:{wire.port}\n'
                                         f'route there.lab=127.0.0.1:{wire.port}').start()
    return here, wire, there


def hand_in(server, text, to='you@example.net', parameters=''):
    with Client(server.port) as client:
        client.envelope(FROM, [to], parameters)
        return id_of(client.bdat(text))


def arrived(there, count=1):
    place = os.path.join(there.disk, 'mail', 'example.net', 'you', 'new')
    wait_until(lambda: os.path.isdir(place) and len(os.listdir(place)) >= count, 'the letter')
    letters = []
    paths = [os.path.join(place, name) for name in os.listdir(place)]
    for path in sorted(paths, key=lambda path: os.stat(path).st_mtime_ns):
        with open(path, 'rb') as letter:
            letters.append(as_sent(letter.read()))
    return letters


def as_sent(octets):
    """In a Maildir the lines of a text end with LF; those of a binary letter stay."""
    return octets if octets.startswith(b'Return-Path:') and b'\r\n' in octets[:200] \
        else octets.replace(b'\n', b'\r\n')


def saved_by_log(server):
    return [int(line.partition(' saved=')[2].split()[0]) for line in server.log().splitlines()
            if 'event=delivered' in line and ' saved=' in line]


def a_signed_letter_comes_octet_for_octet(bench):
    here, wire, there = pair(bench)
    text = letter_with(PDF)
    letter = hand_in(here, text)
    true(arrived(there)[0].endswith(b'\r\n' + text), 'octet for octet')
    queue_is_empty(here)
    saved, = saved_by_log(here)
    true(saved > len(PDF) // 4, f'{saved} octets saved')
    true(len(text) - wire.out > saved - 5000, f'{wire.out} octets went, of {len(text)}')
    told = here.run('trace', letter).stdout
    true(f', {saved / 1024:.1f} KiB saved)' in told, told)
    event, = (e for e in map(json.loads, here.run('trace', '--json', letter).stdout.splitlines())
              if e['event'] == 'delivered')
    equal(event['octets_saved'], saved, 'in the trace')
    wait_until(lambda: metrics(here)['postern_octets_saved_total'] == saved, 'the metrics')


def what_they_read_is_as_it_was(bench):
    """BODY and SMTPUTF8 of the original, not of what went over the wire."""
    here, wire, there = pair(bench, CLEAR)
    for parameters in ('', ' BODY=8BITMIME', ' BODY=BINARYMIME'):
        before = len(wire.sent)
        text = letter_with(PDF[:9000], SIGNED + b'X-Kind: ' + parameters.encode() + b'\r\n')
        hand_in(here, text, parameters=parameters)
        wait_until(lambda: len(here.log().split('event=delivered')) > 1, 'delivery')
        queue_is_empty(here)
        true(b' BODY=BINARYMIME CONTENT-RECIPE=' in wire.sent[before:], 'raw on the wire')
        true(PDF[:9000] in wire.sent[before:], 'the octets as they are')
    for text, parameters in zip(arrived(there, 3), ('7bit', '8bitmime', 'binarymime')):
        true(text.endswith(b'--=_b--\r\n'), text[-100:])
        found = there.run('trace', '--json', 'you@example.net').stdout
        true(f'"body":"{parameters}"' in found.replace('": "', '":"'), found)


def send_says_what_was_saved(bench):
    """The client for testing does as the relay does, and tells."""
    there, text = receiver(bench), letter_with(PDF)
    path = os.path.join(bench.folder(), 'letter')

    def send(octets, *more, to=there):
        with open(path, 'wb') as file:
            file.write(octets)
        return to.run('send', '--server', f'127.0.0.1:{to.port}', '--to', 'you@example.net',
                      '--recipe', '--file', path, *more)
    told = send(text)
    equal(told.returncode, 0, told.stdout)
    went, whole, saved = map(int, re.search(
        r'\n(\d+) octets went in place of (\d+): (\d+) saved\n', told.stdout).groups())
    equal((whole, went + saved), (len(text), len(text)), 'the sum')
    true(saved > len(PDF) // 4 and f'C: BDAT {went} LAST\n' in told.stdout, told.stdout)
    true(f' SIZE={len(text)} BODY=BINARYMIME CONTENT-RECIPE=' in told.stdout, told.stdout)
    equal(json.loads(send(text, '--json', '--bdat', '5000').stdout)['octets_saved'], saved, 'JSON')
    none = UNSIGNED + b'\r\nnothing to save\r\n'
    told = send(none)
    true('Nothing was saved: there is no base64' in told.stdout, told.stdout)
    true('CONTENT-RECIPE=' not in told.stdout and told.returncode == 0, told.stdout)
    for got, sent in zip(arrived(there, 3), (text, text, none)):
        true(got.endswith(b'\r\n' + sent), 'octet for octet')
    told = send(text, to=receiver(bench, 'lossless-binary no\n'))
    true('Not done: this server does not offer CONTENT-RECIPE 1' in told.stdout, told.stdout)
    equal(told.returncode, 69, 'exit status')


def only_when_both_consent(bench):
    for ours, theirs in (('no', 'yes'), ('yes', 'no')):
        here, wire, there = pair(bench, CLEAR + f'lossless-binary {ours}\n',
                                 f'lossless-binary {theirs}\n')
        text = letter_with(PDF)
        hand_in(here, text)
        true(arrived(there)[0].endswith(b'\r\n' + text), 'octet for octet')
        true(wire.out > len(text) and b'CONTENT-RECIPE' not in wire.sent, 'as it is')
        equal(saved_by_log(here), [], 'saved')


def a_spoiled_octet_loses_nothing(bench):
    """Whoever changes the raw form on the way is found out, and the original goes at once."""
    here, wire, there = pair(bench, CLEAR)
    spoilt = []

    def spoil(octets):
        at = octets.find(PDF[100000:100016])
        if at < 0 or spoilt:
            return octets
        spoilt.append(at)
        return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]

    wire.change = spoil
    text = letter_with(PDF)
    hand_in(here, text)
    true(arrived(there)[0].endswith(b'\r\n' + text), 'octet for octet')
    queue_is_empty(here)
    equal(len(spoilt), 1, 'an octet was changed')
    true('reply=554 code=5.6.5' in there.log(), there.log()[-2000:])
    true('event=server-quirk' in here.log() and 'from-now="no CONTENT-RECIPE"' in here.log(),
         here.log()[-2000:])
    equal(len(arrived(there)), 1, 'once')
    equal(here.log().count('event=delivered'), 1, 'one result')
    true('event=delivery-failed' not in here.log() and 'event=delivery-waits' not in here.log(),
         'no failure is seen')


def a_spoiled_recipe_loses_nothing(bench):
    here, wire, there = pair(bench, CLEAR)
    spoilt = []

    def spoil(octets):
        at = octets.find(b'CONTENT-transfer-encoding:\r\n (as usual)')
        if at < 0 or spoilt:
            return octets
        spoilt.append(at)
        return octets[:at] + b'K' + octets[at + 1:]

    wire.change = spoil
    text = letter_with(PDF)
    hand_in(here, text)
    true(arrived(there)[0].endswith(b'\r\n' + text), 'octet for octet')
    equal(len(spoilt), 1, 'an octet was changed')
    true('reply=554 code=5.6.5' in there.log(), there.log()[-2000:])


def cut_anywhere(bench):
    """A connection that ends in the middle: the letter comes all the same, and once."""
    here, wire, there = pair(bench, CLEAR)
    for number, at in enumerate((60, 150, 260, 400, 5000, 100000, 250000), 1):
        wire.cut_at = at
        text = letter_with(PDF, SIGNED + b'X-Number: %d\r\n' % number)
        hand_in(here, text)
        wait_until(lambda: here.log().count('event=delivery-waits')
                   + here.log().count('event=kept-connection-lost') >= number, 'the cut')
        wire.cut_at = None
        true(arrived(there, number)[-1].endswith(b'\r\n' + text), 'octet for octet')
        queue_is_empty(here)
    equal(len(arrived(there)), 7, 'each once')


def killed_in_between(bench):
    """kill -9 of the receiver, then of the sender, while the raw form is on its way."""
    here, wire, there = pair(bench, CLEAR)
    for number, server in enumerate((there, here), 1):
        wire.slow, before = 0.05, wire.out
        text = letter_with(PDF, SIGNED + b'X-Number: %d\r\n' % number)
        hand_in(here, text)
        wait_until(lambda: wire.out - before > 50000, 'half of it')
        server.kill()
        wire.slow = 0
        server.start()
        true(arrived(there, number)[-1].endswith(b'\r\n' + text), 'octet for octet')
    queue_is_empty(here)
    equal(len(arrived(there)), 2, 'each once')


class BinaryDialogue(Dialogue):
    """It takes BDAT, and may refuse what is binary."""

    def command(self, octets):
        words = octets.decode('latin-1').split()
        if words[:1] == ['BDAT']:
            self.server.lines.append(' '.join(words))
            self.chunks += self.rfile.read(int(words[1]))
            if words[2:] == ['LAST']:
                refused = self.server.refuse.get('text') if 'BINARYMIME' in self.sender else None
                if refused is None:
                    self.server.letters.append((self.sender, self.recipients, self.chunks, None))
                self.chunks = b''
                self.say(refused or '250 2.0.0 kept')
            else:
                self.say('250 2.0.0 more')
            return True
        if words[:1] == ['MAIL']:
            self.chunks = b''
            refused = self.server.refuse.get('mail')
            if refused and 'BODY=BINARYMIME' in words:
                self.server.lines.append(' '.join(words))
                self.say(refused)
                return True
        return super().command(octets)


class BinarySink(Sink):
    def __init__(self, bench, offers=('CHUNKING', 'BINARYMIME'), refuse=None):
        super().__init__(bench, ('127.0.0.1', 0), offers=offers, refuse=refuse)
        self.RequestHandlerClass = BinaryDialogue


UNSIGNED = b'From: <a@example.com>\r\nSubject: a report\r\n'


def sent_to(bench, sink, text, more='lossless-binary-unsigned yes\n'):
    server = bench.server(more=US + more + f'route there.lab=127.0.0.1:{sink.port}').start()
    hand_in(server, text, 'a@there.lab')
    wait_until(lambda: sink.letters, 'the letter')
    queue_is_empty(server)
    equal(len(sink.letters), 1, 'once')
    return server, sink.letters[0]


def unsigned_goes_raw_to_who_takes_it(bench):
    text = letter_with(PDF, UNSIGNED)
    server, (sender, _, got, _) = sent_to(bench, BinarySink(bench), text)
    true('BODY=BINARYMIME' in sender and 'POSTERN' not in sender, sender)
    true(b'\r\nContent-Transfer-Encoding: binary\r\n\r\n' + PDF + b'\r\n--=_b\r\n' in got,
         'the octets as they are')
    saved, = saved_by_log(server)
    true(saved > len(PDF) // 4 and len(got) < len(text) - len(PDF) // 4, f'{saved} saved')


def only_where_that_is_wanted(bench):
    """Off by default; not what is signed; not to who does not take it."""
    signed = letter_with(PDF)
    pgp = letter_with(PDF, UNSIGNED).replace(b'Look:', b'-----BEGIN PGP SIGNED MESSAGE-----')
    for text, more, offers in (
            (letter_with(PDF, UNSIGNED), '', ('CHUNKING', 'BINARYMIME')),
            (signed, 'lossless-binary-unsigned yes\n', ('CHUNKING', 'BINARYMIME')),
            (pgp, 'lossless-binary-unsigned yes\n', ('CHUNKING', 'BINARYMIME')),
            (letter_with(PDF, UNSIGNED), 'lossless-binary-unsigned yes\n', ('CHUNKING',)),
            (letter_with(PDF, UNSIGNED), 'lossless-binary-unsigned yes\n', ('BINARYMIME',))):
        server, (sender, _, got, _) = sent_to(bench, BinarySink(bench, offers), text, more)
        true('BINARYMIME' not in sender and got.endswith(text), sender)
        equal(saved_by_log(server), [], 'saved')


def a_refusal_of_binary_is_no_failure(bench):
    text = letter_with(PDF, UNSIGNED)
    for refuse in ({'mail': '501 5.5.4 BODY=BINARYMIME is not for you'},
                   {'text': '554 5.6.1 what is this'}, {'text': '554 no'}):
        sink = BinarySink(bench, refuse=refuse)
        server, (sender, _, got, _) = sent_to(bench, sink, text)
        true('BINARYMIME' not in sender and got.endswith(text), sender)
        true(any('BODY=BINARYMIME' in line for line in sink.lines), 'it was tried')
        true('event=delivery-failed' not in server.log(), server.log()[-2000:])


if __name__ == '__main__':
    main([a_signed_letter_comes_octet_for_octet, what_they_read_is_as_it_was,
          send_says_what_was_saved, only_when_both_consent, a_spoiled_octet_loses_nothing,
          a_spoiled_recipe_loses_nothing, cut_anywhere, killed_in_between,
          unsigned_goes_raw_to_who_takes_it, only_where_that_is_wanted,
          a_refusal_of_binary_is_no_failure])
