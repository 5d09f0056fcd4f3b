#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Awkward letters arrive byte for byte: SHA-256 below the three fields that delivery adds."""
import random

import harness
from harness import Client, Refused, below_the_fields, digest, equal, true

SENDER, RECIPIENT = 'sender@example.com', 'you@example.org'
HEAD = b'From: <sender@example.com>\r\nTo: <you@example.org>\r\nSubject: awkward\r\n\r\n'


def lines(count, width):
    """Text that never repeats, so that a part in the wrong place is seen."""
    return b''.join(b'%010d' % i + b'x' * (width - 10) + b'\r\n' for i in range(count))


EIGHT_BIT = HEAD + bytes(c for c in range(1, 256) if c not in (10, 13)) + b'\r\n'
UTF8_HEADERS = ('From: Jürgen <sender@example.com>\r\nTo: <you@example.org>\r\n'
                'Subject: 你好 – Grüße\r\n\r\nПривет\r\n').encode()
TEXTS = [
    ('8-bit, every octet but NUL, CR and LF', EIGHT_BIT),
    ('UTF-8 in header fields', UTF8_HEADERS),
    ('lone dots', HEAD + b'.\r\n..\r\n...\r\n.x\r\n..x\r\nx.\r\n.\r\n'),
    ('a dot at the very start', b'.\r\n' + HEAD + b'.\r\n'),
    ('only dots', b'.\r\n' * 3000),
    ('empty body', HEAD),
    ('nothing at all', b''),
    ('one empty line', b'\r\n'),
    ('no header', b'\r\nno header at all\r\n'),
    ('blanks at line ends', HEAD + b'a \r\nb\t\r\n \r\n\t\r\n'),
    ('"From " lines', HEAD + b'From here on\r\n>From there\r\nFrom \r\n'),
    ('line of 998 octets', HEAD + b'x' * 998 + b'\r\n'),
    ('line of 1 MiB', HEAD + b'y' * (1 << 20) + b'\r\n'),
    ('just below the size kept inside a record', HEAD + lines(2600, 98)),
    ('just above it', HEAD + lines(2700, 98)),
    ('many short lines', HEAD + b'\r\n' * 200000),
    ('fields that look like ours',
     b'Return-Path: <x@y>\r\nDelivered-To: z\r\nReceived: by w\r\n' + HEAD),
    ('5 MiB', HEAD + lines(50000, 103)),
]
BINARIES = [
    ('NUL, lone CR and LF', HEAD + bytes(range(256)) * 64 + b'\r\r\n\n\r\n.\r\n'),
    ('no line end at the end', HEAD + b'no end'),
    ('random octets', HEAD + random.Random(7).randbytes(3 << 20)),
]


def send_and_compare(server, client, count, text, send, binary=False):
    """Send one letter more than `count` and compare it with what lies in the mailbox."""
    before = set(server.letters())
    send(client, text)
    after = server.wait_for_letters(count + 1)
    octets = next(value for name, value in after.items() if name not in before)
    stored = below_the_fields(octets)
    if not binary:
        true(b'\r\n' not in stored, 'stored with LF')
        stored = stored.replace(b'\n', b'\r\n')
    equal(digest(stored), digest(text), f'{len(stored)} octets of {len(text)}')


def each(bench, texts, prepare, binary=False):
    server = bench.server().start()
    with Client(server.port) as client:
        for count, (name, text) in enumerate(texts):
            try:
                send_and_compare(server, client, count, text, prepare, binary)
            except Exception as error:
                raise AssertionError(f'{name}: {error}') from error
        client.quit()


def by_data(bench):
    def send(client, text):
        client.envelope(SENDER, [RECIPIENT], ' BODY=8BITMIME')
        client.data(text)
    each(bench, TEXTS, send)


def by_bdat_in_one_chunk(bench):
    def send(client, text):
        client.envelope(SENDER, [RECIPIENT], ' BODY=8BITMIME')
        client.bdat(text, 1 << 30)
    each(bench, TEXTS, send)


