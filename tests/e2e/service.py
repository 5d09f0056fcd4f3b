#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The program as a service: handed sockets, told of its start and end, installed and taken away.

usage: service.py POSTERN PACKAGES
"""
import os
import re
import shutil
import socket
import subprocess
import sys

import harness
from harness import Client, Skip, equal, true, wait_until

# security.md's bar for the unit of master, ten times the score.
EXPOSURE_MOST = 22
# The protections every shipped program has (readelf), and what shows each.
PROTECTIONS = [
    ('position independent', '-h', r'Type:\s+DYN'),
    ('relocations read-only', '-l', r'GNU_RELRO'),
    ('bound at the start', '-d', r'BIND_NOW|FLAGS.*NOW'),
    ('a stack without code', '-l', r'GNU_STACK(?:\s+\S+){5}\s+RW\s'),
    ('no segment to write and run', '-l', r'(?s)\A(?!.*\bLOAD(?:\s+\S+){5}\s+RWE)'),
    ('shadow stack', '-n', r'x86 feature:.*SHSTK'),
    ('stack protector', '--dyn-syms', r'__stack_chk_fail'),
    ('fortified calls', '--dyn-syms', r'__(?:memcpy|snprintf|fprintf|printf|vsnprintf)_chk'),
]


def build_folder(bench):
    return os.path.dirname(bench.program)


def readelf(option, path):
    done = subprocess.run(['readelf', '-W', option, path], capture_output=True, text=True,
                          check=True, env={**os.environ, 'LC_ALL': 'C'})
    return done.stdout


def is_elf(path):
    with open(path, 'rb') as file:
        return file.read(4) == b'\x7fELF'


def installed(bench):
    """The folder that `make install` fills with DESTDIR."""
    folder = bench.folder()
    for tool in ('meson', 'readelf'):
        if shutil.which(tool) is None:
            raise Skip(f'{tool} is not here')
    if not os.access(os.path.join(build_folder(bench), 'meson-logs'), os.W_OK):
        raise Skip('the build belongs to somebody else')
    done = subprocess.run(['meson', 'install', '-C', build_folder(bench), '--no-rebuild'],
                          env={**os.environ, 'DESTDIR': folder}, capture_output=True, text=True,
                          check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)
    return folder


def files_below(folder):
    return sorted(os.path.join(place, name) for place, _, names in os.walk(folder)
                  for name in names)


def installed_and_taken_away(bench):
    folder = installed(bench)
    names = [path[len(folder):] for path in files_below(folder)]
    for end in ('/bin/postern', '/man1/postern.1', '/man5/postern.conf.5',
                '/systemd/system/postern.service', '/systemd/system/postern.socket',
                '/sysusers.d/postern.conf', '/tmpfiles.d/postern.conf'):
        true(any(name.endswith(end) for name in names), f'{end} in {names}')
    true(not any('drill' in name for name in names), 'the test program is not installed')
    done = subprocess.run([os.path.join(harness.ROOT, 'tools', 'uninstall'), build_folder(bench)],
                          env={**os.environ, 'DESTDIR': folder}, capture_output=True, text=True,
                          check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)
    equal(files_below(folder), [], 'what is left')


def every_shipped_program_is_hardened(bench):
    folder = installed(bench)
    programs = [path for path in files_below(folder) if is_elf(path)]
    true(programs, 'programs are installed')
    if 'X86-64' not in readelf('-h', programs[0]).upper():
        raise Skip('the list is for x86-64')
    if '__asan' in readelf('--dyn-syms', programs[0]):
        raise Skip('this build is for finding faults')
    for path in programs:
        for what, option, sign in PROTECTIONS:
            true(re.search(sign, readelf(option, path)), f'{path}: {what}')
        entry = 'postern_new' if '.so' in path else 'main'
        code = subprocess.run(['objdump', '-d', '--no-show-raw-insn', path],
                              capture_output=True, text=True, check=True).stdout
        true(re.search(rf'<{entry}(@@\w+)?>:\n\s+\w+:\s+endbr64', code),
             f'{path}: branch targets')


def the_unit_is_closed(bench):
    unit = os.path.join(build_folder(bench), 'packaging', 'postern.service')
    if shutil.which('systemd-analyze') is None:
        raise Skip('systemd-analyze is not here')
    done = subprocess.run(['systemd-analyze', 'security', '--offline=true',
                           f'--threshold={EXPOSURE_MOST}', unit], capture_output=True, text=True,
                          check=False)
    if 'nrecognized option' in done.stderr or 'nknown' in done.stderr:
        raise Skip('this systemd-analyze cannot judge a file')
    score = re.search(r'exposure level for \S+: ([\d.]+)', done.stdout)
    true(score, done.stdout + done.stderr)
    print(f'# exposure {score.group(1)}')
    equal(done.returncode, 0, f'exposure {score.group(1)}, at most {EXPOSURE_MOST / 10}')


def users_and_folders_are_made(bench):
    """postern.sysusers has a user for each role."""
    if shutil.which('systemd-sysusers') is None:
        raise Skip('systemd-sysusers is not here')
    root = bench.folder()
    os.makedirs(os.path.join(root, 'etc'))
    users = os.path.join(harness.ROOT, 'packaging', 'postern.sysusers')
    done = subprocess.run(['systemd-sysusers', f'--root={root}', users], capture_output=True,
                          text=True, check=False)
    equal(done.returncode, 0, done.stderr)
    with open(os.path.join(root, 'etc', 'passwd'), encoding='utf-8') as passwd:
        made = {line.partition(':')[0] for line in passwd}
    server = bench.server(users=False).start()
    for role in server.roles():
        true('postern-' + role.partition('.')[0] in made, f'{role}: {made}')


def the_rights_of_the_unit_are_enough(bench):
    """No more capabilities than the unit leaves; folders as postern.tmpfiles makes them."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    with open(os.path.join(harness.ROOT, 'packaging', 'postern.service.in'),
              encoding='utf-8') as unit:
        words = re.search(r'^CapabilityBoundingSet=(.*)$', unit.read(), re.M).group(1).split()
    server = bench.server()
    if not server.system:
        raise Skip('users cannot be shown to the server here')
    first = 64950
    for name, role in (('spool', 'store'), ('mail', 'local')):
        path = os.path.join(server.folder, name)
        owner = first + harness.ROLES.index(role)
        for place, _, _ in os.walk(path):
            os.chown(place, owner, owner)
        os.chown(path, owner, 0)
        os.chmod(path, 0o750)
    kept = ','.join('+' + word[4:].lower() for word in words)
    server.system += ['setpriv', '--bounding-set=-all,' + kept, '--inh-caps=-all']
    server.start()
    with Client(server.port) as client:
        client.envelope('a@example.com', ['you@example.org'])
        client.data(b'Subject: x\r\n\r\nx\r\n')
        client.quit()
    server.wait_for_letters(1)
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as status:
        held = int(re.search(r'CapPrm:\s*(\w+)', status.read()).group(1), 16)
    true(bin(held).count('1') <= len(words), f'master holds {held:x}')
    equal(server.stop(), 0, 'the end')
    server.start()
    server.wait_for_letters(1)
    true('event=box-failed' not in server.log(), 'every role stands')
    true('event=child-ended' not in server.log(), 'and none fell')


