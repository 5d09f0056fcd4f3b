#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a sender hears of a letter (RFC 3461, RFC 3464, RFC 6533), from a real server.

The mailbox `broken` is taken at RCPT and can never be delivered to: where its folder new/ should
be, a file stands in the way. Patience is a second, so it has failed soon.
"""
import email
import email.policy
import os

import harness
from harness import Client, below_the_fields, equal, id_of, true, wait_until

SOON = 'retry 1s\ngive-up-after 1s'
TEXT = (b'From: <you@example.org>\r\nSubject: a letter\r\nMessage-ID: <original.1@example.org>\r\n'
        b'\r\nthe body\r\n')


def block(server, name):
    """A mailbox that is there, and can never be delivered to."""
    path = server.mailbox(name)
    for sub in ('tmp', 'cur'):
        os.mkdir(os.path.join(path, sub))
    with open(os.path.join(path, 'new'), 'w', encoding='ascii') as file:
        file.write('in the way')
    owner = os.stat(path)
    for sub in ('tmp', 'cur', 'new'):
        os.chown(os.path.join(path, sub), owner.st_uid, owner.st_gid)


def begin(bench, more=SOON, names=('broken',)):
    server = bench.server(more=more)
    for name in names:
        block(server, name)
    return server.start()


def send(server, to='broken', sender='you@example.org', mail='', rcpt='', text=TEXT):
    """The letter's id."""
    with Client(server.port) as client:
        true('DSN' in client.extensions.replace('-', ' ').split(), 'DSN is offered')
        client.command(f'MAIL FROM:<{sender}>{mail}', '250')
        client.command(f'RCPT TO:<{to}@example.org>{rcpt}', '250')
        reply = client.data(text)
        client.quit()
    return id_of(reply)


def read(octets):
    """A report's header, text, fields of letter and recipient, and what came back."""
    report = email.message_from_bytes(octets, policy=email.policy.SMTP.clone(utf8=True))
    equal(report.defects, [], 'defects')
    equal(report.get_content_type(), 'multipart/report', 'type')
    parts = report.get_payload()
    equal(len(parts), 3, 'parts')
    equal(parts[0].get_content_type(), 'multipart/alternative', 'first part')
    text, html = parts[0].get_payload()
    equal((text.get_content_type(), html.get_content_type()), ('text/plain', 'text/html'), 'both')
    true('<article class="card' in html.get_content(), 'the card')
    for word in ('http:', 'https:', 'src=', '<script'):
        true(word not in html.get_content(), f'{word} in the card')
    parts = [text] + parts[1:]
    equal(report['Auto-Submitted'], 'auto-replied', 'Auto-Submitted')
    equal(report['From'].addresses[0].addr_spec, 'postmaster@mx.example.org', 'From')
    true(report['Date'] and report['Message-ID'] and report['MIME-Version'] == '1.0', 'header')
    for line in octets.split(b'\n'):
        true(len(line) <= 998, 'short lines')
    return report, parts


def fields_of(part):
    """The groups of fields of a delivery-status."""
    if part.get_content_type() == 'message/delivery-status':
        return [dict(group.items()) for group in part.get_payload()]
    body = part.as_bytes().replace(b'\r\n', b'\n').split(b'\n\n', 1)[1].decode()
    return [dict(line.split(': ', 1) for line in group.splitlines())
            for group in body.strip().split('\n\n')]


def first_report(server, count=1):
    letters = server.wait_for_letters(count)
    equal(len(letters), count, 'reports')
    octets = list(letters.values())[-1]
    true(octets.startswith(b'Return-Path: <>\n'), 'from the null sender')
    return read(below_the_fields(octets))


def gone(server, letter, what='failed'):
    """No word of it in the queue, and its history says how it ended."""
    wait_until(lambda: letter not in server.run('queue').stdout, 'the letter to leave')
    true(what in server.run('trace', letter).stdout.lower(), 'its history')


def a_failure_is_told(bench):
    server = begin(bench)
    letter = send(server, mail=' RET=FULL ENVID=QQ+2B1',
                  rcpt=' NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob+2Bx@example.net')
    report, parts = first_report(server)
    equal(report['To'].addresses[0].addr_spec, 'you@example.org', 'To')
    equal(report['In-Reply-To'], '<original.1@example.org>', 'In-Reply-To')
    equal(report['References'], '<original.1@example.org>', 'References')
    equal(report.get_param('report-type'), 'delivery-status', 'report-type')
    about, recipient = fields_of(parts[1])
    equal(about['Original-Envelope-Id'], 'QQ+1', 'ENVID')
    equal(about['Reporting-MTA'], 'dns; mx.example.org', 'Reporting-MTA')
    equal(recipient['Original-Recipient'], 'rfc822;bob+x@example.net', 'ORCPT')
    equal(recipient['Final-Recipient'], 'rfc822; broken@example.org', 'Final-Recipient')
    equal(recipient['Action'], 'failed', 'Action')
    true(recipient['Status'][0] in '45', 'Status')
    equal(parts[2].get_content_type(), 'message/rfc822', 'what came back')
    equal(parts[2].get_payload()[0]['Subject'], 'a letter', 'original Subject')
    true('the body' in parts[2].as_string(), 'all of it')
    true(letter in parts[0].get_content(), 'the text names the letter')
    gone(server, letter)


