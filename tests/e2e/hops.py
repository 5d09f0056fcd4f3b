#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Next hops that mean harm, on real sockets: words that would do something where they are read,
long lines, and connections that are reset at each place of a dialogue.

usage: hops.py POSTERN PACKAGES [TEST...]
"""
import email
import email.policy
import re
import socket
import struct
import threading

from harness import Client, equal, main, true, wait_until
from relay import FROM, US, Dialogue, Sink, came, certificate, hand_in, queue_is_empty
from web import get

SCRIPT = '<script>alert(1)</script>'
NASTY = b'550 5.1.1 \x1b]0;owned\x07\x1b[31m ' + SCRIPT.encode() \
    + b' \x00 \xff \xe2\x80\xae \rX-Injected: 1\r\n'


class Words(Dialogue):
    """Says the nasty words where the sink's `at` says."""

    def say(self, words):
        if words.startswith(self.server.at):
            self.wfile.write(self.server.words)
            self.wfile.flush()
        else:
            super().say(words)


class WordSink(Sink):
    def __init__(self, bench, at, words):
        self.at, self.words = at, words
        super().__init__(bench, ('127.0.0.1', 0))
        self.RequestHandlerClass = Words


def controls(octets):
    """Those that a terminal would act upon."""
    return [octet for octet in octets if octet < 32 and octet not in b'\n\t\r' or octet == 127]


def words_do_nothing_where_they_are_read(bench):
    """CLI-007, CLI-008, CLI-039: in the log, in the report, in the queue, in a trace, on a page."""
    no = WordSink(bench, '250 2.1.5', NASTY)
    yes = WordSink(bench, '250 2.0.0 kept', b'250 2.0.0 queued as ' + SCRIPT.encode()
                   + b' \x1b[2J\r\n')
    later = WordSink(bench, '250 2.1.5', NASTY.replace(b'550 5.1.1', b'450 4.2.0'))
    routes = ''.join(f'route {name}.lab=127.0.0.1:{sink.port}\n'
                     for name, sink in (('no', no), ('yes', yes), ('later', later)))
    server = bench.server(more=US.replace('1s 2s 2s', '1h') + routes).start()
    with Client(server.port) as client:
        client.envelope(FROM, ['a@no.lab', 'a@yes.lab', 'a@later.lab'])
        reply = client.data(b'Subject: x\r\n\r\nx\r\n')
    letter = re.search(r'[0-9A-Z]{13}', reply)[0]
    came(yes, 1)
    report = list(server.wait_for_letters(1).values())[0]
    wait_until(lambda: 'event=delivery-waits' in server.log(), 'the one that waits')
    head = report.split(b'\n\n')[0]
    true(b'X-Injected' not in head, 'no field of its making in the header')
    equal([line for line in report.split(b'\n') if line.lower().startswith(b'x-injected')], [],
          'nor a line anywhere')
    pages = [part.get_content() for part in email.message_from_bytes(
        report, policy=email.policy.default).walk() if part.get_content_type() == 'text/html']
    true(len(pages) == 1 and SCRIPT not in pages[0] and '&lt;script&gt;' in pages[0],
         'the page of the report tells the words, and has no element of theirs')
    equal(controls(report), [], 'controls in the report')
    true(b'Diagnostic-Code: smtp; 550' in report, 'its words are told all the same')
    for what, text in (('log', server.log()), ('trace', server.run('trace', letter).stdout),
                       ('queue', server.run('queue').stdout),
                       ('queue --json', server.run('queue', '--json').stdout)):
        true(text != '', what)
        equal(controls(text.encode('utf-8', 'surrogateescape')), [], f'controls: {what}')
        true('\u202e' not in text, f'{what}: the direction of text is left alone')
    status, headers, page = get(server, '/', 'POST', body=report,
                                headers={'Content-Type': 'message/rfc822'})
    true(SCRIPT not in page, f'{status}: the page of the report')
    true("script-src" in headers['Content-Security-Policy']
         or "default-src 'none'" in headers['Content-Security-Policy'], 'and none would be run')


