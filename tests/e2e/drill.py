#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The compromise drill: each role, taken over, tries what its box must not let it do.

usage: drill.py POSTERN PACKAGES

postern-drill is the server with one addition: on a magic message a role makes the attempt of that
number (host/drill_tries.c). An attempt is good when it failed, or when it was the role's end by
SIGSYS. The table is printed: one row an attempt, one column a role.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import time

import harness
from harness import Skip, equal, true, wait_until

# What a role may do by its row of rights.def.
ALLOWED = {('store', 'list the spool'), ('local', 'list the mail root'),
           ('relay', 'connect by TCP'), ('relay', 'send by UDP'),
           ('relay', 'connect to a unix socket'),
           ('names', 'connect by TCP'), ('names', 'send by UDP'),
           ('fetch', 'connect by TCP'), ('fetch', 'send by UDP')}
# A child that delivers to one system user: it lives for a letter, so the drill has it made anew.
USER = 'user'
LEAST = 15
# Another user than root, where the tests are run by root.
PLAIN_USER = 64990


def drill_program(bench):
    path = os.path.join(os.path.dirname(bench.program), 'postern-drill')
    if not os.path.exists(path):
        raise Skip('postern-drill is not built')
    return path


class Taken:
    """A server whose roles obey."""

    def __init__(self, server):
        self.server = server
        self.kinds = {kind for kind in self.roles() if kind != USER}

    def roles(self):
        """{kind: pid}"""
        return {name.partition('.')[0]: pid for name, pid in self.server.roles().items()}

    def order(self, role, number, prey):
        """False: the front could not take it now."""
        with socket.create_connection(('127.0.0.1', self.server.port), 30) as client:
            if not client.recv(512).startswith(b'220 '):
                return False
            words = f'POSTERN-DRILL {role} {number} {prey} {self.server.folder}\r\n'
            client.sendall(words.encode())
            client.settimeout(0.2)
            try:
                client.recv(512)
            except OSError:
                pass
        return True

    def all_up(self):
        """Every role has been alive for so long that its end is not held against it."""
        if set(self.roles()) - {USER} != self.kinds:
            return False
        return self.server.run('status').returncode == 0

    def attempt(self, role, number):
        """(name, 'denied', 'killed', 'ALLOWED', 'ended') or None: there is no such attempt."""
        wait_until(self.all_up, 'all roles')
        roles, before = self.roles(), len(self.server.log())
        prey = roles['front' if role == 'store' else 'store']
        if role == USER and USER not in roles:      # the first is lost, but makes it
            wait_until(lambda: self.order(role, number, prey), 'a front that listens')
            wait_until(lambda: USER in self.roles(), 'a child that is a user')
        wait_until(lambda: self.order(role, number, prey), 'a front that listens')
        words = wait_until(lambda: self.verdict(role, number, before), f'{role} {number}', 30)
        true(self.server.process.poll() is None, 'master lives')
        return words

    def verdict(self, role, number, before):
        """'' until it is known."""
        text = self.server.log()[before:]
        if 'event=drill-over' in text:
            return 'over', 'over'
        tries = re.search(rf'event=drill-tries number={number} attempt=("[^"]*"|\S+)', text)
        if not tries:
            return ''
        name = tries.group(1).strip('"')
        tried = re.search(rf'event=drill-tried number={number} .*result=(\w+)', text)
        if tried:
            return name, tried.group(1)
        ended = re.search(rf'event=child-ended child={role} index=\d+ status=(\d+)', text)
        if not ended:
            return ''
        return name, 'killed' if int(ended.group(1)) == 128 + signal.SIGSYS else 'ENDED'


def run_drill(server):
    """{(role, attempt): result}"""
    taken, found = Taken(server), {}
    number, kinds = 0, sorted([*taken.kinds, USER])
    while True:
        began = time.monotonic()
        # The store passes orders on to the others, the front to the store: they come last.
        for role in sorted(kinds, key=lambda kind: (kind == 'front', kind == 'store')):
            name, result = taken.attempt(role, number)
            if name == 'over':
                return kinds, found
            found[role, name] = result
        number += 1
        time.sleep(max(0, 1.05 - (time.monotonic() - began)))   # no life shorter than a second


def print_table(kinds, found):
    names = list(dict.fromkeys(name for _, name in found))
    print('# ' + ' ' * 28 + ''.join(f'{kind:>9}' for kind in kinds))
    for name in names:
        cells = []
        for kind in kinds:
            result = found[kind, name]
            cells.append('its own' if result == 'ALLOWED' and (kind, name) in ALLOWED else result)
        print(f'# {name:28}' + ''.join(f'{cell:>9}' for cell in cells))
    return names


