#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""DANE for SMTP (RFC 7672) on the wire: the curated scenarios beside the tree, each with a zone, a
certificate and a next hop of its own; and that what must not be seen is not.

usage: dane.py POSTERN PACKAGES [TEST...]; root only (netlab.py)
"""
import hashlib
import os
import smtplib
import subprocess

import netlab
from harness import Client, equal, id_of, true, wait_until
from nextsink import Sink
from webserver import Authority, openssl

SECRET = b'what nobody else may read'
TEXT = b'Message-ID: <one@example.org>\r\nFrom: <you@example.org>\r\n\r\n' + SECRET + b'\r\n'


def der(pair, selector=1):
    """What a TLSA record of that selector is about."""
    words = ['openssl', 'x509', '-in', pair[0], '-outform', 'DER']
    if selector == 1:
        public = subprocess.run(['openssl', 'x509', '-in', pair[0], '-noout', '-pubkey'],
                                capture_output=True, check=True).stdout
        return subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=public,
                              capture_output=True, check=True).stdout
    return subprocess.run(words, capture_output=True, check=True).stdout


def tlsa(usage, selector, pair, name='mx', port=25):
    return (f'_{port}._tcp.{name} TLSA {usage} {selector} 1 '
            f'{hashlib.sha256(der(pair, selector)).hexdigest()}\n')


WRONG = '_25._tcp.mx TLSA 3 1 1 ' + 'ab' * 32 + '\n'


class Lab:
    """Its net; certificates; one domain, host and sink for each row."""

    def __init__(self, bench):
        self.net = netlab.Net(bench)
        self.authority = Authority(bench.folder())
        self.root = (self.authority.file, '')
        self.sinks, self.folder = {}, bench.folder()

    def chain(self, *names, **more):
        """A leaf and the authority behind it, as a server sends them."""
        leaf, key = self.authority.issue(*names, **more)
        with open(leaf, 'ab') as file, open(self.authority.file, 'rb') as ca:
            file.write(ca.read())
        return leaf, key

    def self_signed(self, name):
        pair = tuple(os.path.join(self.folder, f'{name}.{end}') for end in ('pem', 'key'))
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-days', '2', '-subj', f'/CN={name}', '-keyout', pair[1], '-out', pair[0],
                folder=self.folder)
        return pair

    def row(self, name, pair, records, mx='mx', by_name=None, **more):
        """The domain NAME.lab, whose host `mx` has that pair (None: no STARTTLS)."""
        host = self.net.host(name)
        self.sinks[name] = Sink(host, tls=pair, by_name=by_name)
        self.net.zone(f'{name}.lab', f'@ MX 10 {mx}\nmx A {host.ip}\n{records}', **more)
        return host


def send(server, recipients):
    with Client(server.port) as client:
        client.envelope('you@example.org', recipients)
        return id_of(client.data(TEXT))


def told(server, name):
    """The last line of the log about that domain's recipient."""
    lines = [line for line in server.log().split('\n') if f' to=a@{name}.lab ' in line]
    return lines[-1] if lines else ''


def deliverable(lab):
    """{scenario: the channel it is delivered over}."""
    own, other = lab.self_signed('own'), lab.self_signed('other')
    leaf = lab.chain('mx.s05.lab')
    rows = {'s01': 'dane', 's03': 'dane', 's05': 'dane', 's07': 'dane', 's08': 'dane',
            's11': 'dane', 's16': 'tls', 's20': 'dane', 's22': 'tls', 's31': 'dane',
            's34': 'tls', 's35': 'dane'}
    expired = lab.chain('mx.s08.lab', expired=True)
    lab.row('s01', own, tlsa(3, 1, own))
    lab.row('s03', own, tlsa(3, 0, own))
    lab.row('s05', leaf, tlsa(2, 1, lab.root))
    lab.row('s07', own, tlsa(3, 1, own))                # its name is "own", no name of the host
    lab.row('s08', expired, tlsa(3, 1, expired))
    lab.row('s11', own, tlsa(3, 1, other) + tlsa(3, 1, own))
    lab.row('s16', own, '')
    host = lab.row('s20', own, '', mx='mx.s20host.lab.', signed=False)
    lab.net.zone('s20host.lab', f'mx A {host.ip}\n' + tlsa(3, 1, own))
    host = lab.row('s22', own, '', mx='mx.s22host.lab.')
    lab.net.zone('s22host.lab', f'mx A {host.ip}\n' + WRONG, signed=False)
    lab.row('s31', own, tlsa(3, 1, own).upper().replace('MX', 'mx').replace('_TCP', '_tcp'))
    lab.row('s34', own, tlsa(3, 1, other, port=465))
    lab.row('s35', other, tlsa(3, 1, own), by_name={'mx.s35.lab': own})
    return rows


def what_is_proved_is_delivered(bench):
    lab = Lab(bench)
    rows = deliverable(lab)
    server = lab.net.start().server().start()
    capture = lab.net.capture()
    send(server, [f'a@{name}.lab' for name in rows])
    for name in rows:
        wait_until(lambda one=name: ' channel=' in told(server, one),
                   f'{name} to be settled')
    equal({name: told(server, name).partition(' channel=')[2].partition(' ')[0] for name in rows},
          rows, 'channels')
    true(all(lab.sinks[name].letters[0].enciphered for name in rows), 'inside TLS')
    equal(lab.sinks['s35'].letters[0].sni, 'mx.s35.lab', 'the name asked for')
    true(capture.saw(b'STARTTLS') and not capture.saw(SECRET), 'in clear on the wire')


def what_is_not_proved_waits(bench):
    """Never over another channel (DNS-015, CLI-010, CLI-014), and never seen."""
    lab = Lab(bench)
    own = lab.self_signed('own')
    named, expired = lab.chain('other.lab'), lab.chain('mx.s09.lab', expired=True)
    lab.row('s06', named, tlsa(2, 1, lab.root))
    lab.row('s09', expired, tlsa(2, 1, lab.root))
    lab.row('s10', own, WRONG)
    lab.row('clear', None, tlsa(3, 1, own))             # STARTTLS is not offered
    for name in ('s18', 's27'):
        host = lab.row(name, own, '', mx=f'mx.{name}host.lab.')
        more = f'mx2 A {host.ip}\n_25._tcp.mx2 TLSA 3 1 1 ' + 'cd' * 32 + '\n'
        lab.net.zone(f'{name}host.lab', f'mx A {host.ip}\n' + tlsa(3, 1, own) + more, wrong=True)
    lab.row('s17', own, '')
    lab.row('s33', None, '', signed=False)
    server = lab.net.start().server('tls-policy s17.lab=dane').start()
    capture = lab.net.capture()
    names = ['s06', 's09', 's10', 'clear', 's18', 's27', 's17']
    send(server, [f'a@{name}.lab' for name in names])
    with smtplib.SMTP('127.0.0.1', server.port) as client:      # offered inside TLS only
        client.starttls()
        client.sendmail('you@example.org', ['a@s33.lab'], TEXT, mail_options=['REQUIRETLS'])
    for name in names:
        wait_until(lambda one=name: ' attempt=2 ' in told(server, one), f'{name} to be tried again')
    wait_until(lambda: 'event=delivery-failed' in told(server, 's33'), 'REQUIRETLS to be refused')
    equal({name: len(sink.letters) for name, sink in lab.sinks.items()},
          {name: 0 for name in lab.sinks}, 'letters taken')
    true(not capture.saw(SECRET), 'in clear on the wire')


if __name__ == '__main__':
    netlab.main([what_is_proved_is_delivered, what_is_not_proved_waits])
