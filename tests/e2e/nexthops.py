# SPDX-License-Identifier: ISC
"""Other people's servers as the next hop, each in a host of netlab.py: Postfix, Exim, OpenSMTPD.

hop = KINDS['exim'](bench, host, 'exim.lab'); hop.start(); then hop.letters() is
{recipient: [octets]} of what it took and delivered. kill() ends it as a power cut would, start()
begins it again on the queue it had. None is installed: their packages are unpacked (tools/peers.py)
and laid over the system in a mount namespace of their own.
"""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess

from harness import peers, Skip, wait_until

LAY_OVER = 'mount -t overlay overlay -o "lowerdir={package}/usr:/usr" /usr\n'
PACKAGES = ('postfix', 'exim4-daemon-light', 'opensmtpd')


def chown(path, user):
    subprocess.run(['chown', '-R', user, path], check=True)


class Hop:
    package = ''

    def __init__(self, bench, host, domain, pair=None):
        """`pair`: (certificate, key), files, for STARTTLS."""
        try:
            self.tree = peers.unpack(self.package, bench.packages)
        except peers.Unavailable as why:
            raise Skip(str(why)) from why
        self.host, self.domain, self.pair, self.process = host, domain, None, None
        self.folder = bench.folder()
        if pair:
            self.pair = [shutil.copy(path, os.path.join(self.folder, f'tls{number}'))
                         for number, path in enumerate(pair)]
            os.chmod(self.pair[1], 0o600)
        self.mail = os.path.join(self.folder, 'mail')
        os.makedirs(self.mail)
        self.lay_out()

    def lay_out(self):
        raise NotImplementedError

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(os.path.join(self.folder, 'said'), 'ab') as said:
            self.process = self.host.start(*self.command(), stdout=said, stderr=said,
                                           prepare=LAY_OVER.format(package=self.tree))
        wait_until(self.greets, f'{self.package} to greet')
        return self

    def greets(self):
        if self.process.poll() is not None:
            raise Skip(f'{self.package} does not start: {self.said()[-400:]}'.replace('\n', ' '))
        try:
            with socket.create_connection((self.host.ip, 25), 5) as client:
                return client.recv(4) == b'220 '
        except OSError:
            return False

    def kill(self):
        """All its processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        wait_until(self.is_gone, f'{self.package} to be gone')

    def is_gone(self):
        try:
            socket.create_connection((self.host.ip, 25), 5).close()
        except OSError:
            return True
        return False

    def said(self):
        text = ''
        for path in ['said', *self.logs()]:
            with open(os.path.join(self.folder, path), encoding='utf-8', errors='replace') as file:
                text += file.read()
        return text

    def logs(self):
        return [path for path in ('log', 'log/main', 'log/panic')
                if os.path.isfile(os.path.join(self.folder, path))]

    def recipient(self, octets):
        """To whom a letter was delivered, as it wrote above it."""
        found = re.search(rb'^(?:X-Original-To|Envelope-To): *(\S+)', octets, re.M | re.I)
        return found.group(1).decode().strip('<>') if found else '?'

    def letters(self):
        found = {}
        for path in sorted(glob.glob(os.path.join(self.mail, '**/new/*'), recursive=True)):
            with open(path, 'rb') as file:
                octets = file.read()
            found.setdefault(self.recipient(octets), []).append(octets)
        return found

    def wait_for(self, count, seconds=60):
        try:
            wait_until(lambda: sum(map(len, self.letters().values())) >= count,
                       f'{count} letters at {self.package}', seconds)
        except TimeoutError as why:
            raise AssertionError(f'{why}: {self.said()[-2000:]}') from why
        return self.letters()


class Postfix(Hop):
    package = 'postfix'

    def lay_out(self):
        chown(self.mail, 'reader')
        more = {'smtpd_tls_security_level': 'may', 'smtpd_tls_cert_file': self.pair[0],
                'smtpd_tls_key_file': self.pair[1]} if self.pair else {}
        self.postfix = peers.Postfix(self.tree, self.folder, 25, {
            'myhostname': f'mx.{self.domain}', 'virtual_mailbox_domains': self.domain,
            'virtual_mailbox_base': self.mail, 'virtual_mailbox_maps': 'static:box/',
            'virtual_uid_maps': 'static:64903', 'virtual_gid_maps': 'static:64903',
            'smtputf8_enable': 'yes', 'smtpd_relay_restrictions': 'reject_unauth_destination',
            'mynetworks': '127.0.0.0/8', **more}, self.host.ip)
        self.postfix.write_settings()
        self.postfix.lay_out()

    def command(self):
        return self.postfix.root([os.path.join(self.tree, 'usr/lib/postfix/sbin/master'),
                                  '-c', self.postfix.conf, '-d', '-s'])


class Exim(Hop):
    package = 'exim4-daemon-light'

    def lay_out(self):
        for name in ('spool', 'log'):
            os.makedirs(os.path.join(self.folder, name))
        tls = 'tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}\n' \
            .format(*self.pair) if self.pair else 'tls_advertise_hosts =\n'
        self.conf = self.write('conf', f'''primary_hostname = mx.{self.domain}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%s
pid_file_path = {self.folder}/pid
exim_path = /usr/sbin/exim4
exim_user = Debian-exim
exim_group = Debian-exim
local_interfaces = {self.host.ip}
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = take_ours
acl_smtp_data = take_all
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
never_users =
deliver_drop_privilege = true
{tls}begin acl
take_ours:
  accept domains = {self.domain}
  deny message = relay not permitted
take_all:
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = {self.mail}
  envelope_to_add
  return_path_add
  user = Debian-exim
''')
        chown(self.folder, 'Debian-exim')
        os.chmod(self.folder, 0o755)
        chown(self.conf, 'root')

    def command(self):
        return ['/usr/sbin/exim4', '-C', self.conf, '-bdf', '-q1m']


class OpenSmtpd(Hop):
    package = 'opensmtpd'

    def lay_out(self):
        os.makedirs(os.path.join(self.mail, 'new'))
        chown(self.mail, 'reader')
        take = self.write('take', f'''#!/bin/sh
set -e
part=$(mktemp {self.mail}/XXXXXXXX)
(echo "Envelope-To: $1"; cat) >"$part"
mv "$part" {self.mail}/new/
''', 0o755)
        pki, tls = '', ''
        if self.pair:
            pki, tls = 'pki lab cert "{}"\npki lab key "{}"\n'.format(*self.pair), ' tls pki lab'
        self.write('users', '@ reader\n')
        self.conf = self.write('conf', f'''{pki}
listen on {self.host.ip} port 25{tls} hostname mx.{self.domain}
action "box" mda "{take} %{{rcpt}}" virtual {{ "@" = reader }}
match from any for domain "{self.domain}" action "box"
''', 0o600)

    def command(self):
        return ['sh', '-ec', f'''mkdir -p /var/lib/opensmtpd/empty {self.folder}/spool
chmod 711 {self.folder}/spool
mkdir -p /var/spool/smtpd; mount --bind {self.folder}/spool /var/spool/smtpd
exec /usr/sbin/smtpd -d -f {self.conf}''']


KINDS = {'postfix': Postfix, 'exim': Exim, 'opensmtpd': OpenSmtpd}
