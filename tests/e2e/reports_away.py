#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a sender hears of mail to elsewhere (RFC 3461, 5.2; RFC 3464; RFC 6533), from a real server
that relays to a sink which refuses, takes and offers as it is told. Each report is read twice: by
Python's own reader, and by `postern explain`; both must say the same."""
import json
import subprocess

from harness import Client, below_the_fields, equal, main, true, wait_until
from relay import Sink, queue_is_empty
from reports import fields_of, read

FROM = 'you@example.org'
CONF = 'relay-from 127.0.0.0/8\nallow-private yes\nretry 1s\nresolver 127.0.0.1:9\n'
TEXT = (b'From: <you@example.org>\r\nSubject: away\r\nMessage-ID: <original.1@example.org>\r\n'
        b'\r\nthe body\r\n')


def begin(bench, sink, more=''):
    server = bench.server(more=f'{CONF}{more}\nroute there.lab=127.0.0.1:{sink.port}')
    server.mailbox('you')
    return server.start()


def hand_in(server, recipients, mail='', rcpt='', text=TEXT, sender=FROM):
    with Client(server.port) as client:
        client.command(f'MAIL FROM:<{sender}>{mail}', '250')
        for name in recipients:
            client.command(f'RCPT TO:<{name}>{rcpt}', '250')
        client.data(text)
        client.quit()


def explained(server, octets):
    """What `postern explain` says of it."""
    done = subprocess.run([server.program, 'explain', '--json'], input=octets, timeout=30,
                          capture_output=True, check=False)
    equal(done.stderr, b'', 'explain')
    return json.loads(done.stdout)


def same_in_both(server, octets):
    """Python's reading of a report, and that ours is the same: (report, parts, groups)."""
    report, parts = read(octets)
    groups = fields_of(parts[1])[1:]
    ours = explained(server, octets)['recipients']
    equal([(one['recipient'], one['action'], one['status'], one['remote_mta']) for one in ours],
          [(group['Final-Recipient'].split('; ', 1)[1], group['Action'], group['Status'],
            group['Remote-MTA'].split('; ', 1)[1] if 'Remote-MTA' in group else None)
           for group in groups], 'both readers')
    return report, parts, groups


def reports(server, count=1):
    letters = server.wait_for_letters(count)
    equal(len(letters), count, 'reports')
    return [below_the_fields(octets) for octets in letters.values()]


def those_that_fail_together_have_one_report(bench):
    sink = Sink(bench, ('127.0.0.1', 0), refuse={
        '<no@': '550-5.1.1 <no@there.lab>: no such\r\n550 5.1.1 user here',
        '<full@': '552 5.2.2 the mailbox is full', '<shut@': '550 closed'})
    server = begin(bench, sink)
    hand_in(server, ['no@there.lab', 'a@there.lab', 'full@there.lab', 'shut@there.lab'])
    report, parts, groups = same_in_both(server, reports(server)[0])
    equal([(group['Final-Recipient'], group['Status'], group['Diagnostic-Code'])
           for group in groups],
          [('rfc822; no@there.lab', '5.1.1',
            'smtp; 550 5.1.1 <no@there.lab>: no such user here'),
           ('rfc822; full@there.lab', '5.2.2', 'smtp; 552 5.2.2 the mailbox is full'),
           ('rfc822; shut@there.lab', '5.0.0', 'smtp; 550 closed')], 'all of them')
    for group in groups:
        equal((group['Action'], group['Remote-MTA']), ('failed', 'dns; [127.0.0.1]'), 'by whom')
        true('Last-Attempt-Date' in group and 'Will-Retry-Until' not in group, 'when')
    equal((report['In-Reply-To'], report['References']), ('<original.1@example.org>',) * 2,
          'thread')
    equal(parts[2].get_content_type(), 'message/rfc822', 'what came back')
    equal(len(sink.letters), 1, 'the other has it')
    queue_is_empty(server)


def refused_after_the_text(bench):
    """One word for all of them, and one report."""
    sink = Sink(bench, ('127.0.0.1', 0), kept='554-5.7.1 spam:\r\n554 5.7.1 see there')
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab', 'b@there.lab'])
    _, _, groups = same_in_both(server, reports(server)[0])
    equal([group['Diagnostic-Code'] for group in groups],
          ['smtp; 554 5.7.1 spam: see there'] * 2, 'its words')
    queue_is_empty(server)


def given_up_together(bench):
    """The schedule ends for all at the same instant; its last words are told."""
    sink = Sink(bench, ('127.0.0.1', 0), refuse={'RCPT': '450 4.2.0 greylisted'})
    server = begin(bench, sink, 'give-up-after 2s')
    hand_in(server, ['a@there.lab', 'b@there.lab', 'c@there.lab'])
    octets = reports(server)[0]
    equal(len(fields_of(read(octets)[1][1])[1:]), 3, 'recipients')
    for group in fields_of(read(octets)[1][1])[1:]:
        equal((group['Action'], group['Status'], group['Diagnostic-Code']),
              ('failed', '4.4.7', 'smtp; 450 4.2.0 greylisted'), 'group')
    queue_is_empty(server)


