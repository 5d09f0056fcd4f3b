# SPDX-License-Identifier: ISC
"""A real server in a folder of its own, a bare SMTP client, and TAP: what end-to-end tests share.

Each test program is called with the program `postern` and a folder for packages of peers. Its tests
are functions given a Bench; a test says Skip with its reason where this machine cannot do it.
"""
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tools'))
import peers    # noqa: E402

DOMAIN = 'example.org'
CONF = """host mx.example.org
domain example.org
mailboxes {disk}/mail
spool {disk}/spool
control {folder}/control
log {folder}/log
space-reserve 1M
{listen}
{more}
"""


ROLES = ('front', 'store', 'local', 'admin', 'keys', 'relay', 'names', 'fetch')
# As root, a server sees a system with our users in it; this one's files stay as they are.
OWN_SYSTEM = """mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group &&
exec "$@" """


class Skip(Exception):
    """This machine cannot do it; the words say why."""


class Refused(Exception):
    """The server answered with another code than was wanted."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(('::1', 0))
        return True
    except OSError:
        return False


def wait_until(check, what, seconds=60):
    """The first true answer of check()."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(0.02)
    raise TimeoutError(f'waited {seconds} s for {what}')


def equal(got, want, what):
    if got != want:
        raise AssertionError(f'{what}: got {got!r}, want {want!r}')


def true(value, what):
    if not value:
        raise AssertionError(what)


def own_system(folder):
    """Words before a command that let it see the users postern-ROLE; [] where that cannot be."""
    if os.geteuid() != 0:
        return []
    for name, line in (('passwd', 'postern-{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n'),
                       ('group', 'postern-{0}:x:{1}:\n')):
        with open(f'/etc/{name}', encoding='utf-8') as system:
            text = system.read()
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
            file.write(text)
            for number, role in enumerate(ROLES, 64950):
                file.write(line.format(role, number))
    words = ['unshare', '-m', 'sh', '-c', OWN_SYSTEM, folder]
    tried = subprocess.run([*words, 'true'], capture_output=True, check=False)
    return words if tried.returncode == 0 else []


class Client:
    """SMTP octet by octet, since libraries mend what is to be tested."""

    def __init__(self, port, host='127.0.0.1', hello='client.example.com'):
        self.socket = socket.create_connection((host, port), 60)
        self.file = self.socket.makefile('rb')
        self.expect('220')
        self.extensions = self.command(f'EHLO {hello}', '250') if hello else ''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def reply(self):
        """One reply, all its lines."""
        lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b'\r\n'):
                raise ConnectionError(f'connection lost after {lines!r} {line!r}')
            lines.append(line.decode('utf-8', 'replace').rstrip('\r\n'))
            if lines[-1][3:4] != '-':
                return '\n'.join(lines)

    def expect(self, code):
        reply = self.reply()
        if not reply.startswith(code):
            raise Refused(reply)
        return reply

    def send(self, octets):
        self.socket.sendall(octets)

    def command(self, line, code):
        self.send(line.encode() + b'\r\n')
        return self.expect(code)

    def envelope(self, sender, recipients, parameters=''):
        self.command(f'MAIL FROM:<{sender}>{parameters}', '250')
        for recipient in recipients:
            self.command(f'RCPT TO:<{recipient}>', '250')

    def data(self, text):
        """Dots doubled and the end put behind; the reply."""
        self.command('DATA', '354')
        stuffed = (b'\r\n' + text).replace(b'\r\n.', b'\r\n..')[2:]
        self.send(stuffed + b'.\r\n')
        return self.expect('250')

    def bdat(self, text, chunk=1 << 20):
        last = ''
        for at in range(0, max(len(text), 1), chunk):
            part = text[at:at + chunk]
            last = ' LAST' if at + chunk >= len(text) else ''
            self.send(f'BDAT {len(part)}{last}\r\n'.encode() + part)
            reply = self.expect('250')
        return reply

    def quit(self):
        self.command('QUIT', '221')


