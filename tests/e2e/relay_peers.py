#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Letters for elsewhere, by MX records of a signed DNS, to the next hops that people run: Postfix,
Exim and OpenSMTPD; and to some of our own that greylist, lie and are not there.

usage: relay_peers.py POSTERN PACKAGES [TEST...]; root only (netlab.py)
"""

import re
import time

import netlab
from harness import Client, equal, id_of, true, wait_until
from nexthops import KINDS, PACKAGES
from nextsink import Sink
from webserver import Authority

SENDER = 'you@example.org'
HEAD = (b'Date: Sun, 01 Feb 2026 10:00:00 +0000\r\nMessage-ID: <one@example.org>\r\n'
        b'From: <you@example.org>\r\nTo: <undisclosed@example.org>\r\nSubject: abroad\r\n')
PLAIN = HEAD + b'\r\n.\r\n..\r\n.x\r\n' + b'y' * 900 + b'\r\n' + b'z\r\n' * 2000 + b'\r\n \r\n\r\n'
EIGHT = HEAD + ('MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
                'Content-Transfer-Encoding: 8bit\r\n\r\nGrüße, Привет\r\n.\r\n').encode()
UTF8 = HEAD.replace(b'abroad', 'Grüße'.encode()) + EIGHT[len(HEAD):]

KILLED, LINES = b'0123456789abcde', 10000       # the body of those amid which a peer is killed


def kinds(net, bench, names=tuple(KINDS), **more):
    """One of each, with an MX record."""
    hops = []
    for kind in names:
        make = KINDS[kind]
        host = net.host(kind)
        net.zone(f'{kind}.lab', f'@ MX 10 mx\nmx A {host.ip}\n')
        hops.append(make(bench, host, f'{kind}.lab', **more).start())
    return hops


def send(server, recipients, text, parameters='', sender=SENDER, dsn=''):
    """Its id."""
    with Client(server.port) as client:
        client.command(f'MAIL FROM:<{sender}>{parameters}', '250')
        for recipient in recipients:
            client.command(f'RCPT TO:<{recipient}>{dsn}', '250')
        return id_of(client.data(text))


def is_over(server):
    """Nothing waits."""
    done = server.run('queue', '--json')
    return done.returncode == 0 and done.stdout == ''


def report(server, recipient):
    """What the reports in the sender's mailbox say of him, for programs; their text before it."""
    def look():
        for octets in server.letters().values():
            text = octets.decode('utf-8', 'replace')
            for part in text.split('\n\n'):
                if part.startswith('Final-Recipient:') and recipient in part.split('\n')[0]:
                    return part, text
        return None
    return wait_until(look, f'a report of {recipient}')


def lines(octets):
    return octets.replace(b'\r\n', b'\n')


# ---- the three peers

def each_peer_gets_letters_whole(bench):
    """Several recipients, dots, long lines, 8-bit text: octet for octet, as all offer 8BITMIME."""
    net = netlab.Net(bench)
    hops = kinds(net, bench)
    server = net.start().server().start()
    for text, parameters in ((PLAIN, ''), (EIGHT, ' BODY=8BITMIME')):
        send(server, [f'{name}@{hop.domain}' for hop in hops for name in 'abc'], text, parameters)
    for hop in hops:
        letters = hop.wait_for(6)
        equal(sorted(letters), [f'{name}@{hop.domain}' for name in 'abc'], 'recipients')
        for name, octets in letters.items():
            for text in (PLAIN, EIGHT):
                equal(sum(lines(one).endswith(b'\n' + lines(text)) for one in octets), 1,
                      f'{name}: whole and once, of {[len(one) for one in octets]}')
    wait_until(lambda: is_over(server), 'an empty queue')
    equal(server.letters(), {}, 'reports')


def letters_inside_tls_pass_unseen(bench):
    """To Postfix and Exim, which offer STARTTLS; nothing of it passes in clear."""
    net = netlab.Net(bench)
    pair = Authority(bench.folder()).issue('mx.example.net')
    hops = kinds(net, bench, ('postfix', 'exim'), pair=pair)
    server = net.start().server().start()
    capture = net.capture()
    secret = b'what nobody else may read'
    send(server, [f'a@{hop.domain}' for hop in hops], HEAD + b'\r\n' + secret + b'\r\n')
    for hop in hops:
        hop.wait_for(1)
    true(capture.saw(b'STARTTLS'), 'the capture sees what is said before')
    true(not capture.saw(secret), 'in clear on the wire')
    wait_until(lambda: server.log().count(' channel=tls ') == len(hops), 'both inside TLS')