def late_together(bench):
    sink = Sink(bench, ('127.0.0.1', 0), refuse={'RCPT': '450 4.2.0 greylisted'})
    server = begin(bench, sink, 'delay-report 1s')
    hand_in(server, ['a@there.lab', 'b@there.lab'])
    groups = same_in_both(server, reports(server)[0])[2]
    equal([(group['Action'], group['Status'], 'Will-Retry-Until' in group) for group in groups],
          [('delayed', '4.2.0', True)] * 2, 'groups')
    wait_until(lambda: len(sink.lines) > 20, 'more attempts')
    equal(len(server.letters()), 1, 'one report')


def relayed_is_told_once(bench):
    """RFC 3461, 5.2.2 (a): the next hop has no DSN, so we say how far it came."""
    sink = Sink(bench, ('127.0.0.1', 0))
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab', 'b@there.lab'], rcpt=' NOTIFY=SUCCESS,FAILURE')
    hand_in(server, ['c@there.lab'], rcpt=' NOTIFY=FAILURE')
    groups = same_in_both(server, reports(server)[0])[2]
    equal([(group['Final-Recipient'], group['Action'], group['Diagnostic-Code'])
           for group in groups],
          [(f'rfc822; {name}@there.lab', 'relayed', 'smtp; 250 2.0.0 kept') for name in 'ab'],
          'groups')
    queue_is_empty(server)
    true(not any('NOTIFY' in line for line in sink.lines), 'nothing that it does not know')
    server.kill()
    server.start()
    queue_is_empty(server)
    equal(len(server.letters()), 1, 'also after a restart')


def a_next_hop_with_dsn_tells_itself(bench):
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DSN',))
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab'], mail=' RET=HDRS ENVID=QQ+2B1',
            rcpt=' NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example')
    wait_until(lambda: sink.letters, 'the letter')
    true('RET=HDRS ENVID=QQ+2B1' in sink.letters[0][0], sink.letters[0][0])
    equal(sink.letters[0][1],
          ['RCPT TO:<a@there.lab> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example'], 'RCPT')
    queue_is_empty(server)
    equal(server.letters(), {}, 'no word of ours')


def the_time_that_is_left_is_passed_on(bench):
    """RFC 2852; and what is no time is refused."""
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DSN', 'DELIVERBY'))
    server = begin(bench, sink)
    with Client(server.port) as client:
        for wrong in ('BY=0;R', 'BY=60', 'BY=1000000000;N', 'BY=60;RX'):
            client.command(f'MAIL FROM:<{FROM}> {wrong}', '501')
    hand_in(server, ['a@there.lab'], mail=' BY=600;R')
    wait_until(lambda: sink.letters, 'the letter')
    words = sink.letters[0][0].split(' BY=')[1].split(' ')[0]
    seconds, mode = words.split(';')
    true(mode == 'R' and 500 < int(seconds) <= 600, words)
    queue_is_empty(server)
    equal(server.letters(), {}, 'no word of ours')


def who_keeps_no_time_gets_nothing_that_must_come_back(bench):
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DSN',))
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab'], mail=' BY=600;R')
    group = same_in_both(server, reports(server)[0])[2][0]
    equal((group['Action'], group['Status']), ('failed', '5.4.7'), 'what became of it')
    equal(sink.letters, [], 'it was not handed on')


def who_keeps_no_time_gets_the_rest_and_that_is_told(bench):
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DSN',))
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab'], mail=' BY=600;N')
    group = same_in_both(server, reports(server)[0])[2][0]
    equal(group['Action'], 'relayed', 'what became of it')
    true('BY=' not in sink.letters[0][0], sink.letters[0][0])


def the_priority_is_passed_on(bench):
    """RFC 6710, of those who may relay. (Of a stranger: core/smtp/server_world_test.c.)"""
    sink = Sink(bench, ('127.0.0.1', 0), offers=('MT-PRIORITY',))
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab'], mail=' MT-PRIORITY=4')
    wait_until(lambda: sink.letters, 'the letter')
    true(sink.letters[0][0].endswith(' MT-PRIORITY=4'), sink.letters[0][0])
    plain = Sink(bench, ('127.0.0.1', 0))
    other = begin(bench, plain)
    hand_in(other, ['a@there.lab'], mail=' MT-PRIORITY=4')
    wait_until(lambda: plain.letters, 'the letter')
    true('MT-PRIORITY' not in plain.letters[0][0], plain.letters[0][0])