def told_of_start_and_end(bench):
    folder = bench.folder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = os.path.join(folder, 'notify')
        manager.bind(path)
        os.chmod(path, 0o777)
        manager.settimeout(60)
        server = bench.server(folder=folder, users=False)
        server.environment = {'NOTIFY_SOCKET': path}
        server.start()
        equal(manager.recv(200), b'READY=1', 'the first datagram')
        server.stop()
        equal(manager.recv(200), b'STOPPING=1', 'the second')


def sockets_are_taken_over(bench):
    """A socket made before the server, with a client waiting in it."""
    server = bench.server(users=False, more='fronts 2')
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', server.port))
        listener.listen(16)
        early = socket.create_connection(('127.0.0.1', server.port), 30)
        server.handed = listener.fileno()
        server.start()
        true(early.recv(100)[:4] in (b'220 ', b'421 '), 'who waited is answered')
        early.close()
        inode = os.fstat(listener.fileno()).st_ino
        held = {os.readlink(f'/proc/{server.process.pid}/fd/{fd}')
                for fd in os.listdir(f'/proc/{server.process.pid}/fd')}
        true(f'socket:[{inode}]' in held, 'it is that socket')
        with Client(server.port) as client:
            client.envelope('a@example.com', ['you@example.org'])
            client.data(b'Subject: x\r\n\r\nx\r\n')
            client.quit()
    server.wait_for_letters(1)
    server.stop()
    # Without a manager's words about this very process, number 3 is no socket of ours.
    server.handed = None
    server.start()
    wait_until(server.is_ready, 'the same server without')


if __name__ == '__main__':
    sys.exit(harness.main([
        installed_and_taken_away, every_shipped_program_is_hardened, the_unit_is_closed,
        users_and_folders_are_made, the_rights_of_the_unit_are_enough, told_of_start_and_end,
        sockets_are_taken_over]))