def letters_in_utf8_reach_each_peer(bench):
    """Field values in UTF-8: as they are where SMTPUTF8 is offered, encoded where it is not."""
    net = netlab.Net(bench)
    hops = kinds(net, bench)
    server = net.start().server().start()
    send(server, [f'a@{hop.domain}' for hop in hops], UTF8, ' SMTPUTF8 BODY=8BITMIME')
    for hop in hops:
        octets = lines(hop.wait_for(1)[f'a@{hop.domain}'][0])
        if hop.domain == 'opensmtpd.lab':
            true(b'\nSubject: =?utf-8?' in octets.replace(b'=?UTF-8?', b'=?utf-8?'), octets)
        else:
            true(octets.endswith(b'\n' + lines(UTF8)), octets)


def the_quoted_dot(bench):
    """"."@domain: delivered by those that take it; told in words where one refuses."""
    net = netlab.Net(bench)
    hops = kinds(net, bench)
    strict = Sink(net.host('strict'), tells={
        'RCPT': lambda session, line: '553 5.1.2 The address is no address at all'})
    net.zone('strict.lab', f'@ MX 10 mx\nmx A {net.hosts[-1].ip}\n')
    server = net.start().server().start()
    send(server, [f'"."@{hop.domain}' for hop in hops] + ['"."@strict.lab'], PLAIN)
    for hop in hops:
        if hop.domain != 'opensmtpd.lab':       # it takes no quoted local part at all: 501 5.1.3
            letters = hop.wait_for(1)
            equal(list(letters), [f'"."@{hop.domain}'], 'the recipient')
            true(lines(letters[f'"."@{hop.domain}'][0]).endswith(lines(PLAIN)), 'whole')
    part, text = report(server, '"."@strict.lab')
    for words in ('\nStatus: 5.1.2\n', '\nDiagnostic-Code: smtp; 553 '):
        true(words in part, f'{words!r} is not in {part}')
    true('To: "."@strict.lab' in text and 'The address is no address at all' in text, text)
    true('does not take quotation marks' in text and 'domain right of' not in text, text)
    if any(hop.domain == 'opensmtpd.lab' for hop in hops):
        true('\nStatus: 5.1.3\n' in report(server, '"."@opensmtpd.lab')[0], 'why OpenSMTPD refused')
    equal(strict.sessions[0].lines[2], 'RCPT TO:<"."@strict.lab>', 'what was said')


def a_peer_is_killed_amid_letters(bench, kind, count=24):
    """Twice; each letter comes once, or twice where a reply to its final dot was lost."""
    net = netlab.Net(bench)
    host = net.host(kind)
    net.zone(f'{kind}.lab', f'@ MX 10 mx\nmx A {host.ip}\n')
    hop = KINDS[kind](bench, host, f'{kind}.lab').start()
    server = net.start().server().start()
    for part in range(3):
        for number in range(part * count, (part + 1) * count):
            send(server, [f'a@{kind}.lab'], HEAD.replace(b'one@', b'%d@' % number) + b'\r\n'
                 + (KILLED + b'\r\n') * LINES)
        if part < 2:
            wait_until(lambda wanted=part * count: server.log().count('=delivered ') > wanted,
                       'a first delivery')
            hop.kill()
            server.stop()           # it would let the address rest; who begins anew does not
            hop.start()
            server.start()
    wait_until(lambda: is_over(server), 'an empty queue')
    want = {b'%d@example.org' % number for number in range(3 * count)}
    wait_until(lambda: want <= {number for number, _ in taken(hop)}, f'all of them at {kind}')
    windows = server.log().count(' window=yes')
    more = len(taken(hop)) - 3 * count
    true(more <= windows, f'{more} letters twice, and {windows} windows counted')
    equal(server.letters(), {}, 'reports')


def taken(hop):
    """(Message-ID, the id that the hop gave it) of each whole letter. One that the hop delivers
    twice itself, killed before it noted the first time, is one; one that it had half written
    when it was killed is none."""
    return {(octets.split(b'Message-ID: <', 1)[1].split(b'>')[0],
             re.search(rb'^Received:.*?\bid ([\w-]+)', octets, re.M | re.S).group(1))
            for each in hop.letters().values() for octets in each
            if octets.count(b'\n' + KILLED) == LINES}


def postfix_is_killed_amid_letters(bench):
    a_peer_is_killed_amid_letters(bench, 'postfix')


def exim_is_killed_amid_letters(bench):
    a_peer_is_killed_amid_letters(bench, 'exim')


def opensmtpd_is_killed_amid_letters(bench):
    a_peer_is_killed_amid_letters(bench, 'opensmtpd')


# ---- next hops of our own

def one_sink(bench, **more):
    """(network, sink, server) for sink.lab."""
    net = netlab.Net(bench)
    host = net.host('sink')
    net.zone('sink.lab', f'@ MX 10 mx\nmx A {host.ip}\n')
    sink = Sink(host, **more)
    return net, sink, net.start().server().start()


