# SPDX-License-Identifier: ISC
"""A DNS of the test's own: a signed root and the zones below it, served by nsd on loopback.

lab = Lab(folder); lab.zone('secure.lab', records); lab.zone('bogus.lab', records, wrong=True);
lab.start(); then lab.anchor is the file of the root's key and lab.address where to ask.
Names end in .lab: resolvers keep .test for themselves.
"""
import os
import re
import shutil
import socket
import subprocess
import time

from harness import Skip, free_port, wait_until

DAY = 86400


def run(*words, folder=None):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{words}: {done.stderr}')
    return done.stdout.strip()


def stamp(seconds):
    return time.strftime('%Y%m%d%H%M%S', time.gmtime(seconds))


class Lab:
    def __init__(self, folder, address='127.0.0.1', port=None, others=(), words=()):
        """`others`: addresses where it answers too; `words`: put before the command of nsd."""
        for program in ('nsd', 'ldns-keygen', 'ldns-signzone'):
            if shutil.which(program) is None and not os.path.exists(f'/usr/sbin/{program}'):
                raise Skip(f'{program} is not here')
        self.folder = os.path.join(folder, 'dns')
        os.makedirs(self.folder)
        self.ip, self.port = address, port or free_port()
        self.zones, self.ds, self.process = [], [], None
        self.anchor = os.path.join(self.folder, 'anchor')
        self.address = f'{self.ip}:{self.port}'
        self.others, self.words = list(others), list(words)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        return path

    def sign(self, zone, file, expired=False, more=()):
        """The DS record of the zone; the signed file stands beside the other."""
        key = run('ldns-keygen', '-a', 'ECDSAP256SHA256', '-r', '/dev/urandom', '-k', zone,
                  folder=self.folder)
        now = time.time()
        begins, ends = (now - 60 * DAY, now - 30 * DAY) if expired else (now - DAY, now + 7 * DAY)
        run('ldns-signzone', '-n', *more, '-o', zone, '-i', stamp(begins), '-e', stamp(ends), file,
            key, folder=self.folder)
        with open(os.path.join(self.folder, key + '.ds'), encoding='ascii') as ds:
            return ds.read()

    def broken(self, name):
        """A zone that is delegated here, and of which nothing is known: SERVFAIL."""
        self.zones.append((name, name + '.absent'))

    def zone(self, name, records, signed=True, wrong=False, expired=False, rounds=0,
             opt_out=False):
        """`wrong`: the data of its TLSA and MX records are changed after they were signed;
        `rounds`, `opt_out`: of NSEC3."""
        file = name + '.zone'
        self.write(file, f'$ORIGIN {name}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 300\n'
                         f'@ NS ns\nns A {self.ip}\n{records}\n')
        if signed:
            more = (['-t', str(rounds)] if rounds else []) + (['-p'] if opt_out else [])
            self.ds.append(self.sign(name + '.', file, expired, more))
            file += '.signed'
        if wrong:
            path = os.path.join(self.folder, file)
            with open(path, encoding='ascii') as zone:
                text = zone.read()
            text = re.sub(r'(TLSA\s+\d \d \d )....', r'\g<1>0000', text)
            text = re.sub(r'(IN\s+MX\s+)\d+', r'\g<1>77', text)
            with open(path, 'w', encoding='ascii') as zone:
                zone.write(text)
        self.zones.append((name, file))

    def start(self):
        delegations = ''.join(f'{name}. NS ns.{name}.\nns.{name}. A {self.ip}\n'
                              for name, _ in self.zones)
        self.write('root', '$ORIGIN .\n$TTL 300\n. SOA ns.root. hostmaster.root. 1 3600 600 86400 '
                           f'300\n. NS ns.root.\nns.root. A {self.ip}\n' + delegations
                           + ''.join(self.ds))
        self.write('anchor', self.sign('.', 'root'))
        zones = ''.join(f'zone:\n name: "{name}"\n zonefile: "{file}"\n'
                        for name, file in [('.', 'root.signed')] + self.zones)
        listen = '\n'.join(f' ip-address: {ip}@{self.port}' for ip in [self.ip, *self.others])
        conf = self.write('nsd.conf', f'''server:
{listen}
 username: ""
 zonesdir: "{self.folder}"
 database: ""
 pidfile: "{self.folder}/pid"
 xfrdfile: "{self.folder}/xfrd"
 xfrdir: "{self.folder}"
 zonelistfile: "{self.folder}/zones"
 cookie-secret-file: ""
 server-count: 1
remote-control:
 control-enable: no
{zones}''')
        nsd = shutil.which('nsd') or '/usr/sbin/nsd'
        with open(os.path.join(self.folder, 'nsd.log'), 'wb') as log:
            self.process = subprocess.Popen([*self.words, nsd, '-d', '-c', conf], stdout=log,
                                            stderr=log)
        wait_until(self.answers, 'nsd to answer')
        return self

    def answers(self):
        """A question for the root's SOA, by hand."""
        asked = b'\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01'
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            try:
                sock.sendto(asked, (self.ip, self.port))
                return sock.recv(4096)[:2] == asked[:2]
            except OSError:
                return False

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None