def long_lines_go_as_they_came(bench):
    """CLI-038: never split; a server that will not have them says so, and its sender is told."""
    sink = Sink(bench, ('127.0.0.1', 0))
    strict = WordSink(bench, '250 2.0.0 kept', b'500 5.5.2 line too long\r\n')
    server = bench.server(more=US + f'route wide.lab=127.0.0.1:{sink.port}\n'
                          f'route strict.lab=127.0.0.1:{strict.port}\n').start()
    for count, n in enumerate((1001, 10000, 1000000), 1):
        line = b'x' * n
        text = b'Subject: long\r\n\r\n' + line + b'\r\nend\r\n'
        hand_in(server, ['a@wide.lab'], text=text)
        true(came(sink, count)[-1][2].endswith(text), f'{n} octets in one line')
    hand_in(server, ['a@strict.lab'], text=b'Subject: long\r\n\r\n' + b'x' * 1001 + b'\r\n')
    report = list(server.wait_for_letters(1).values())[0]
    true(b'line too long' in report and b'Action: failed' in report, report)
    queue_is_empty(server)


class Cutter:
    """Hands the first connection on to a sink until the server has said so many octets, and then
    resets both ends; later ones it leaves alone."""

    def __init__(self, bench, sink, most):
        self.sink, self.left, self.first = sink, most, True
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        bench.running.append(self)

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            cut, self.first = self.first, False
            there = socket.create_connection(('127.0.0.1', self.sink.port), 60)
            threading.Thread(target=self.hand_on, args=(client, there, False), daemon=True).start()
            threading.Thread(target=self.hand_on, args=(there, client, cut), daemon=True).start()

    def hand_on(self, here, there, cut):
        try:
            while True:
                octets = here.recv(65536)
                if cut and len(octets) >= self.left:
                    there.sendall(octets[:self.left])
                    for end in (there, here):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack('ii', 1, 0))
                        end.shutdown(socket.SHUT_RD)
                        end.close()
                    return
                self.left -= len(octets) if cut else 0
                if not octets:
                    there.shutdown(socket.SHUT_WR)
                    return
                there.sendall(octets)
        except OSError:
            pass

    def stop(self):
        self.socket.close()


def cut_where_it_may(bench, pair, offsets):
    """A letter for each place; {place: how often it came}, and what the log calls a window."""
    sink = Sink(bench, ('127.0.0.1', 0), pair)
    cutters = {most: Cutter(bench, sink, most) for most in offsets}
    routes = ''.join(f'route c{most}.lab=127.0.0.1:{cutter.port}\n'
                     for most, cutter in cutters.items())
    server = bench.server(more=US + 'jobs 64\n' + routes).start()
    for most in offsets:
        hand_in(server, [f'a@c{most}.lab'])
    queue_is_empty(server)
    times = {most: sum(any(f'@c{most}.lab' in rcpt for rcpt in letter[1])
                       for letter in sink.letters) for most in offsets}
    windows = {most for most in offsets if any(f'@c{most}.lab' in line and 'window=yes' in line
                                               for line in server.log().splitlines())}
    return times, windows, server


def resets_lose_and_double_nothing(bench):
    """CLI-029: in clear and inside TLS, a reset after so many octets of the server's."""
    pair, _ = certificate(bench.folder(), 'hop.lab')
    for what, with_pair, offsets in (('clear', None, range(0, 260, 7)),
                                     ('TLS', pair, range(0, 2600, 65))):
        times, windows, server = cut_where_it_may(bench, with_pair, offsets)
        equal([most for most in offsets if times[most] == 0], [], f'{what}: what was lost')
        equal([most for most in offsets if times[most] > 1 and most not in windows], [],
              f'{what}: what came twice without being in the window')
        true(max(times.values()) <= 2, f'{what}: {times}')
        true('event=delivery-failed' not in server.log(), f'{what}: what failed for good')
        server.stop()


if __name__ == '__main__':
    main([words_do_nothing_where_they_are_read, long_lines_go_as_they_came,
          resets_lose_and_double_nothing])