def a_greylisting_peer_gets_it_later(bench):
    """CLI-036: 450 for a while; then once, from the same name."""
    first = []

    def greylist(_session, _line):
        first.append(time.monotonic())
        return '450 4.7.1 come again' if first[-1] - first[0] < 4 else None
    _, sink, server = one_sink(bench, tells={'RCPT': greylist})
    send(server, ['a@sink.lab'], PLAIN)
    wait_until(lambda: 'come again' in server.run('queue').stdout, 'the reason in the queue')
    wait_until(lambda: is_over(server), 'an empty queue')
    equal(len(sink.letters), 1, 'letters')
    equal({session.lines[0] for session in sink.sessions}, {'EHLO mx.example.org'}, 'names')
    true(len(first) < 8, f'{len(first)} tries: it is not hammered')


def a_lost_reply_is_counted(bench):
    """CLI-021: it hangs up after the final dot, having taken the letter."""
    once = ['lost']
    _, sink, server = one_sink(bench, tells={'.': lambda session, line: once.pop() if once
                                             else None})
    send(server, ['a@sink.lab'], PLAIN)
    wait_until(lambda: is_over(server), 'an empty queue')
    equal(len(sink.letters), 2, 'letters')
    equal(server.log().count(' window=yes'), 1, 'windows counted')


def a_421_at_each_stage(bench):
    """CLI-024: whatever was being said, the rest waits, and what was taken is not sent again."""
    for verb in ('EHLO', 'MAIL', 'RCPT', 'DATA', '.', ''):
        once = [True]

        def leaves(_session, _line, left=once):
            return '421 4.3.2 not now' if left and left.pop() else None
        _, sink, server = one_sink(bench, tells={verb: leaves})
        send(server, ['a@sink.lab', 'b@sink.lab'], PLAIN)
        wait_until(lambda on=server: is_over(on), f'an empty queue after 421 to {verb}')
        equal(sink.recipients(), ['a@sink.lab', 'b@sink.lab'], f'recipients after 421 to {verb}')
        equal(server.letters(), {}, 'reports')
        bench.clean('')


def too_many_recipients_go_in_the_next(bench):
    """CLI-026: 452 after two is no failure, and nobody waits for the next try."""
    def two(session, _line):
        return '452 4.5.3 too many' if len(session.letter.recipients) >= 2 else None
    _, sink, server = one_sink(bench, tells={'RCPT': two})
    names = [f'{name}@sink.lab' for name in 'abcdefg']
    send(server, names, PLAIN)
    wait_until(lambda: is_over(server), 'an empty queue')
    equal(sink.recipients(), names, 'recipients')
    true('event=delivery-waits' not in server.log(), 'none waits')


def wishes_for_reports_are_passed_on(bench):
    """RFC 3461: to a hop with DSN as they came, and then it is the one who reports."""
    _, sink, server = one_sink(bench, extensions=['DSN'])
    send(server, ['a@sink.lab'], PLAIN, ' RET=HDRS ENVID=QQ314159', dsn=' NOTIFY=SUCCESS,FAILURE '
         'ORCPT=rfc822;Bob@elsewhere.example')
    wait_until(lambda: is_over(server), 'an empty queue')
    told = '\n'.join(sink.sessions[0].lines)
    for words in (' RET=HDRS', ' ENVID=QQ314159', ' NOTIFY=SUCCESS,FAILURE',
                  ' ORCPT=rfc822;Bob@elsewhere.example'):
        true(words in told, f'{words} in {told}')
    equal(server.letters(), {}, 'reports')


def a_hop_without_dsn_makes_us_report(bench):
    _, sink, server = one_sink(bench)
    send(server, ['a@sink.lab'], PLAIN, ' ENVID=QQ314159', dsn=' NOTIFY=SUCCESS')
    part, text = report(server, 'a@sink.lab')
    true('Action: relayed' in part and 'Original-Envelope-Id: QQ314159' in text, text)
    true('NOTIFY' not in '\n'.join(sink.sessions[0].lines), 'what it did not offer')


# ---- the DNS says no, or nothing

def what_the_dns_denies_is_reported(bench):
    """A null MX is 5.1.10 (RFC 7505), a proved "no such domain" 5.1.2, both at once."""
    net = netlab.Net(bench)
    net.zone('null.lab', '@ MX 0 .\n@ A 198.18.9.9\n')
    net.zone('some.lab', 'mx A 198.18.9.9\n')
    server = net.start().server().start()
    send(server, ['a@null.lab'], PLAIN)
    true('Status: 5.1.10' in report(server, 'a@null.lab')[0], 'a null MX')
    for name in ('nowhere.lab', 'nobody.some.lab', 'nosuch'):
        send(server, [f'a@{name}'], PLAIN)
        true('Status: 5.1.2' in report(server, f'a@{name}')[0], f'no such domain: {name}')