def by_bdat_in_odd_chunks(bench):
    def send(client, text):
        client.envelope(SENDER, [RECIPIENT], ' BODY=8BITMIME')
        client.bdat(text, max(997, len(text) // 900))
    each(bench, TEXTS, send)


def by_binarymime(bench):
    def send(client, text):
        client.envelope(SENDER, [RECIPIENT], ' BODY=BINARYMIME')
        client.bdat(text, 65537)
    each(bench, BINARIES, send, binary=True)


def smtputf8_addresses(bench):
    server = bench.server()
    server.mailbox('%C3%A9l%C3%A9onore')
    server.start()
    with Client(server.port) as client:
        client.envelope('jürgen@bücher.example', ['éléonore@example.org'],
                        ' SMTPUTF8 BODY=8BITMIME')
        client.data(UTF8_HEADERS)
        client.quit()
    octets = list(server.wait_for_letters(1, '%C3%A9l%C3%A9onore').values())[0]
    equal(below_the_fields(octets).replace(b'\n', b'\r\n'), UTF8_HEADERS, 'the text')
    true('Return-Path: <jürgen@'.encode() in octets, 'the sender as it was written')


def fifty_mebibytes(bench):
    server = bench.server(more='size-limit-trusted 64M').start()
    text = HEAD + lines(500000, 103)
    true(len(text) > 50 << 20, 'as large as it is called')
    for count, send in enumerate([lambda c: c.data(text), lambda c: c.bdat(text, 8 << 20)]):
        with Client(server.port) as client:
            client.envelope(SENDER, [RECIPIENT], f' SIZE={len(text)} BODY=8BITMIME')
            send_and_compare(server, client, count, text, lambda c, _, how=send: how(c))
            client.quit()


def not_crlf_dot_crlf(bench):
    """What looks like an end to some servers ends nothing here; it is refused by name, whole."""
    server = bench.server().start()
    for middle in (b'\n.\r\n', b'\n.\n', b'\r.\r', b'\r\n.\n', b'\r\n.\r', b'\0'):
        with Client(server.port) as client:
            client.envelope(SENDER, [RECIPIENT])
            client.command('DATA', '354')
            client.send(HEAD + b'a' + middle + b'MAIL FROM:<smuggled@example.com>\r\n.\r\n')
            reply = client.reply()
            true(reply.startswith('5'), f'{middle!r} was answered {reply}')
            client.command('NOOP', '250')
    equal(server.letters(), {}, 'letters taken')


def one_letter_for_many(bench):
    server = bench.server()
    names = [f'user{i}' for i in range(50)]
    for name in names:
        server.mailbox(name)
    server.start()
    with Client(server.port) as client:
        client.envelope('', [f'{name}@example.org' for name in names[:2]])
        client.data(EIGHT_BIT)
        client.envelope(SENDER, [f'{name}@example.org' for name in names])
        client.data(EIGHT_BIT)
        client.quit()
    for number, name in enumerate(names):
        count = 2 if number < 2 else 1
        for octets in server.wait_for_letters(count, name).values():
            equal(below_the_fields(octets).replace(b'\n', b'\r\n'), EIGHT_BIT, name)
            true(f'Delivered-To: {name}@example.org\n'.encode() in octets, 'delivered to ' + name)


def unknown_users_are_refused(bench):
    server = bench.server().start()
    with Client(server.port) as client:
        client.command('MAIL FROM:<a@example.com>', '250')
        for address, want in [('nobody@example.org', '550 5.1.1'), ('you@example.net', '55'),
                              ('".."@example.org', '550 5.1.1'),
                              ('"a/b"@example.org', '550 5.1.1')]:
            try:
                reply = client.command(f'RCPT TO:<{address}>', '250')
            except Refused as refused:
                reply = str(refused)
            true(reply.startswith(want), f'{address}: {reply}')
        client.command('RCPT TO:<you@example.org>', '250')
        client.data(HEAD)
    server.wait_for_letters(1)


if __name__ == '__main__':
    harness.main([by_data, by_bdat_in_one_chunk, by_bdat_in_odd_chunks, by_binarymime,
                  smtputf8_addresses, fifty_mebibytes, not_crlf_dot_crlf, one_letter_for_many,
                  unknown_users_are_refused])