def id_of(reply):
    """The letter's id in a 250 reply: 13 characters of Crockford's base 32."""
    for word in reply.replace('=', ' ').replace('<', ' ').split():
        word = word.strip('.,;:>')
        if len(word) == 13 and all(c in '0123456789ABCDEFGHJKMNPQRSTVWXYZ' for c in word):
            return word
    raise AssertionError('no id in ' + reply)


class Server:
    """One `postern serve` and its folder; may be stopped, killed and started again."""

    def __init__(self, program, folder, more='', wrap=(), options=(), listen=None,
                 users=True, disk=None):
        self.program, self.folder = program, folder
        self.disk = disk or folder      # what must outlive a power cut lies here
        self.wrap, self.options = list(wrap), list(options)
        self.port, self.process = free_port(), None
        self.environment, self.handed = {}, None    # more variables; a socket to be taken over
        self.conf = os.path.join(folder, 'postern.conf')
        for path in (self.disk + '/mail', self.disk + '/spool', folder + '/system'):
            os.makedirs(path, exist_ok=True)
        self.system = own_system(os.path.join(folder, 'system')) if users else []
        self.configure(more, listen)
        self.mailbox('you')

    def configure(self, more='', listen=None, plain=False):
        listen = listen or f'listen 127.0.0.1:{self.port}'
        if os.geteuid() == 0 and not self.system and not plain:
            more += '\nusers no'
        if 'relay-from' not in more:    # tests are strangers
            more += '\nrelay-from 192.0.2.1'
        if 'resolver' not in more:      # and nobody here asks the world's servers
            more += '\nresolver 127.0.0.1:9'
        with open(self.conf, 'w', encoding='utf-8') as file:
            file.write(CONF.format(folder=self.folder, disk=self.disk, listen=listen, more=more))

    def mailbox(self, name):
        """Its folder, made for whoever owns the others."""
        root = os.path.join(self.disk, 'mail')
        owner, path = os.stat(root), root
        for part in (DOMAIN, name):
            path = os.path.join(path, part)
            if not os.path.isdir(path):
                os.mkdir(path)
                os.chown(path, owner.st_uid, owner.st_gid)
        return path

    def start(self):
        command = [*self.system, *self.wrap, self.program, 'serve', '-c', self.conf, *self.options]
        handed = ()
        if self.handed is not None:     # as systemd does it: number 3, and the process's own id
            handed = (self.handed,)
            command = ['bash', '-c', f'exec 3<&{self.handed}; LISTEN_FDS=1 LISTEN_PID=$$ '
                       'exec "$@"', 'bash', *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=handed,
                                        env={**os.environ, **self.environment},
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        wait_until(self.is_ready, 'the server to answer')
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            said = self.process.stderr.read().decode(errors='replace')
            raise AssertionError(f'serve ended with {self.process.returncode}: {said}')
        try:
            with socket.create_connection(('127.0.0.1', self.port), 5) as client:
                greeted = client.recv(4) == b'220 '
        except OSError:
            return False
        return greeted and self.run('status').returncode == 0

    def run(self, *words, **more):
        """A command of the program against this server."""
        command = [self.program, *words]
        if words[0] not in ('send', 'check', 'help', 'version'):
            command += ['-c', self.conf]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=60, check=False, **more)

    def stop(self, number=signal.SIGTERM):
        """The exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            os.kill(self.main_pid(), number)
        status = self.process.wait(60)
        self.process.stderr.close()
        self.process = None
        return status

    def kill(self):
        """kill -9 of master; the others end by themselves. Waits until none is left."""
        left = [self.main_pid(), *self.roles().values()]
        self.process.kill()
        self.process.wait(60)
        self.process.stderr.close()
        self.process = None
        wait_until(lambda: not any(runs(pid) for pid in left), 'all its processes to end')

    def main_pid(self):
        """master's, also below a wrapper such as strace."""
        if not self.wrap:
            return self.process.pid
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children',
                  encoding='ascii') as children:
            return int(children.read().split()[0])

    def roles(self):
        """{role: pid} of the processes below master."""
        found = {}
        with open(f'/proc/{self.main_pid()}/task/{self.main_pid()}/children',
                  encoding='ascii') as children:
            for pid in children.read().split():
                try:
                    with open(f'/proc/{pid}/comm', encoding='ascii') as comm:
                        found[comm.read().strip().partition(':')[2]] = int(pid)
                except OSError:
                    continue
        return found

    def log(self):
        try:
            with open(os.path.join(self.folder, 'log'), encoding='utf-8', errors='replace') as log:
                return log.read()
        except OSError:
            return ''

    def letters(self, name='you'):
        """{file name: octets} of what lies new in a mailbox."""
        place = os.path.join(self.disk, 'mail', DOMAIN, name, 'new')
        found = {}
        for file in sorted(os.listdir(place)) if os.path.isdir(place) else []:
            with open(os.path.join(place, file), 'rb') as letter:
                found[file] = letter.read()
        return found

    def wait_for_letters(self, count, name='you', seconds=60):
        place = os.path.join(self.disk, 'mail', DOMAIN, name, 'new')
        wait_until(lambda: os.path.isdir(place) and len(os.listdir(place)) >= count,
                   f'{count} letters in {name}', seconds)
        return self.letters(name)


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as stat:
            return stat.read().rpartition(')')[2].split()[0] not in ('Z', 'X')
    except OSError:
        return False


