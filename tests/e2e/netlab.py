# SPDX-License-Identifier: ISC
"""A network of the test's own: namespaces with a bridge, hosts with addresses, port 25 and a DNS.

main(tests, packages) runs the tests (harness.py) inside; needs root, and says so where it is not.
net = Net(bench); host = net.host('mx'); net.zone('good.lab', '@ MX 10 mx\\nmx A ' + host.ip);
net.start(); our server stands in the namespace of the test itself, at net.ip.

All of it hangs on the process: it is the first of a process namespace of its own, so whatever ends
it, also a kill, ends its children too, and the namespaces and mounts go with the last of them. The
DNS stands at the addresses of the root servers, so that resolvers find it without being told where.
"""
import ctypes
import os
import shutil
import socket
import subprocess
import sys

import harness
from dnslab import Lab
from harness import peers, wait_until

INSIDE = 'POSTERN_NETLAB'
NET, BITS = '198.18', 15            # for tests of networks (RFC 2544), so no one's
CLONE_NEWNET = 0x40000000
ROOTS = ('198.41.0.4', '199.9.14.201', '170.247.170.2', '192.33.4.12', '199.7.91.13',
         '192.203.230.10', '192.5.5.241', '192.112.36.4', '198.97.190.53', '192.36.148.17',
         '192.58.128.30', '193.0.14.129', '199.7.83.42', '202.12.27.33')
UNSHARE = ['unshare', '-nmpf', '--mount-proc', '--kill-child']
USERS = {'Debian-exim': 64900, 'opensmtpd': 64901, 'opensmtpq': 64902, 'reader': 64903}
SET_UP = '''set -e
ip link set lo up
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/spool
mkdir /run/netns
for tree in etc var/lib; do
    over=/run/over/$tree; mkdir -p "$over/new" "$over/work"
    mount -t overlay overlay -o "lowerdir=/$tree,upperdir=$over/new,workdir=$over/work" "/$tree"
done
ip link add lab0 type bridge
ip link set lab0 up
ip addr add "$0" dev lab0
ip route add default dev lab0
'''
HOST = '''set -e
ip netns add "$0"
ip link add "p-$0" type veth peer name eth0 netns "$0"
ip link set "p-$0" master lab0 up
ip -n "$0" link set lo up
ip -n "$0" link set eth0 up
ip -n "$0" route add default dev eth0
for address; do ip -n "$0" addr add "$address" dev eth0; done
'''


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{words}: {done.stderr.strip()}')
    return done.stdout


def lacking():
    """'' or what this machine lacks, as words."""
    if os.geteuid() != 0:
        return 'only root makes namespaces'
    for program in ('ip', 'unshare', 'nsenter', 'tcpdump', 'nsd'):
        if shutil.which(program, path=os.environ['PATH'] + ':/usr/sbin:/sbin') is None:
            return f'{program} is not here'
    tried = subprocess.run([*UNSHARE, 'sh', '-c', SET_UP, '10.0.0.1/8'], capture_output=True,
                           text=True, check=False)
    return f'no namespaces here: {tried.stderr.strip()}' if tried.returncode else ''


def set_up():
    """Our own /etc, so that there are users for peers, and nothing that says where names are."""
    run('sh', '-c', SET_UP, f'{NET}.0.1/{BITS}')
    with open('/etc/passwd', 'a', encoding='ascii') as passwd, \
         open('/etc/group', 'a', encoding='ascii') as group:
        for name, number in USERS.items():
            passwd.write(f'{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n')
            group.write(f'{name}:x:{number}:\n')
    for name, text in (('resolv.conf', f'nameserver {ROOTS[0]}\n'),
                       ('hosts', '127.0.0.1 localhost\n::1 localhost\n')):
        if os.path.islink(f'/etc/{name}'):
            os.unlink(f'/etc/{name}')
        with open(f'/etc/{name}', 'w', encoding='ascii') as file:
            file.write(text)


def main(tests, packages=()):
    """As harness.main, inside. The packages of peers are fetched before: inside is no way out."""
    if INSIDE in os.environ:
        set_up()
        harness.main(tests)
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    why = lacking()
    if why:
        print(f'1..0 # SKIP {why}')
        sys.exit(0)
    for package in packages:
        try:
            peers.unpack(package, sys.argv[2])
        except peers.Unavailable:
            pass                        # the test that wants it says so
    os.environ[INSIDE] = 'yes'
    os.execvp('unshare', [*UNSHARE, sys.executable, *sys.argv])


