# SPDX-License-Identifier: ISC
"""The servers that are measured: ours, Postfix, and the reference (mailsink --log).

Each takes letters for sink@sink.example and keeps them; each has its spool below the same folder,
so on the same file system. What they use is read from /proc, for all processes they are made of.
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'tools'))
import peers    # noqa: E402

CONF = """host bench.example
domain sink.example
mailboxes {folder}/mail
users no
spool {folder}/spool
control {folder}/control
log {folder}/log
listen 127.0.0.1:{port}
connections 12000
size-limit 100M
{more}
"""


MAILBOXES = 50      # user0 .. user49, beside sink
MAIL_OWNER = 'nobody'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for_banner(port, process, seconds=60):
    """Until a client gets a 220."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f'{process.args[0]} ended with status {process.returncode}')
        try:
            with socket.create_connection(('127.0.0.1', port), 5) as client:
                client.settimeout(seconds)
                if client.recv(4) == b'220 ':
                    return
        except OSError:
            pass
        time.sleep(0.002)
    raise TimeoutError(f'no banner on port {port}')


def children():
    """{parent: [child]} of all processes now."""
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat', encoding='ascii', errors='replace') as stat:
                    parent = int(stat.read().rsplit(')', 1)[1].split()[1])
            except OSError:
                continue
            found.setdefault(parent, []).append(int(name))
    return found


def certificate(folder):
    """Paths of a P-256 certificate and its key, for those who make none of their own."""
    paths = [os.path.join(folder, name) for name in ('tls.pem', 'tls.key')]
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=bench.example',
                    '-out', paths[0], '-keyout', paths[1]], check=True, capture_output=True)
    return paths


