#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the channel to a host must be, on the wire: a signed DNS, web servers with policies and mail
servers with certificates of all kinds, in a network of the test's own; one letter to each.

usage: dane.py POSTERN PACKAGES [TEST...]
"""
import hashlib
import json
import os
import re
import smtplib
import ssl
import subprocess
import sys

import harness
from dnslab import Lab
from harness import Skip, equal, true, wait_until
from sink import Sink
from webserver import Authority, Server, openssl

OURS = 'POSTERN_TEST_NETWORK'
SECRET = 'not for the open road'


def tlsa(pair, usage, selector, i=0):
    """The record for the i-th certificate of a chain."""
    with open(pair[0], encoding='ascii') as file:
        pems = re.findall('-----BEGIN.*?-----END CERTIFICATE-----\n', file.read(), re.S)
    der = ssl.PEM_cert_to_DER_cert(pems[i])
    if selector == 1:
        key = subprocess.run(['openssl', 'x509', '-inform', 'DER', '-pubkey', '-noout'], input=der,
                             capture_output=True, check=True).stdout
        der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=key,
                             capture_output=True, check=True).stdout
    return f'TLSA {usage} {selector} 1 {hashlib.sha256(der).hexdigest()}'


def alone(folder, name):
    """A certificate that vouches for itself."""
    path = os.path.join(folder, 'alone-' + name)
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', path + '.key', '-out', path + '.pem', '-subj', '/CN=' + name, '-days', '30',
            '-addext', 'subjectAltName=DNS:' + name, folder=folder)
    return path + '.pem', path + '.key'


def with_authority(authority, pair):
    """The chain with its authority in it, as TLSA records with usage 2 need."""
    with open(pair[0], 'ab') as to, open(authority.file, 'rb') as above:
        to.write(above.read())
    return pair


class World:
    """Domains NAME.lab, each with a host mx.NAME.lab at an address of its own."""

    def __init__(self, bench):
        if OURS not in os.environ:
            raise Skip('no network of our own: needs root and unshare')
        self.bench, self.folder = bench, bench.folder()
        self.lab = Lab(bench.folder(), port=53)
        self.authority, self.stranger = Authority(bench.folder()), Authority(bench.folder(), 'no')
        self.sinks, self.wants, self.policies, self.n = {}, {}, '', 0

    def address(self):
        self.n += 1
        return f'127.0.1.{self.n}'

    def sink(self, name, pair):
        address = self.address()
        self.sinks.setdefault(name, []).append(Sink(address, pair))
        self.bench.running.append(self.sinks[name][-1])
        return address

    def domain(self, name, want, pair, records='', host=True, **zone):
        """`want`: 'tls', 'defer', 'fail', or 'any': delivered, whether by TLS or not."""
        address = self.sink(name, pair)
        self.wants[name] = want
        if host:
            records += f'\n@ MX 10 mx\nmx A {address}\n'
        self.lab.zone(name + '.lab', records.replace('ADDRESS', address), **zone)

    def policy(self, name, mode, mx):
        """An MTA-STS policy, and the server that has it; returns the records for it."""
        host, address = f'mta-sts.{name}.lab', self.address()
        text = f'version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n'.encode()
        self.bench.running.append(Server(
            self.authority.issue(host), lambda to: to.sendall(
                b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n'
                % len(text) + text), address=address, port=443))
        return f'_mta-sts TXT "v=STSv1; id=1;"\nmta-sts A {address}\n'

    def server(self):
        """Not started; the DNS is."""
        self.lab.start()
        self.bench.running.append(self.lab)
        return self.bench.server(more=f'''relay-from 127.0.0.0/8
allow-private yes
resolver {self.lab.address}
trust-anchor {self.lab.anchor}
ca-file {self.authority.file}
retry 1h
{self.policies}''')

    def run(self, parameters=''):
        """One letter to each domain; what became of it."""
        server = self.server().start()
        for name in self.wants:
            client = smtplib.SMTP('127.0.0.1', server.port, timeout=60)
            client.ehlo('client.example.org')
            if parameters:
                client.starttls(context=ssl._create_unverified_context())
                client.ehlo('client.example.org')
            client.sendmail('you@example.org', [f'x@{name}.lab'],
                            f'Subject: {name}\r\n\r\n{SECRET}\r\n',
                            mail_options=[parameters] if parameters else [])
            client.quit()
        for name in self.wants:
            wait_until(lambda name=name: self.became(server, name) != '', f'an end for {name}')
        return {name: self.became(server, name) for name in self.wants}

    def letters(self, name):
        return [letter for sink in self.sinks[name] for letter in sink.letters]

    def became(self, server, name):
        """'tls', 'clear', 'defer', 'fail' or, not yet, ''."""
        letters = self.letters(name)
        if letters:
            return 'tls' if letters[0][0] else 'clear'
        for event, end in (('delivery-waits', 'defer'), ('delivery-failed', 'fail')):
            if re.search(f'event={event} .*to=x@{name}.lab ', server.log()):
                return end
        return ''

    def judge(self, became):
        wrong = {name: (became[name], want) for name, want in self.wants.items()
                 if became[name] != want and not (want == 'any' and became[name] != 'defer')}
        equal(wrong, {}, 'scenarios that went wrong: (became, wanted)')
        for name, want in self.wants.items():
            said = b''.join(sink.clear for sink in self.sinks[name])
            true(want == 'any' or SECRET.encode() not in said, f'{name}: nothing of it in clear')


def the_curated_scenarios(bench):
    """suites/dane/curated/scenarios.tsv, by their numbers; REQUIRETLS (33) is below."""
    world = World(bench)
    root = world.authority
    own = alone(world.folder, 'mx.s01.lab')
    other = alone(world.folder, 'mx.other.lab')
    ee = '\n_25._tcp.mx '
    world.domain('s01', 'tls', own, ee + tlsa(own, 3, 1))
    world.domain('s03', 'tls', own, ee + tlsa(own, 3, 0))
    pair = with_authority(world.stranger, world.stranger.issue('mx.s05.lab'))
    world.domain('s05', 'tls', pair, ee + tlsa(pair, 2, 1, 1))
    pair = with_authority(world.stranger, world.stranger.issue('mx.elsewhere.lab'))
    world.domain('s06', 'defer', pair, ee + tlsa(pair, 2, 1, 1))
    world.domain('s07', 'tls', other, ee + tlsa(other, 3, 1))
    pair = root.issue('mx.s08.lab', expired=True)
    world.domain('s08', 'tls', pair, ee + tlsa(pair, 3, 1))
    pair = with_authority(world.stranger, world.stranger.issue('mx.s09.lab', expired=True))
    world.domain('s09', 'defer', pair, ee + tlsa(pair, 2, 1, 1))
    world.domain('s10', 'defer', own, ee + tlsa(other, 3, 1))
    world.domain('s11', 'tls', own, ee + tlsa(other, 3, 1) + ee + tlsa(own, 3, 1))
    world.domain('s16', 'tls', own)
    world.domain('s17', 'defer', own)
    world.policies = 'tls-policy s17.lab=dane\n'
    world.lab.zone('s18b.lab', f'mx A {world.sink("s18", own)}' + ee + tlsa(own, 3, 1), wrong=True)
    world.domain('s18', 'defer', own, '@ MX 10 mx.s18b.lab.', host=False)
    world.lab.zone('s20b.lab', f'mx A {world.sink("s20", own)}' + ee + tlsa(own, 3, 1))
    world.domain('s20', 'tls', own, '@ MX 10 mx.s20b.lab.', host=False, signed=False)
    world.lab.zone('s22b.lab', f'mx A {world.sink("s22", own)}' + ee + tlsa(other, 3, 1),
                   signed=False)
    world.domain('s22', 'tls', own, '@ MX 10 mx.s22b.lab.', host=False)
    world.domain('s24', 'tls', own, '@ MX 10 mx\nmx CNAME real\nreal A ADDRESS\n_25._tcp.real '
                 + tlsa(own, 3, 1), host=False)
    world.domain('s24b', 'defer', own, '@ MX 10 mx\nmx CNAME real\nreal A ADDRESS\n'
                 '_25._tcp.real ' + tlsa(other, 3, 1), host=False)
    world.domain('s24c', 'defer', own, '@ MX 10 mx\nmx CNAME real\nreal A ADDRESS' + ee
                 + tlsa(other, 3, 1), host=False)
    world.lab.zone('s27b.lab', f'mx A {world.sink("s27", own)}\nmx2 A {world.sink("s27", own)}'
                   + ee + tlsa(own, 3, 1) + '\n_25._tcp.mx2 ' + tlsa(own, 3, 1), wrong=True)
    world.domain('s27', 'defer', own, '@ MX 10 mx.s27b.lab.\n@ MX 20 mx2.s27b.lab.', host=False)
    world.domain('s31a', 'tls', own, ee + tlsa(own, 3, 1).upper().replace('TLSA', 'TLSA'))
    world.domain('s31b', 'tls', own, ee + 'TLSA 3 1 1 abcdef')
    world.domain('s34', 'tls', own, '_465._tcp.mx ' + tlsa(other, 3, 1))
    pair = alone(world.folder, 'mx.s35.lab')
    world.domain('s35', 'tls', pair, ee + tlsa(pair, 3, 1))
    world.judge(world.run())
    equal(world.sinks['s35'][0].names, ['mx.s35.lab'], 'the name that was asked for')


def letters_that_require_tls(bench):
    """Scenario 33, and a host that has what it takes."""
    world = World(bench)
    own = alone(world.folder, 'mx.s33.lab')
    world.domain('s33', 'fail', own)
    world.domain('s33b', 'tls', own, '_25._tcp.mx ' + tlsa(own, 3, 1))
    world.judge(world.run('REQUIRETLS'))


def policies_of_web_servers(bench):
    """MTA-STS, each policy over HTTPS."""
    world = World(bench)
    good = {name: world.authority.issue(f'mx.{name}.lab') for name in ('p1', 'p3', 'p5', 'p6')}
    own = alone(world.folder, 'mx.own.lab')
    world.domain('p1', 'tls', good['p1'], world.policy('p1', 'enforce', '*.p1.lab'))
    world.domain('p2', 'defer', own, world.policy('p2', 'enforce', 'mx.p2.lab'))
    world.domain('p3', 'defer', good['p3'], world.policy('p3', 'enforce', 'mx.other.lab'))
    world.domain('p4', 'tls', own, world.policy('p4', 'testing', 'mx.p4.lab'))
    world.domain('p5', 'defer', good['p5'], world.policy('p5', 'enforce', 'mx.p5.lab')
                 + '_25._tcp.mx ' + tlsa(own, 3, 1))           # DANE before MTA-STS
    world.domain('p7', 'defer', None, world.policy('p7', 'enforce', 'mx.p7.lab'))
    world.domain('p8', 'any', None, world.policy('p8', 'none', 'mx.p8.lab'))
    world.domain('p9', 'any', None, '_mta-sts TXT "v=STSv1; id=1;"\nmta-sts A 127.0.1.250\n')
    world.judge(world.run())


def the_doctor_says_so_beforehand(bench):
    """postern doctor, by the DNS alone; with visits: doctor.py."""
    world = World(bench)
    own = alone(world.folder, 'mx.own.lab')
    ee, mx = '\n_25._tcp.mx ' + tlsa(own, 3, 1), '@ MX 10 mx\nmx A 127.0.1.200\n'
    zones = {
        'd1': (mx + ee, 'dane', {}),
        'd2': (mx, 'open', {}),
        'd3': (mx + world.policy('d3', 'enforce', 'mx.d3.lab'), 'sts', {}),
        'd4': (mx + world.policy('d4', 'enforce', 'mx.other.lab'), 'waits', {}),
        'd5': (mx + world.policy('d5', 'testing', 'mx.d5.lab'), 'open', {}),
        'd6': ('@ MX 0 .', 'no-mail', {}),
        'd7': (mx + ee, 'unknown', {'wrong': True}),
        'd8': (mx + ee, 'open', {'signed': False}),
        'd9': ('@ MX 10 mx\nmx CNAME real\nreal A 127.0.1.200\n_25._tcp.real '
               + tlsa(own, 3, 1) + '\n_smtp._tls TXT "v=TLSRPTv1; rua=mailto:a@d9.lab"',
               'dane', {}),
    }
    for name, (records, _, more) in zones.items():
        world.lab.zone(name + '.lab', records, **more)
    server, said, codes = world.server(), {}, {}
    for name in [*zones, 'd0']:
        done = server.run('doctor', '--dns-only', '--json', f'{name.upper()}.lab')
        said[name], codes[name] = json.loads(done.stdout), done.returncode
    equal({name: facts['verdict'] for name, facts in said.items()},
          {**{name: row[1] for name, row in zones.items()}, 'd0': 'no-mail'}, 'the verdicts')
    equal([codes[name] for name in ('d1', 'd2', 'd4', 'd6', 'd7')], [0, 0, 1, 1, 75], 'the codes')
    equal([name for name, facts in said.items() if facts['tlsrpt']], ['d9'], 'who wants reports')
    equal(said['d3']['sts_mode'], 'enforce', 'the policy')
    true('MTA-STS    enforce' in server.run('doctor', '--dns-only', 'd3.lab').stdout,
         'and for people')
    equal([server.run('doctor', *words).returncode for words in
           ([], ['a b'], ['--nonsense'], ['--help'], ['one.lab', 'two.lab'])],
          [64, 64, 64, 0, 64], 'wrong words')


def inside(tests):
    """The tests in a network of their own, where that can be."""
    words = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
    if OURS not in os.environ and os.geteuid() == 0 \
            and subprocess.run([*words, 'true'], capture_output=True, check=False).returncode == 0:
        os.environ[OURS] = '1'
        os.execvp(words[0], [*words, sys.executable, *sys.argv])
    harness.main(tests)


if __name__ == '__main__':
    inside([the_curated_scenarios, letters_that_require_tls, policies_of_web_servers,
            the_doctor_says_so_beforehand])
