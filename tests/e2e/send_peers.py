#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern send with the servers that people run: Postfix, Exim and OpenSMTPD; and with hosts that a
signed DNS names.

usage: send_peers.py POSTERN PACKAGES [TEST...]; root only (netlab.py)
"""
import re

import netlab
from dane import tlsa
from harness import equal, true
from nexthops import KINDS, PACKAGES
from nextsink import Sink
from send import file_of, sends as sends_to
from webserver import Authority

LETTER = (b'Subject: abroad\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
          b'Content-Transfer-Encoding: 8bit\r\n\r\n' + 'Grüße\r\n.\r\n..x\r\n'.encode() * 50)


def squeezed(said):
    """Without the line breaks of notes."""
    return re.sub(r'\n {20}', ' ', said)


def each_peer_is_spoken_with(bench):
    """TLS that is proved, but of OpenSMTPD; text by DATA, by BDAT in chunks and pipelined, where it
    is offered; what is not offered stays here."""
    net = netlab.Net(bench).start()
    authority, path = Authority(bench.folder()), file_of(bench, LETTER)
    for kind, make in KINDS.items():
        chunks = kind != 'opensmtpd'
        pair = authority.issue(f'mx.{kind}.lab') if chunks else None
        hop = make(bench, net.host(kind), f'{kind}.lab', pair=pair).start()
        base = [hop.host.ip, '--from', 'a@example.org', '--to', f'a@{kind}.lab', '--file', path]
        want = [' BODY=8BITMIME\n', f'a@{kind}.lab: taken']
        if pair:
            base += ['--ca-file', authority.file, '--name', f'mx.{kind}.lab', '--verify']
            want += ['TLS version=TLSv1.', f'vouches for mx.{kind}.lab', 'inside TLS']
        said = squeezed(sends_to(bench, *base))
        for words in want:
            true(words in said, f'{words} is not in {said}')
        said = sends_to(bench, *base, '--bdat', '100', '--pipeline', status=0 if chunks else 69)
        equal(said.count('C: BDAT 100\n'), len(LETTER) // 100 if chunks else 0, f'chunks, {kind}')
        true(chunks or 'does not offer PIPELINING' in squeezed(said)
             or 'does not offer CHUNKING' in squeezed(said), said)
        said = squeezed(sends_to(bench, *base, '--binarymime', status=69))
        true('this server does not offer ' in said and 'MAIL FROM' not in said, said)
        letters = hop.wait_for(2 if chunks else 1)[f'a@{kind}.lab']
        want = LETTER.replace(b'\r\n', b'\n')
        for octets in letters:
            true(octets.replace(b'\r\n', b'\n').endswith(b'\n' + want), f'whole at {kind}')


def the_quoted_dot(bench):
    """"."@domain goes out with its quotes; who refuses it is explained."""
    net = netlab.Net(bench).start()
    for kind, make in KINDS.items():
        hop = make(bench, net.host(kind), f'{kind}.lab').start()
        well = kind != 'opensmtpd'              # it takes no quoted local part
        said = sends_to(bench, hop.host.ip, '--from', '"."@example.org', '--to', f'"."@{kind}.lab',
                        status=0 if well else 69)
        true('C: MAIL FROM:<"."@example.org>' in said, said)
        if well:
            equal(list(hop.wait_for(1)), [f'"."@{kind}.lab'], 'the recipient')
        else:
            true('does not take quotation marks' in said, said)


def the_dns_names_the_hosts(bench):
    """In order of their preference; the first is not there, the second busy; DANE proves the third.
    """
    net = netlab.Net(bench)
    authority = Authority(bench.folder())
    dead, busy, well = map(net.host, ('dead', 'busy', 'well'))
    pair = authority.issue('mx3.good.lab')
    Sink(busy, greeting='421 4.3.2 come back later')
    sink = Sink(well, tls=pair, extensions=['8BITMIME'])
    net.zone('good.lab', f'@ MX 10 mx1\n@ MX 20 mx2\n@ MX 30 mx3\nmx1 A {dead.ip}\n'
             f'mx2 A {busy.ip}\nmx3 A {well.ip}\n_25._tcp.mx3 {tlsa(pair, 3, 1)}\n')
    net.zone('null.lab', '@ MX 0 .\n')
    other = authority.issue('mx.evil.lab')
    net.zone('evil.lab', f'@ MX 10 mx\nmx A {well.ip}\n_25._tcp.mx {tlsa(other, 3, 1)}\n')
    server = net.start().server()
    conf = ['-c', server.conf, '--timeout', '5']
    said = squeezed(sends_to(bench, '', *conf, '--verify', '--to', 'a@good.lab'))
    for words in ('MX of good.lab: 10 mx1.good.lab, 20 mx2.good.lab, 30 mx3.good.lab with DANE '
                  '(signed)', f'mx1.good.lab [{dead.ip}] port 25: Connection refused',
                  'S: 421 4.3.2 come back later',
                  'verified: a TLSA record of the domain fits (DANE)',
                  f'Accepted by mx3.good.lab [{well.ip}] port 25'):
        true(words in said, f'{words} is not in {said}')
    equal(sink.letters[0].recipients, ['<a@good.lab>'], 'recipients')
    said = sends_to(bench, '', *conf, '--to', 'a@null.lab', status=68)
    true('takes no mail' in said, said)
    said = sends_to(bench, '', *conf, '--to', 'a@none.lab', status=68)
    true('there is no such domain' in said, said)
    said = sends_to(bench, '', *conf, '--to', 'a@evil.lab', '--verify', status=77)
    true('TLS failed' in said, said)
    said = squeezed(sends_to(bench, '', *conf, '--to', 'a@evil.lab'))
    true('not verified: ' in said, said)
    said = sends_to(bench, '', '--to', f'a@[{well.ip}]')
    true(f'connected to {well.ip} port 25' in said, said)
    equal(len(sink.letters), 3, 'letters')


if __name__ == '__main__':
    netlab.main([each_peer_is_spoken_with, the_quoted_dot, the_dns_names_the_hosts], PACKAGES)