class Host:
    """A namespace with addresses of its own; what it started ends with it."""

    def __init__(self, name, ip, *more):
        self.name, self.ip = name, ip
        self.words = ['nsenter', f'--net=/run/netns/{name}']
        self.processes, self.sockets = [], []
        run('sh', '-c', HOST, name, f'{ip}/{BITS}', *more)

    def start(self, *words, prepare='', **more):
        """A program that runs here; `prepare`: a script, in a mount namespace of its own first."""
        if prepare:
            words = ['unshare', '-m', 'sh', '-ec', prepare + '\nexec "$@"', 'sh', *words]
        process = subprocess.Popen([*self.words, *words], stdin=subprocess.DEVNULL,
                                   start_new_session=True, **more)
        self.processes.append(process)
        return process

    def listen(self, port=25, ip=None):
        """A socket that belongs here, though this process reads it."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open('/proc/thread-self/ns/net', 'rb') as ours, \
             open(f'/run/netns/{self.name}', 'rb') as there:
            if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), 'setns')
            try:
                self.sockets.append(socket.create_server((ip or self.ip, port), backlog=64))
            finally:
                if libc.setns(ours.fileno(), CLONE_NEWNET) != 0:
                    os.abort()
        return self.sockets[-1]

    def cut(self):
        """Nothing that it says leaves it: who calls it hears nothing."""
        run('ip', '-n', self.name, 'route', 'add', 'blackhole', f'{NET}.0.1/32')

    def mend(self):
        run('ip', '-n', self.name, 'route', 'del', 'blackhole', f'{NET}.0.1/32')

    def stop(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, 9)
            except ProcessLookupError:
                pass
            process.wait(30)
        for sock in self.sockets:
            sock.close()
        run('ip', 'link', 'del', f'p-{self.name}')     # the namespace itself ends a little later
        run('ip', 'netns', 'del', self.name)


class Names(Lab):
    """The lab's DNS, at the addresses of the root servers."""

    def __init__(self, folder, host):
        super().__init__(folder, ROOTS[0], 53, others=ROOTS[1:], words=host.words)


class Net:
    def __init__(self, bench):
        self.bench, self.hosts, self.captures = bench, [], []
        self.ip = f'{NET}.0.1'
        bench.running.append(self)
        dns = self.host('dns', *(f'{ip}/32' for ip in ROOTS))
        self.dns = Names(bench.folder(), dns)

    def host(self, name, *more):
        host = Host(name, f'{NET}.1.{len(self.hosts) + 1}', *more)
        self.hosts.append(host)
        return host

    def zone(self, name, records, **more):
        self.dns.zone(name, records, **more)

    def start(self):
        self.dns.start()
        return self

    def server(self, more='', private=True, **words):
        """Ours, that relays for this machine and soon tries again."""
        conf = f'relay-from 127.0.0.1\ntrust-anchor {self.dns.anchor}\nretry 1s 2s 3s\n' \
               '# no resolver: the servers of the root are asked\n'
        conf += 'allow-private yes\n' if private else ''
        return self.bench.server(more=conf + more, **words)

    def capture(self):
        capture = Capture(self.bench.folder())
        self.captures.append(capture)
        return capture

    def stop(self):
        self.dns.stop()
        for one in [*self.captures, *self.hosts]:
            one.stop()
        self.captures, self.hosts = [], []


class Capture:
    """Every packet that passes the bridge, kept in a file by tcpdump."""

    def __init__(self, folder):
        self.file, self.log = os.path.join(folder, 'packets'), os.path.join(folder, 'tcpdump.log')
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                ['tcpdump', '-i', 'lab0', '-s', '0', '-U', '--immediate-mode', '-Z', 'root', '-w',
                 self.file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        wait_until(lambda: b'listening on' in self.octets(self.log), 'tcpdump to listen')

    @staticmethod
    def octets(path):
        with open(path, 'rb') as file:
            return file.read()

    def flush(self):
        """Until what is sent now is in the file, and so all that was sent before."""
        mark = os.urandom(16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(mark, (ROOTS[0], 9))
        wait_until(lambda: mark in self.octets(self.file), 'tcpdump to write')

    def packets(self):
        """(addresses and ports, number in the stream, payload) of each TCP packet."""
        self.flush()
        octets, at = self.octets(self.file), 24
        while at + 16 <= len(octets):
            size = int.from_bytes(octets[at + 8:at + 12], sys.byteorder)
            ether, at = octets[at + 16:at + 16 + size], at + 16 + size
            if ether[12:14] == b'\x08\x00':
                ip, ends = ether[14:], ether[26:34]
                ip, rest = ip[:int.from_bytes(ip[2:4], 'big')], (ip[0] & 15) * 4
                protocol = ip[9]
            elif ether[12:14] == b'\x86\xdd':
                ip, ends, rest, protocol = ether[14:], ether[22:54], 40, ether[20]
            else:
                continue
            if protocol == 6:
                tcp = ip[rest:]
                yield (ends + tcp[:4], int.from_bytes(tcp[4:8], 'big'), tcp[(tcp[12] >> 4) * 4:])

    def streams(self):
        """What each side of each connection said, in order, each octet once."""
        parts = {}
        for ends, number, payload in self.packets():
            if payload:
                parts.setdefault(ends, {})[number] = payload
        whole = []
        for packets in parts.values():
            text, next_number = b'', None
            for number in sorted(packets):
                fresh = packets[number]
                if next_number is not None and number < next_number:
                    fresh = fresh[next_number - number:]
                text += fresh
                next_number = max(next_number or 0, number + len(packets[number]))
            whole.append(text)
        return whole

    def saw(self, text):
        """Did it pass in clear, whole, in any packet or stream?"""
        return text in self.octets(self.file) or any(text in stream for stream in self.streams())

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
