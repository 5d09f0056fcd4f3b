#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern doctor DOMAIN on the wire: domains that are well, and domains that are ill each in its
own way; what is said of each, whose side must act, and that nothing of a stranger's is let out.

usage: doctor.py POSTERN PACKAGES [TEST...]; root only (netlab.py)
"""
import json
import threading

import netlab
from harness import equal, true
from nextsink import Sink
from unseen import WRONG, Lab, tlsa
from webserver import Server

FORGED = b'220 \x1b[2J\x9b\x08\rwell\xe2\x80\xaedone\r\n'


class Talker:
    """Says the octets one after the other, and then holds the line."""

    def __init__(self, host, said, pause=0.0):
        self.socket, self.said, self.pause = host.listen(), said, pause
        self.ends = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        held = []
        while not self.ends.is_set():
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            held.append(client)
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        try:
            for octet in self.said:
                client.sendall(bytes([octet]))
                if self.pause and self.ends.wait(self.pause):
                    return
            self.ends.wait()
        except OSError:
            pass


class Clinic(Lab):
    def policy(self, name, mx):
        """An MTA-STS policy in mode enforce; the records for it."""
        host = self.net.host(name + 'w')
        text = f'version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 86400\n'.encode()
        self.net.bench.running.append(Server(
            self.authority.issue(f'mta-sts.{name}.lab'), lambda to: to.sendall(
                b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n'
                % len(text) + text), sock=host.listen(443)))
        return f'_mta-sts TXT "v=STSv1; id=1;"\nmta-sts A {host.ip}\n'

    def talker(self, name, said, pause=0.0):
        host = self.net.host(name)
        talker = Talker(host, said, pause)
        self.net.zone(f'{name}.lab', f'@ MX 10 mx\nmx A {host.ip}')
        return talker

    def server(self):
        self.net.start()
        return self.net.server(f'ca-file {self.root[0]}\n')


def see(server, domain):
    """(exit status, what is said to programs, what is said to people)"""
    done = server.run('doctor', '--json', domain)
    return done.returncode, json.loads(done.stdout), server.run('doctor', domain).stdout


def faults(said):
    """Those that are not about us."""
    return [finding['fault'] for finding in said['findings']
            if not finding['fault'].startswith('our-')]


def ill_domains(lab):
    """{domain: (exit status, verdict, faults, a sentence that people must see)}"""
    own, other = lab.self_signed('own'), lab.self_signed('other')
    rows = {
        'good': (0, 'dane', [], 'TLSA       a record fits'),
        'name': (1, 'waits', ['certificate-host-mismatch'], 'a certificate for other names'),
        'old': (1, 'waits', ['certificate-expired'], 'is out of its dates'),
        'misfit': (1, 'waits', ['tlsa-mismatch'], 'none of its TLSA records fits'),
        'sts': (1, 'waits', ['sts-mx-mismatch'], 'is not named in the policy'),
        'proved': (0, 'sts', [], 'one that we believe vouches for this host'),
        'dead': (1, 'unreachable', ['unreachable'], 'does not answer at port 25'),
        'half': (0, 'dane', ['unreachable'], 'it is protected on its way'),
        'null': (1, 'no-mail', ['takes-no-mail'], 'Who writes must act: reach who is meant'),
        'bogus': (75, 'unknown', ['dnssec-bogus'], 'sign the zone anew'),
        'open': (0, 'clear', ['no-tls'], 'whoever looks on can read it'),
        'shut': (1, 'refused', ['refused'], '554 5.7.1 go away'),
        'none': (1, 'no-mail', ['no-such-domain'], 'There is no such domain.'),
    }
    lab.row('good', own, tlsa(3, 1, own))
    lab.row('name', lab.authority.issue('mx.elsewhere.lab'), lab.policy('name', 'mx.name.lab'))
    lab.row('old', lab.authority.issue('mx.old.lab', expired=True),
            lab.policy('old', 'mx.old.lab'))
    lab.row('misfit', own, tlsa(3, 1, other))
    lab.row('sts', lab.authority.issue('mx.sts.lab'), lab.policy('sts', 'mx.other.lab'))
    lab.row('proved', lab.authority.issue('mx.proved.lab'), lab.policy('proved', '*.proved.lab'))
    lab.net.zone('dead.lab', f'@ MX 10 mx\nmx A {lab.net.host("dead").ip}')
    lab.row('half', own, tlsa(3, 1, own) + f'@ MX 5 first\nfirst A {lab.net.host("first").ip}\n'
            + tlsa(3, 1, own, 'first'))
    lab.net.zone('null.lab', '@ MX 0 .')
    lab.net.zone('bogus.lab', '@ MX 10 mx\nmx A 192.0.2.1\n' + WRONG, wrong=True)
    lab.row('open', None, '')
    lab.talker('shut', b'554 5.7.1 go away\r\n')
    return rows


def each_illness_is_named(bench):
    lab = Clinic(bench)
    rows = ill_domains(lab)
    server = lab.server()
    for name, (status, verdict, wanted, sentence) in rows.items():
        code, said, text = see(server, f'{name}.lab')
        equal((code, said['verdict'], faults(said)), (status, verdict, wanted), name)
        true(sentence in text, f'{name}: {sentence!r} in {text!r}')
    good = see(server, 'good.lab')[1]['hosts'][0]['visits'][0]
    equal((good['end'], good['tls'][:5], good['certificate']['names'],
           good['certificate']['tlsa']['proved'], good['certificate']['authority']['proved']),
          ('spoken', 'TLSv1', [], True, False), 'what was seen of the good one')
    for sink in lab.sinks.values():
        said = [line for session in sink.sessions for line in session.lines]
        equal([line for line in said if line[:4] not in ('EHLO', 'STAR', 'QUIT')], [],
              'nothing of a letter is said')


def hostile_servers_cost_no_more_than_their_time(bench):
    """A mute one, a tarpit, one that talks without end, one that floods, one that writes on
    terminals (CLI-001, CLI-008): all at the same time, beside a good one."""
    lab = Clinic(bench)
    hosts = {'mute': (b'', 0), 'tarpit': (b'220-x\r\n' * 10000, 1), 'flood': (b'220-' * 100000, 0),
             'paint': (FORGED, 0)}
    talkers = []
    records = ''
    for i, (name, (said, pause)) in enumerate(hosts.items()):
        host = lab.net.host(name)
        talkers.append(Talker(host, said, pause))
        records += f'@ MX {i} {name}\n{name} A {host.ip}\n'
    own = lab.self_signed('own')
    lab.row('hard', own, records + tlsa(3, 1, own))
    server = lab.server()
    code, said, text = see(server, 'hard.lab')
    equal((code, said['verdict']), (0, 'dane'), 'the good one takes mail')
    equal([host['visits'][0]['end'] for host in said['hosts']],
          ['silent', 'silent', 'refused', 'silent', 'spoken'], 'how each ended')
    equal([c for c in text if c < ' ' and c != '\n' or c == '\x7f'], [], 'controls')
    true('\\x1b[2J' in text and '\u202e' not in text, 'the greeting is told, and harmless')
    for talker in talkers:
        talker.ends.set()


def our_own_address_is_looked_at(bench):
    """Forward-confirmed reverse DNS, and the name that we greet with."""
    def look(reverse, forward):
        lab = Clinic(bench)
        own = lab.self_signed('own')
        lab.row('good', own, tlsa(3, 1, own))
        lab.net.zone('example.org', forward)    # our name: mx
        if reverse:
            lab.net.zone('18.198.in-addr.arpa', '1.0 PTR ' + reverse)
        _, said, text = see(lab.server(), 'good.lab')
        equal('Nothing is to be done.' in text, not said['findings'], 'is there nothing to do?')
        equal(said['verdict'], 'dane', 'mail goes')
        equal([ours['address'] for ours in said['ours']], [lab.net.ip], 'where we call from')
        lab.net.stop()
        return [finding['fault'] for finding in said['findings']], said['ours'][0]
    ours = 'mx A 198.18.0.1\n'
    equal(look('', ours)[0], ['our-address-without-ptr'], 'no PTR record')
    found, we = look('mx.example.org.', ours)
    equal((found, we['ptr_name'], we['ptr_confirmed'], we['hello_fits']),
          ([], 'mx.example.org', True, True), 'all well')
    equal(look('other.example.org.', ours + 'other A 198.18.0.99\n')[0], ['our-ptr-unconfirmed'],
          'a PTR record that leads elsewhere')
    equal(look('other.example.org.', 'other A 198.18.0.1\n')[0], ['our-name-elsewhere'],
          'a name that leads nowhere')
    equal(look('a\\032b\\010c.example.org.', ours)[0], ['our-ptr-unconfirmed'],
          'DNS-031: a PTR record that is no host\'s name')


if __name__ == '__main__':
    netlab.main([each_illness_is_named, hostile_servers_cost_no_more_than_their_time,
                 our_own_address_is_looked_at])
