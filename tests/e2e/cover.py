#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Our card in front of a bounce that arrives, from a real server.

Mail for far.example waits in the queue, for nobody listens where its route leads; so what the
server knows of it is what it took.
"""
import email
import email.policy

from harness import Client, below_the_fields, equal, free_port, true
import harness

NAMED = 'Message-ID: <m1@example.org>\r\n'
TYPE = 'multipart/report; report-type=delivery-status; boundary=b'


def bounce(named=NAMED, kind=TYPE, envid='', more=''):
    return ('From: Mail Delivery <MAILER-DAEMON@mx.far.example>\r\nTo: you@example.org\r\n'
            'Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n'
            f'Content-Type: {kind}\r\n\r\n--b\r\n\r\nIt failed. See http://evil.example/x\r\n'
            '--b\r\nContent-Type: message/delivery-status\r\n\r\n'
            f'Reporting-MTA: dns; mx.far.example\r\n{envid}\r\n'
            'Final-Recipient: rfc822; bob@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n'
            'Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n'
            '--b\r\nContent-Type: text/rfc822-headers\r\n\r\n'
            f'{named}Subject: hello\r\n\r\n{more}\r\n--b--\r\n').encode()


def begin(bench, more=''):
    lines = f'relay-from 127.0.0.1\nroute far.example=127.0.0.1:{free_port()}\n{more}'
    return bench.server(more=lines).start()


def send(server, sender, to, text, mail=''):
    with Client(server.port) as client:
        client.command(f'MAIL FROM:<{sender}>{mail}', '250')
        client.command(f'RCPT TO:<{to}>', '250')
        client.data(text)
        client.quit()


def send_out(server, mail=''):
    text = f'{NAMED}Subject: hello\r\n\r\nx\r\n'.encode()
    send(server, 'you@example.org', 'bob@far.example', text, mail)


def arrived(server, count=1):
    letters = server.wait_for_letters(count)
    equal(len(letters), count, 'letters')
    name, octets = sorted(letters.items())[-1]
    true(octets.startswith(b'Return-Path: <>\n'), 'from the null sender')
    return name, below_the_fields(octets)


def read(octets, original):
    """What stands in front: the message, the text and the page. The original is as it came."""
    message = email.message_from_bytes(octets, policy=email.policy.SMTP.clone(utf8=True))
    equal(message.defects, [], 'defects')
    equal(message.get_content_type(), 'multipart/mixed', 'type')
    card, enclosed = message.get_payload()
    equal(card.get_content_type(), 'multipart/alternative', 'first part')
    equal(enclosed.get_content_type(), 'message/rfc822', 'second part')
    text, page = card.get_payload()
    equal((text.get_content_type(), page.get_content_type()), ('text/plain', 'text/html'), 'both')
    boundary = b'\n--' + message.get_boundary().encode()
    equal(octets.count(boundary), 3, 'boundaries')
    part = octets.split(boundary)[2].split(b'\n\n', 1)[1]
    equal(part, original.replace(b'\r\n', b'\n'), 'the bounce as it came')
    equal(enclosed['Content-Transfer-Encoding'], message['Content-Transfer-Encoding'], 'codings')
    equal(message['From'].addresses[0].addr_spec, 'postmaster@mx.example.org', 'From')
    equal(message['To'].addresses[0].addr_spec, 'you@example.org', 'To')
    true(message['Date'] and message['Message-ID'] and message['MIME-Version'] == '1.0', 'header')
    return message, text.get_content(), page.get_content()


def told(server, original, count=1):
    """A card that says what the bounce says."""
    message, text, page = read(arrived(server, count)[1], original)
    for said in (text, page):
        true('bob@far.example' in said and '5.1.1' in said, 'the card')
        true('evil' not in said, 'nothing of its text')
    return message


def not_confirmed(server, original, count=1):
    """A card that says that it cannot be confirmed, and nothing of the bounce's own."""
    octets = arrived(server, count)[1]
    message, text, page = read(octets, original)
    equal(message['Subject'], 'We cannot confirm this report', 'Subject')
    equal(message['In-Reply-To'], None, 'In-Reply-To')
    front = octets.split(original.replace(b'\r\n', b'\n'))[0].decode()
    for said in (text, page, front):
        for word in ('far.example', 'evil', 'http', 'm1@', '5.1.1', 'no such', 'hello'):
            true(word not in said, f'{word} in the card')