def judge(server):
    kinds, found = run_drill(server)
    names = print_table(kinds, found)
    bad = [key for key, result in found.items()
           if result not in ('denied', 'killed') and key not in ALLOWED]
    equal(bad, [], 'attempts that succeeded')
    for kind in kinds:
        denied = sum((kind, name) not in ALLOWED for name in names)
        true(denied >= LEAST, f'{kind}: {denied} attempts')
    true(not os.path.exists(os.path.join(server.folder, 'planted')), 'nothing was planted')


def every_role_taken_over_as_root(bench):
    """With users of their own."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    server = bench.server(program=drill_program(bench), more='fronts 1')
    if not server.system:
        raise Skip('users cannot be shown to the server here')
    home = os.path.join(server.folder, 'home')
    os.mkdir(home, 0o700)
    os.chown(home, PLAIN_USER, PLAIN_USER)
    with open(os.path.join(server.folder, 'system', 'passwd'), 'a', encoding='utf-8') as file:
        file.write(f'postern-drilled:x:{PLAIN_USER}:{PLAIN_USER}::{home}:/usr/sbin/nologin\n')
    server.start()
    uids = {os.stat(f'/proc/{pid}').st_uid for pid in server.roles().values()}
    judge(server)
    true(uids, 'roles')


def every_role_taken_over_as_a_plain_user(bench):
    program = drill_program(bench)
    folder, wrap = bench.folder(), []
    if os.geteuid() == 0:
        wrap = ['setpriv', '--reuid', str(PLAIN_USER), '--regid', str(PLAIN_USER),
                '--clear-groups']
    server = bench.server(folder=folder, program=program, more='fronts 1', users=False)
    if wrap:
        server.configure('fronts 1', plain=True)
        subprocess.run(['chown', '-R', f'{PLAIN_USER}:{PLAIN_USER}', folder], check=True)
        server.system = wrap
    server.start()
    judge(server)


def each_role_is_its_own_user(bench):
    """As the kernel tells it, from outside."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    server = bench.server()
    if not server.system:
        raise Skip('users cannot be shown to the server here')
    server.start()
    users = {}
    for role, pid in server.roles().items():
        with open(f'/proc/{pid}/status', encoding='ascii') as status:
            facts = dict(line.rstrip('\n').split(':\t', 1) for line in status if ':\t' in line)
        users.setdefault(facts['Uid'], set()).add(role.partition('.')[0])
        equal(facts['Groups'].strip(), '', f'{role}: groups')
        equal(facts['NoNewPrivs'], '1', f'{role}: no new privileges')
        equal(facts['Seccomp'], '2', f'{role}: seccomp')
        for kind in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            equal(int(facts[kind], 16), 0, f'{role}: {kind}')
        true('\t0' not in '\t' + facts['Uid'], f'{role}: not root')
        true(os.readlink(f'/proc/{pid}/ns/net') != os.readlink('/proc/self/ns/net')
             or (role, 'connect by TCP') in ALLOWED, f'{role}: a network of its own')
    true(all(len(kinds) == 1 for kinds in users.values()), f'one user a role: {users}')


def only_what_the_row_gives_is_open(bench):
    """No role holds a file or folder that is not its own."""
    server = bench.server(users=False).start()
    for role, pid in server.roles().items():
        try:
            held = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
        except PermissionError as why:
            raise Skip('who may look at a process that gives nothing away is root') from why
        own = {'store': 'spool', 'local': 'mail'}.get(role)
        for path in held:
            below = own and path.startswith(os.path.join(server.folder, own))
            true(below or path in (os.path.join(server.folder, 'log'), '/dev/null')
                 or not path.startswith('/') or path.startswith('/memfd'), f'{role} holds {path}')


def root_without_users_is_refused(bench):
    if os.geteuid() != 0:
        raise Skip('needs root')
    server = bench.server(users=False)
    server.configure(plain=True)
    if subprocess.run(['getent', 'passwd', 'postern-front'], capture_output=True,
                      check=False).returncode == 0:
        raise Skip('this system has the users')
    done = subprocess.run([server.program, 'serve', '-c', server.conf], capture_output=True,
                          text=True, timeout=60, check=False)
    equal(done.returncode, os.EX_NOUSER, 'the exit status')
    true('postern-front' in done.stderr and 'users no' in done.stderr, done.stderr)
    server.configure()
    server.start()
    true('event=users-off' in server.log(), 'the log says that all run as root')


def the_product_does_not_obey(bench):
    with open(bench.program, 'rb') as product, open(drill_program(bench), 'rb') as drill:
        true(b'POSTERN-DRILL' not in product.read(), 'the magic message is not in the product')
        true(b'POSTERN-DRILL' in drill.read(), 'and it is in the other one')


if __name__ == '__main__':
    sys.exit(harness.main([
        each_role_is_its_own_user, only_what_the_row_gives_is_open, root_without_users_is_refused,
        the_product_does_not_obey, every_role_taken_over_as_root,
        every_role_taken_over_as_a_plain_user]))