def late_it_comes_back(bench):
    """Across a restart; long before the patience with others is over."""
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DELIVERBY',), refuse={'RCPT': '450 4.2.1 busy'})
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab'], mail=' BY=6;R')
    wait_until(lambda: any('BY=' in line for line in sink.lines), 'a try')
    server.kill()
    server.start()
    octets = reports(server)[0]
    group = same_in_both(server, octets)[2][0]
    equal((group['Action'], group['Status']), ('failed', '5.4.7'), 'what became of it')
    true(b'the time by which its sender wanted it' in octets.replace(b'\r\n', b' '), octets)
    queue_is_empty(server)


def late_its_sender_hears(bench):
    sink = Sink(bench, ('127.0.0.1', 0), offers=('DELIVERBY',), refuse={'RCPT': '450 4.2.1 busy'})
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab'], mail=' BY=3;N')
    group = same_in_both(server, reports(server)[0])[2][0]
    equal(group['Action'], 'delayed', 'what became of it')
    sink.refuse = {}
    wait_until(lambda: sink.letters, 'the letter, after all')
    true(' BY=-' in sink.letters[0][0], sink.letters[0][0])
    equal(len(server.letters()), 1, 'told once')


def utf8_recipients(bench):
    """RFC 6533: the address as it was written, in both readers."""
    sink = Sink(bench, ('127.0.0.1', 0), offers=('SMTPUTF8',), refuse={'RCPT': '550 5.1.1 wer?'})
    server = begin(bench, sink)
    hand_in(server, ['j\u00f6rg@there.lab', '"a b"@there.lab', '\u4f60\u597d@there.lab'],
            mail=' SMTPUTF8 BODY=8BITMIME', text='Subject: \u00e9t\u00e9\r\n\r\nx\r\n'.encode())
    report, parts, groups = same_in_both(server, reports(server)[0])
    equal(report.get_param('report-type'), 'global-delivery-status', 'report-type')
    equal([group['Final-Recipient'] for group in groups],
          ['utf-8; j\u00f6rg@there.lab', 'rfc822; "a b"@there.lab',
           'utf-8; \u4f60\u597d@there.lab'], 'addresses')
    equal(parts[2].get_content_type(), 'message/global', 'what came back')


def eight_bit_letters_come_back_in_seven(bench):
    """So that whoever signs the report may sign it as it is."""
    sink = Sink(bench, ('127.0.0.1', 0), refuse={'RCPT': '550 5.1.1 who'})
    server = begin(bench, sink)
    text = (TEXT.replace(b'\r\n\r\n', b'\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; '
                         b'charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n', 1)
            + 'gr\u00fc\u00dfe\r\n'.encode())
    hand_in(server, ['a@there.lab'], mail=' BODY=8BITMIME', text=text)
    octets = reports(server)[0]
    _, parts, _ = same_in_both(server, octets)
    true(octets.isascii(), 'all of it')
    letter = parts[2].get_payload()[0]
    equal(letter.get_content(), 'the body\ngr\u00fc\u00dfe\n', 'the text')
    equal(letter['Message-ID'], '<original.1@example.org>', 'its header')


def nothing_of_a_report(bench):
    """A bounce of a bounce never: what the sink refuses of the null sender is held."""
    sink = Sink(bench, ('127.0.0.1', 0), refuse={'RCPT': '550 5.1.1 who'})
    server = begin(bench, sink)
    hand_in(server, ['a@there.lab', 'b@there.lab'], sender='')
    wait_until(lambda: server.log().count('report_held') == 2, 'the log to say so')
    hand_in(server, ['a@there.lab'], sender='z@there.lab')      # its report fails there, too
    wait_until(lambda: server.log().count('report_held') == 3, 'the report to fail')
    equal(server.letters(), {}, 'nobody is told')


def many_count_once(bench):
    """Against backscatter: so many reports, whatever number of recipients they are about."""
    sink = Sink(bench, ('127.0.0.1', 0), refuse={'RCPT': '550 5.1.1 who'})
    server = begin(bench, sink, 'reports-per-hour 2')
    names = [f'{chr(97 + i)}@there.lab' for i in range(20)]
    for _ in range(3):
        hand_in(server, names)
    wait_until(lambda: 'report_held' in server.log(), 'the limit')
    for octets in reports(server, 2):
        equal(len(same_in_both(server, octets)[2]), len(names), 'recipients')


if __name__ == '__main__':
    main([those_that_fail_together_have_one_report, refused_after_the_text, given_up_together,
          late_together, relayed_is_told_once, a_next_hop_with_dsn_tells_itself, utf8_recipients,
          the_priority_is_passed_on, the_time_that_is_left_is_passed_on,
          who_keeps_no_time_gets_nothing_that_must_come_back,
          who_keeps_no_time_gets_the_rest_and_that_is_told, late_it_comes_back,
          late_its_sender_hears, eight_bit_letters_come_back_in_seven, nothing_of_a_report,
          many_count_once])