def without_notify_a_failure_is_told(bench):
    server = begin(bench)
    send(server, mail=' RET=HDRS')
    _, parts = first_report(server)
    equal(parts[2].get_content_type(), 'text/rfc822-headers', 'what came back')
    true('Subject: a letter' in parts[2].get_content(), 'the header')
    true('the body' not in parts[2].as_string(), 'not the body')


def a_sender_that_is_an_alias_is_told(bench):
    server = bench.server()
    aliases = os.path.join(server.folder, 'aliases')
    with open(aliases, 'w', encoding='ascii') as file:
        file.write('sales: you\n')
    os.chmod(aliases, 0o644)
    server.configure(f'{SOON}\naliases {aliases}')
    block(server, 'broken')
    server.start()
    send(server, sender='sales@example.org')
    report, _ = first_report(server)
    equal(report['To'].addresses[0].addr_spec, 'sales@example.org', 'To')


def nobody_wants_to_know(bench):
    server = begin(bench)
    for notify in ('NEVER', 'SUCCESS', 'DELAY', 'SUCCESS,DELAY'):
        gone(server, send(server, rcpt=f' NOTIFY={notify}'))
    equal(server.letters(), {}, 'reports')


def a_success_is_told_when_asked_for(bench):
    server = begin(bench, names=())
    server.mailbox('bob')
    send(server, 'bob')
    send(server, 'bob', rcpt=' NOTIFY=FAILURE')
    send(server, 'bob', mail=' RET=FULL', rcpt=' NOTIFY=SUCCESS,FAILURE')
    server.wait_for_letters(3, 'bob')
    _, parts = first_report(server)
    recipient = fields_of(parts[1])[1]
    equal((recipient['Action'], recipient['Status'][0]), ('delivered', '2'), 'Action')
    equal(parts[2].get_content_type(), 'text/rfc822-headers', 'what came back')


def a_delay_is_told_once(bench):
    server = begin(bench, 'retry 1s\ndelay-report 1s')
    send(server, rcpt=' NOTIFY=FAILURE')
    send(server, text=b'Precedence: bulk\r\n' + TEXT)
    letter = send(server)
    _, parts = first_report(server)
    recipient = fields_of(parts[1])[1]
    equal((recipient['Action'], recipient['Status'][0]), ('delayed', '4'), 'Action')
    true('Will-Retry-Until' in recipient, 'until when')
    true('Delivery incomplete: ' in parts[0].get_content(), 'words')
    true('Yes, until ' in parts[0].get_content(), 'until when')
    equal(server.stop(), 0, 'exit')
    server.start()
    tries = server.run('trace', letter).stdout.count('\n')
    wait_until(lambda: server.run('trace', letter).stdout.count('\n') > tries + 1, 'more attempts')
    equal(len(server.letters()), 1, 'one report, also after a restart')


def a_report_is_never_answered(bench):
    """DSN-007: what has no sender stays in the queue, and is seen there."""
    server = begin(bench)
    letter = send(server, sender='')
    wait_until(lambda: 'report_held' in server.log(), 'the log to say so')
    true(letter in server.run('queue').stdout, 'it is listed')
    send(server, sender='broken@example.org')       # its report fails in turn
    wait_until(lambda: server.log().count('report_held') >= 2, 'the report to fail')
    equal(server.letters(), {}, 'nobody is told')


def a_sender_is_told_so_often_in_an_hour(bench):
    """SRV-106, in small."""
    server = begin(bench, SOON + '\nreports-per-hour 2')
    for _ in range(4):
        send(server, rcpt=' NOTIFY=SUCCESS,FAILURE,DELAY')
    wait_until(lambda: server.log().count('report_held') == 2, 'the limit')
    equal(len(server.wait_for_letters(2)), 2, 'reports')


def utf8_has_its_own_report(bench):
    server = begin(bench, names=('j%C3%B6rg',))
    send(server, 'j\u00f6rg', mail=' SMTPUTF8 BODY=8BITMIME RET=HDRS',
         rcpt=r' ORCPT=utf-8;j\x{F6}rg@example.org',
         text='Subject: \u00e9t\u00e9\r\n\r\nx\r\n'.encode())
    report, parts = first_report(server)
    equal(report.get_param('report-type'), 'global-delivery-status', 'report-type')
    equal(parts[1].get_content_type(), 'message/global-delivery-status', 'second part')
    recipient = fields_of(parts[1])[1]
    equal(recipient['Final-Recipient'], 'utf-8; j\u00f6rg@example.org', 'Final-Recipient')
    equal(recipient['Original-Recipient'], 'utf-8;j\u00f6rg@example.org', 'Original-Recipient')
    equal(parts[2].get_content_type(), 'message/global-headers', 'what came back')


def a_large_letter_comes_back_as_its_header(bench):
    server = begin(bench)
    send(server, mail=' RET=FULL', text=TEXT + b'0123456789\r\n' * 100000)
    _, parts = first_report(server)
    equal(parts[2].get_content_type(), 'text/rfc822-headers', 'what came back')
    true('Subject: a letter' in parts[2].get_content(), 'the header')


if __name__ == '__main__':
    harness.main([
        a_failure_is_told, without_notify_a_failure_is_told,
        a_sender_that_is_an_alias_is_told, nobody_wants_to_know,
        a_success_is_told_when_asked_for, a_delay_is_told_once, a_report_is_never_answered,
        a_sender_is_told_so_often_in_an_hour, utf8_has_its_own_report,
        a_large_letter_comes_back_as_its_header])