def what_the_dns_cannot_say_waits(bench):
    """SERVFAIL, wrong signatures, silence: tried again and again, never a failure (DNS-003)."""
    net = netlab.Net(bench)
    dead = net.host('dead')
    net.dns.broken('broken.lab')
    net.zone('bogus.lab', f'@ MX 10 mx\nmx A {dead.ip}\n', wrong=True)
    net.zone('silent.lab', 'sub NS ns.sub\nns.sub A 198.18.77.77\n')
    server = net.start().server().start()
    names = ['broken.lab', 'bogus.lab', 'sub.silent.lab']
    send(server, [f'a@{name}' for name in names], PLAIN)
    for name in names:
        wait_until(lambda one=name: any(f'to=a@{one} ' in line and ' attempt=2 ' in line
                                        for line in server.log().split('\n')), f'{name} again')
        true(f'a@{name}' in server.run('queue').stdout, f'{name} waits')
    true('event=delivery-failed' not in server.log(), 'none failed')
    equal(server.letters(), {}, 'reports')


def a_dead_host_beside_a_healthy_one(bench):
    """The first is not there, the second's port is closed, the third takes it; and who waits for a
    dead destination does not hold up others (CLI-001, CLI-032)."""
    net = netlab.Net(bench)
    shut, well, black = net.host('shut'), net.host('well'), net.host('black')
    black.cut()
    net.zone('mixed.lab', '@ MX 10 none\n@ MX 20 shut\n@ MX 30 well\nnone A 198.18.77.77\n'
                          f'shut A {shut.ip}\nwell A {well.ip}\n')
    net.zone('black.lab', f'@ MX 10 mx\nmx A {black.ip}\n')
    net.zone('well.lab', f'@ MX 10 mx\nmx A {well.ip}\n')
    sink = Sink(well)
    server = net.start().server().start()
    for number in range(40):
        send(server, [f'{number}@black.lab'], PLAIN)
    send(server, ['a@mixed.lab'], PLAIN)
    send(server, ['a@well.lab'], PLAIN)
    wait_until(lambda: sink.recipients() == ['a@mixed.lab', 'a@well.lab'], 'both of the healthy')
    true('@black.lab' in server.run('queue').stdout, 'the others wait')
    equal(server.letters(), {}, 'reports')


def names_that_lead_inside_are_not_followed(bench):
    """CLI-033, DNS-012: the loopback, private networks, nobody's: never dialled by a name."""
    net = netlab.Net(bench)
    host = net.host('inside')
    sink = Sink(host)
    places = ['127.0.0.1', '0.0.0.0', '10.1.2.3', '169.254.169.254', '255.255.255.255', host.ip]
    for number, place in enumerate(places):
        net.zone(f'in{number}.lab', f'@ MX 10 mx\nmx A {place}\n')
    net.zone('six.lab', '@ MX 10 mx\nmx AAAA ::1\n@ MX 10 mx2\nmx2 AAAA ::ffff:127.0.0.1\n'
                        '@ MX 10 mx3\nmx3 AAAA fe80::1\n@ MX 10 mx4\nmx4 AAAA ff02::1\n')
    server = net.start().server(private=False).start()
    capture = net.capture()
    names = [f'in{number}.lab' for number in range(len(places))] + ['six.lab']
    send(server, [f'a@{name}' for name in names], PLAIN)
    for name in names:
        wait_until(lambda one=name: any(f'to=a@{one} ' in line and ' code=4.4.4 ' in line
                                        for line in server.log().split('\n')), f'{name} refused')
    equal(sink.sessions, [], 'connections')
    true(all(ends[8:12].find(b'\x00\x19') < 0 for ends, _, _ in capture.packets()), 'no port 25')


if __name__ == '__main__':
    netlab.main([each_peer_gets_letters_whole, letters_inside_tls_pass_unseen,
                 letters_in_utf8_reach_each_peer, the_quoted_dot, postfix_is_killed_amid_letters,
                 exim_is_killed_amid_letters, opensmtpd_is_killed_amid_letters,
                 a_greylisting_peer_gets_it_later, a_lost_reply_is_counted, a_421_at_each_stage,
                 too_many_recipients_go_in_the_next, wishes_for_reports_are_passed_on,
                 a_hop_without_dsn_makes_us_report, what_the_dns_denies_is_reported,
                 what_the_dns_cannot_say_waits, a_dead_host_beside_a_healthy_one,
                 names_that_lead_inside_are_not_followed], PACKAGES)