def a_bounce_of_a_letter_from_here_is_explained(bench):
    server = begin(bench)
    send_out(server)
    send(server, '', 'you@example.org', bounce())
    message = told(server, bounce())
    equal(message['In-Reply-To'], '<m1@example.org>', 'In-Reply-To')
    equal(message['Subject'], 'Your message could not be delivered', 'Subject')


def one_that_names_the_envelope_id_is_explained(bench):
    server = begin(bench)
    send_out(server, mail=' ENVID=QQ+2B1')
    original = bounce(named='', envid='Original-Envelope-Id: QQ+1\r\n')
    send(server, '', 'you@example.org', original)
    told(server, original)


def a_forged_bounce_is_not_confirmed(bench):
    """DSN-006: nobody sent that letter; nor did who got it, nor did it leave."""
    server = begin(bench)
    send(server, '', 'you@example.org', bounce())
    not_confirmed(server, bounce())
    send_out(server)
    other = bounce(named='Message-ID: <other@example.org>\r\n')
    send(server, 'you@example.org', 'you@example.org', b'Message-ID: <other@example.org>\r\n\r\n')
    server.wait_for_letters(2)
    send(server, '', 'you@example.org', other)
    letters = server.wait_for_letters(3)
    covered = [octets for octets in letters.values() if b'cannot confirm' in octets]
    equal(len(covered), 2, 'covers')


def what_is_signed_or_no_bounce_stays_as_it_is(bench):
    server = begin(bench)
    texts = [bounce(kind='multipart/signed; micalg=sha256; boundary=b'),
             bounce(kind='application/pkcs7-mime; smime-type=signed-data'),
             b'From: bob@far.example\r\nSubject: Friday\r\n\r\nShall we meet?\r\n',
             bounce(more='x' * 70 + '\r\n' + ('y' * 70 + '\r\n') * 4000)]
    for count, text in enumerate(texts, 1):
        send(server, '', 'you@example.org', text)
        letters = server.wait_for_letters(count)
        true(text.replace(b'\r\n', b'\n') in map(below_the_fields, letters.values()), 'as it came')


def none_is_explained_where_that_is_not_wanted(bench):
    server = begin(bench, 'explain-bounces no')
    send_out(server)
    send(server, '', 'you@example.org', bounce())
    equal(arrived(server)[1], bounce().replace(b'\r\n', b'\n'), 'as it came')


def codings_are_true(bench):
    server = begin(bench)
    send_out(server)
    for count, (more, coding) in enumerate((('', '7bit'), ('\xe9\r\n', '8bit')), 1):
        original = bounce(more=more)
        send(server, '', 'you@example.org', original, ' BODY=8BITMIME')
        letters = server.wait_for_letters(count)
        found = [octets for octets in map(below_the_fields, letters.values())
                 if original.replace(b'\r\n', b'\n') in octets]
        message, _, _ = read(found[0], original)
        equal(message['Content-Transfer-Encoding'], coding, 'coding')


def a_crash_makes_no_second_copy(bench):
    server = begin(bench)
    send_out(server)
    for count in range(1, 6):
        send(server, '', 'you@example.org', bounce())
        server.kill()
        server.start()
        server.wait_for_letters(count)
    letters = server.letters()
    equal(len(letters), 5, 'letters')
    for octets in letters.values():
        read(below_the_fields(octets), bounce())


harness.main([a_bounce_of_a_letter_from_here_is_explained,
              one_that_names_the_envelope_id_is_explained, a_forged_bounce_is_not_confirmed,
              what_is_signed_or_no_bounce_stays_as_it_is,
              none_is_explained_where_that_is_not_wanted, codings_are_true,
              a_crash_makes_no_second_copy])