class Server:
    """What the three have in common."""

    name = ''
    delivers = False        # into mailboxes, once started; else letters are taken and kept
    lmtp = 0                # the port of an LMTP server to which it delivers instead
    ours = theirs = None    # lines of our configuration, settings of Postfix, in place of all that

    def __init__(self, folder):
        self.folder = os.path.join(folder, self.name)
        self.mail = os.path.join(self.folder, 'mail/sink.example')
        self.port = free_port()
        self.process = None
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)

    def make_mailboxes(self):
        for number in range(MAILBOXES):
            os.makedirs(os.path.join(self.mail, f'user{number}'), exist_ok=True)

    def root_pid(self):
        return self.process.pid

    def pids(self):
        """The server's processes."""
        below, found, todo = children(), [], [self.root_pid()]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += below.get(pid, [])
        return found

    def cpu_seconds(self):
        """Processor time of all threads of all processes, to the nanosecond: the ticks of PID/stat
        are cut to hundredths for each process, and Postfix has two hundred. None of them ends while
        it is measured."""
        nanoseconds = 0
        for pid in self.pids():
            for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
                try:
                    with open(path, encoding='ascii') as stat:
                        nanoseconds += int(stat.read().split()[0])
                except OSError:
                    continue
        return nanoseconds / 1e9

    def pss_bytes(self):
        total = 0
        for pid in self.pids():
            try:
                with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as lines:
                    total += sum(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
            except OSError:
                continue
        return total * 1024

    def spawn(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)
        self.process = None


class Ours(Server):
    name = 'postern'

    def __init__(self, folder, program):
        super().__init__(folder)
        self.program = os.path.abspath(program)
        self.empty()

    def start(self):
        conf = os.path.join(self.folder, 'postern.conf')
        os.makedirs(os.path.join(self.mail, 'sink'), exist_ok=True)
        os.makedirs(os.path.join(self.folder, 'spool'), exist_ok=True)
        self.make_mailboxes()
        more = '' if self.delivers else 'deliver no'
        if self.lmtp:
            more = f'lmtp 127.0.0.1:{self.lmtp}'
        if self.ours:
            more = self.ours
        with open(conf, 'w', encoding='utf-8') as file:
            file.write(CONF.format(folder=self.folder, port=self.port, more=more))
        self.spawn([self.program, 'serve', '-c', conf])
        wait_for_banner(self.port, self.process)

    def empty(self):
        for name in ('spool', 'mail', 'log'):
            path = os.path.join(self.folder, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)


class Reference(Server):
    name = 'reference'

    def __init__(self, folder, program):
        super().__init__(folder)
        self.program = program
        self.certificate, self.key = certificate(self.folder)

    def start(self):
        self.spawn([self.program, '--log', os.path.join(self.folder, 'log'), '--cert',
                    self.certificate, '--key', self.key, f'127.0.0.1:{self.port}'])
        wait_for_banner(self.port, self.process)

    def empty(self):
        """Its log is unlinked as soon as it is open."""


class Postfix(Server):
    name = 'postfix'

    def __init__(self, folder, packages):
        super().__init__(folder)
        settings = {}
        with open(os.path.join(HERE, 'peers', 'postfix.cf'), encoding='utf-8') as lines:
            for line in lines:
                name, equals, value = line.partition('=')
                if equals and not line.startswith('#'):
                    settings[name.strip()] = value.strip()
        settings['smtpd_tls_cert_file'], settings['smtpd_tls_key_file'] = certificate(self.folder)
        package = peers.unpack('postfix', packages)
        self.instance = peers.Postfix(package, self.folder, self.port, settings)
        self.held = self.instance.settings['smtpd_data_restrictions']

    def lmtp_settings(self):
        return {'smtpd_data_restrictions': '', 'virtual_mailbox_domains': 'sink.example',
                'virtual_mailbox_maps': 'static:all',
                'virtual_transport': f'lmtp:inet:127.0.0.1:{self.lmtp}',
                'lmtp_destination_concurrency_limit': '50',
                'lmtp_connection_cache_on_demand': 'yes',
                'lmtp_connection_cache_destinations': f'inet:127.0.0.1:{self.lmtp}'}

    def delivery_settings(self):
        """virtual(8) into the same folders."""
        owner = pwd.getpwnam(MAIL_OWNER)
        table = os.path.join(self.folder, 'mailboxes')
        with open(table, 'w', encoding='utf-8') as file:
            file.writelines(f'user{n}@sink.example user{n}/\n' for n in range(MAILBOXES))
        return {'smtpd_data_restrictions': '', 'virtual_mailbox_domains': 'sink.example',
                'virtual_mailbox_base': self.mail, 'virtual_mailbox_maps': f'texthash:{table}',
                'virtual_uid_maps': f'static:{owner.pw_uid}',
                'virtual_gid_maps': f'static:{owner.pw_gid}'}

    def root_pid(self):
        return self.instance.master_pid()

    def start(self):
        self.instance.settings.pop('relayhost', None)
        if self.theirs:
            self.instance.settings.update(self.theirs)
        elif self.lmtp:
            self.instance.settings.update(self.lmtp_settings())
        elif self.delivers:
            self.make_mailboxes()
            self.instance.settings.pop('virtual_transport', None)
            subprocess.run(peers.as_root(['chown', '-R', MAIL_OWNER, self.mail]), check=True)
            self.instance.settings.update(self.delivery_settings())
        else:
            self.instance.settings['smtpd_data_restrictions'] = self.held
        self.instance.start()

    def stop(self):
        self.instance.stop()

    def empty(self):
        self.instance.empty()
        subprocess.run(peers.as_root(['rm', '-rf', self.mail]), check=True)


def flush_count(folder):
    """Cache flushes of the disk below the folder so far, by all programs; None: it does not say."""
    device = os.stat(folder).st_dev
    place = os.path.realpath(f'/sys/dev/block/{os.major(device)}:{os.minor(device)}')
    if os.path.exists(os.path.join(place, 'partition')):
        place = os.path.dirname(place)
    try:
        with open(os.path.join(place, 'stat'), encoding='ascii') as stat:
            fields = stat.read().split()
    except OSError:
        return None
    return int(fields[15]) if len(fields) > 15 and int(fields[15]) > 0 else None