def below_the_fields(octets):
    """What stands below Return-Path, Delivered-To and Received, which must be there, in order."""
    end = b'\r\n' if octets.split(b'\n', 1)[0].endswith(b'\r') else b'\n'
    rest = octets
    for name in (b'Return-Path:', b'Delivered-To:', b'Received:'):
        true(rest.startswith(name), f'{name!r} is not there: {rest[:80]!r}')
        while True:
            _, rest = rest.split(end, 1)
            if not rest.startswith((b' ', b'\t')):
                break
    return rest


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


class Bench:
    """What a test is given: fresh servers, ended and removed after it."""

    def __init__(self, program, packages):
        self.program, self.packages = os.path.abspath(program), packages
        self.folders, self.running = [], []

    def folder(self):
        path = tempfile.mkdtemp(prefix='postern-e2e-', dir='/var/tmp')
        os.chmod(path, 0o755)
        self.folders.append(path)
        return path

    def server(self, folder=None, program=None, **more):
        server = Server(program or self.program, folder or self.folder(), **more)
        self.running.append(server)
        return server

    def postfix(self, port, settings):
        """A Postfix, stopped after the test."""
        try:
            package = peers.unpack('postfix', self.packages)
            server = peers.Postfix(package, self.folder(), port, settings)
            self.running.append(server)
            server.start()
        except peers.Unavailable as why:
            raise Skip(str(why)) from why
        return server

    def clean(self, failed):
        for server in self.running:
            if failed and isinstance(server, Server):
                print('# log: ' + '\n# '.join(server.log().splitlines()[-30:]))
            server.stop()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
            if os.path.exists(folder):      # Postfix's files are root's
                subprocess.run(peers.as_root(['rm', '-rf', folder]), check=False)
        self.folders, self.running = [], []


def run_test(bench, test):
    """'' or why it failed."""
    failed = ''
    try:
        test(bench)
    except Skip:
        raise
    except Exception:    # noqa: BLE001   a test may fail in any way
        failed = traceback.format_exc()
    finally:
        bench.clean(failed)
    return failed


def main(tests):
    """TAP for each test; the status says whether all were well."""
    bench, failures = Bench(sys.argv[1], sys.argv[2]), 0
    wanted = [test for test in tests if len(sys.argv) < 4 or test.__name__ in sys.argv[3:]]
    print(f'1..{len(wanted)}', flush=True)
    for number, test in enumerate(wanted, 1):
        name = test.__name__.replace('_', ' ')
        try:
            failed = run_test(bench, test)
        except Skip as why:
            print(f'ok {number} - {name} # SKIP {why}', flush=True)
            continue
        print(f'{"not ok" if failed else "ok"} {number} - {name}', flush=True)
        if failed:
            print('# ' + failed.replace('\n', '\n# '))
            failures += 1
    sys.exit(1 if failures else 0)
