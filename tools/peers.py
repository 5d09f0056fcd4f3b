# SPDX-License-Identifier: ISC
"""Postfix as a peer of tests and measurements, without installing it.

Its package conflicts with every other mail server's, so it is only unpacked; its libraries come
from tools/install-deps. Each instance has a folder of its own for settings, queue and data, and is
started by running its master directly: no start script runs and nothing is left behind on the
machine. It needs root, as Postfix does; through sudo where we are not.
"""
import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time

# Every Debian has these; Postfix refuses to share them with its default_privs (nobody).
OWNER, GROUP = 'news', 'uucp'
QUEUES = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming',
          'maildrop', 'pid', 'private', 'public', 'saved', 'trace']


class Unavailable(Exception):
    """The peer cannot be had here; the words say why."""


def as_root(command):
    """The command, through sudo where we are not root."""
    if os.geteuid() == 0:
        return command
    if shutil.which('sudo') is None:
        raise Unavailable('Postfix needs root, and there is no sudo here')
    return ['sudo', '-n', *command]


def unpack(package, place):
    """The unpacked Debian package below place; fetched at the first call."""
    folder = os.path.join(place, package)
    if os.path.isdir(os.path.join(folder, 'usr')):
        return folder
    os.makedirs(place, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as part:    # two tests may want it at once
        fetched = subprocess.run(['apt-get', 'download', package], cwd=part, capture_output=True,
                                 text=True, check=False)
        found = glob.glob(os.path.join(part, package + '_*.deb'))
        if not found:
            said = fetched.stderr.strip().splitlines()[-1:]
            raise Unavailable(f'apt-get download {package}: {said}')
        subprocess.run(['dpkg', '-x', found[0], os.path.join(part, 'tree')], check=True)
        try:
            os.rename(os.path.join(part, 'tree'), folder)
        except OSError:
            if not os.path.isdir(os.path.join(folder, 'usr')):
                raise
    return folder


def service(name, kind='unix', command=None, private='n', limit='-', wake='-'):
    return f'{name} {kind} {private} - n {wake} {limit} {command or name}\n'


def master_cf(port, address='127.0.0.1'):
    """The services an instance needs, all without chroot: nothing was installed for one."""
    listen = service(f'{address}:{port}', 'inet', 'smtpd') if port else ''
    return listen + ''.join([
        service('pickup', limit='1', wake='1'), service('cleanup', private='n', limit='0'),
        service('qmgr', limit='1', wake='300'),
        service('rewrite', command='trivial-rewrite', private='-'),
        service('bounce', private='-', limit='0'),
        service('defer', command='bounce', private='-', limit='0'),
        service('trace', command='bounce', private='-', limit='0'),
        service('verify', private='-', limit='1'), service('flush', limit='0'),
        service('proxymap', private='-'), service('smtp', private='-'),
        service('relay', command='smtp', private='-'), service('showq'),
        service('error', private='-'), service('retry', command='error', private='-'),
        service('discard', private='-'), service('lmtp', private='-'),
        service('scache', private='-', limit='1'),
        service('anvil', private='-', limit='1'), service('tlsmgr', private='-', limit='1'),
        service('tlsproxy', private='-', limit='0'),
        'virtual unix - n n - - virtual\n',     # becomes the owner of each mailbox, so it is root
        'postlog unix-dgram n - n - 1 postlogd\n',
    ])


class Postfix:
    """One instance in its own folder, which must be reachable for everybody (not below /root)."""

    def __init__(self, package, folder, port, settings, address='127.0.0.1', words=()):
        """`words`: put before its start, as those that enter the namespace of its address."""
        self.address, self.words = address, list(words)
        self.usr = os.path.join(package, 'usr')
        self.folder, self.port = folder, port
        self.conf, self.queue = os.path.join(folder, 'conf'), os.path.join(folder, 'queue')
        libraries = f'LD_LIBRARY_PATH={os.path.join(self.usr, "lib/postfix")}'
        self.settings = {
            'import_environment': f'MAIL_CONFIG TZ {libraries}',
            'export_environment': f'MAIL_CONFIG TZ {libraries}',
            'compatibility_level': '3.6', 'queue_directory': self.queue,
            'data_directory': os.path.join(folder, 'data'),
            'maillog_file': os.path.join(folder, 'log'),
            'maillog_file_prefixes': folder,
            'command_directory': os.path.join(self.usr, 'sbin'),
            'daemon_directory': os.path.join(self.usr, 'lib/postfix/sbin'),
            'shlib_directory': os.path.join(self.usr, 'lib/postfix'),
            'meta_directory': os.path.join(package, 'etc/postfix'),
            'mail_owner': OWNER, 'setgid_group': GROUP, 'inet_interfaces': address,
            'inet_protocols': 'ipv4', 'mynetworks': '127.0.0.0/8', 'alias_maps': '',
            'local_recipient_maps': '', 'mydestination': '', 'disable_dns_lookups': 'yes',
            'smtpd_peername_lookup': 'no', 'smtp_tls_security_level': 'none',
            'smtpd_relay_restrictions': 'permit_mynetworks, reject', **settings,
        }
        self.process = None

    def program(self, name):
        return os.path.join(self.usr, 'sbin', name)

    def environment(self):
        return {**os.environ, 'LD_LIBRARY_PATH': os.path.join(self.usr, 'lib/postfix'),
                'MAIL_CONFIG': self.conf}

    def root(self, command):
        """Run as root with the instance's environment, which sudo would drop."""
        keep = ['env', f'LD_LIBRARY_PATH={self.environment()["LD_LIBRARY_PATH"]}',
                f'MAIL_CONFIG={self.conf}']
        return as_root([*self.words, *keep, *command])

    def write_settings(self):
        os.makedirs(self.conf, exist_ok=True)
        with open(os.path.join(self.conf, 'main.cf'), 'w', encoding='utf-8') as file:
            file.writelines(f'{name} = {value}\n' for name, value in self.settings.items())
        with open(os.path.join(self.conf, 'master.cf'), 'w', encoding='utf-8') as file:
            file.write(master_cf(self.port, self.address))

    def lay_out(self):
        """Folders as post-install would make them, all in one go as root."""
        own, group = f'{OWNER}:root', f'{OWNER}:{GROUP}'
        mine = ' '.join(name for name in QUEUES if name not in ('pid', 'maildrop', 'public'))
        script = f'''set -e; umask 022; cd "$1"; mkdir -p queue data; chown root:root conf/*
            cd queue; mkdir -p {" ".join(QUEUES)}; chown {own} {mine}; chmod 700 {mine}
            chown {group} maildrop public; chmod 730 maildrop; chmod 710 public
            chown {own} ../data; chmod 700 ../data; touch ../log; chmod 644 ../log'''
        subprocess.run(as_root(['sh', '-c', script, 'sh', self.folder]), check=True)

    def start(self):
        self.write_settings()
        self.lay_out()
        master = os.path.join(self.usr, 'lib/postfix/sbin/master')
        self.process = subprocess.Popen(self.root([master, '-c', self.conf, '-s']),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE)
        for _ in range(600):
            if self.process.poll() is not None:
                said = self.process.stderr.read().decode(errors='replace')
                raise Unavailable(f'Postfix does not start: {said} {self.log()[-500:]}')
            if 'daemon started' in self.log() or self.greets():
                return
            time.sleep(0.05)
        raise Unavailable('Postfix does not start in 30 s: ' + self.log()[-500:])

    def greets(self):
        """Is there a banner on its port?"""
        if not self.port:
            return False
        try:
            with socket.create_connection((self.address, self.port), 5) as client:
                return client.recv(4) == b'220 '
        except OSError:
            return False

    def log(self):
        try:
            with open(os.path.join(self.folder, 'log'), encoding='utf-8', errors='replace') as log:
                return log.read()
        except OSError:
            return ''

    def master_pid(self):
        done = subprocess.run(as_root(['cat', os.path.join(self.queue, 'pid/master.pid')]),
                              capture_output=True, text=True, check=True)
        return int(done.stdout)

    def stop(self):
        """End master and what it started; twice is well."""
        if self.process is None:
            return
        if self.process.poll() is None:
            subprocess.run(as_root(['kill', str(self.master_pid())]), check=False)
        try:
            self.process.wait(30)
        finally:
            self.process.stderr.close()
            self.process = None

    def empty(self):
        """Forget every letter; only while stopped."""
        subprocess.run(as_root(['rm', '-rf', self.queue, os.path.join(self.folder, 'log')]),
                       check=True)
