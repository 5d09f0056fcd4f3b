#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Mail for system users: a child that already is the user writes ~/Maildir, and nobody else.

usage: users.py POSTERN PACKAGES
"""
import os
import signal
import stat
import subprocess
import sys
import threading
import time

import harness
from harness import Client, Refused, Skip, equal, true, wait_until

HOUSE = 'house.example.org'
# Of users that only the server under test sees; nobody of this system has them.
FIRST_UID = 61230


class House:
    """A server whose system has users of its own, with homes below its folder."""

    def __init__(self, bench, more='', program=None):
        if os.geteuid() != 0:
            raise Skip('needs root')
        settings = f'domain {HOUSE}\nsystem-users {HOUSE}\nretry 1s\n{more}'
        self.server = bench.server(more=settings, program=program)
        if not self.server.system:
            raise Skip('users cannot be shown to the server here')
        self.homes = os.path.join(self.server.folder, 'homes')
        os.mkdir(self.homes, 0o755)
        self.users = 0

    def user(self, name, uid=None, mode=0o700, owner=None, home=True, groups=()):
        """Its home."""
        uid = FIRST_UID + self.users if uid is None else uid
        self.users += 1
        path = os.path.join(self.homes, name)
        system = os.path.join(self.server.folder, 'system')
        with open(os.path.join(system, 'passwd'), 'a', encoding='utf-8') as file:
            file.write(f'{name}:x:{uid}:{uid}::{path}:/usr/sbin/nologin\n')
        with open(os.path.join(system, 'group'), 'a', encoding='utf-8') as file:
            file.write(f'{name}:x:{uid}:\n')
            for number, group in enumerate(groups):
                file.write(f'{group}:x:{uid + 1000 + number}:{name}\n')
        if home:
            os.mkdir(path)
            os.chown(path, uid if owner is None else owner, uid)
            os.chmod(path, mode)
        return path

    def send(self, *names, text=b'Subject: for a user\r\n\r\nhello\r\n'):
        """The id in the reply."""
        with Client(self.server.port) as client:
            client.envelope('al@sender.example', [f'{name}@{HOUSE}' for name in names])
            return harness.id_of(client.data(text))

    def refusal(self, name):
        with Client(self.server.port) as client:
            try:
                client.envelope('al@sender.example', [f'{name}@{HOUSE}'])
            except Refused as why:
                return str(why)
        return ''

    def wait_for_words(self, words, seconds=60):
        """In what the queue says of a letter that waits."""
        return wait_until(lambda: words in self.server.run('queue').stdout, words, seconds)


def new_letters(home):
    place = os.path.join(home, 'Maildir', 'new')
    return [os.path.join(place, name) for name in os.listdir(place)] if os.path.isdir(place) else []


def wait_for(home, count, seconds=60):
    wait_until(lambda: len(new_letters(home)) >= count, f'{count} letters in {home}', seconds)
    return new_letters(home)


def children(server):
    return [role for role in server.roles() if role.startswith('user')]


def a_letter_is_the_users_own(bench):
    """Written by the user; ~/Maildir is made; in any case of letters."""
    house = House(bench)
    home = house.user('anna', groups=('choir',))
    house.server.start()
    house.send('Anna')
    path = wait_for(home, 1)[0]
    for place in (path, os.path.join(home, 'Maildir'), os.path.join(home, 'Maildir', 'tmp')):
        found = os.lstat(place)
        equal((found.st_uid, found.st_gid), (FIRST_UID, FIRST_UID), f'the owner of {place}')
        equal(stat.S_IMODE(found.st_mode) & 0o077, 0, f'the mode of {place}')
    with open(path, 'rb') as file:
        letter = file.read()
    equal(harness.below_the_fields(letter), b'Subject: for a user\n\nhello\n', 'the letter')
    true(letter.startswith(b'Return-Path: <al@sender.example>\nDelivered-To: '), 'its fields')
    wait_until(lambda: not children(house.server), 'the child to end')
    equal(house.server.run('queue', '--json').stdout.count('letter'), 0, 'letters in the queue')


def who_gets_none(bench):
    """LDA-007, LDA-009: root, accounts of daemons, and names no user can have: no mailboxes."""
    house = House(bench)
    house.user('backupd', uid=990)
    house.user('anna')
    house.user('minus', uid=2 ** 32 - 1, home=False)
    house.user('round', uid=2 ** 32, home=False)
    house.server.start()
    for name in ('root', 'minus', 'round', 'backupd', 'nobody-here', '"anna/../root"', '"-anna"',
                 '"an na"', 'x' * 33):
        true(house.refusal(name).startswith('550'), f'{name}: {house.refusal(name)!r}')
    equal(house.refusal('anna'), '', 'a user')
    true(not os.path.exists(os.path.join(house.homes, 'backupd', 'Maildir')), 'nothing was made')


def a_home_that_is_not_right(bench):
    """Its mail waits, and the queue says in words what to mend; then it is delivered."""
    house = House(bench)
    gone = house.user('gone', home=False)
    theirs = house.user('theirs', owner=FIRST_UID + 50)
    wide = house.user('wide', mode=0o777)
    house.server.start()
    house.send('gone', 'theirs', 'wide')
    for words in ('is not there', 'belongs to somebody else', 'may be written by others'):
        house.wait_for_words(words)
    for home in (theirs, wide):
        equal(os.listdir(home), [], f'nothing was written to {home}')
    os.mkdir(gone)
    os.chown(gone, FIRST_UID, FIRST_UID)
    os.chown(theirs, FIRST_UID + 1, FIRST_UID + 1)
    os.chmod(wide, 0o755)
    for home in (gone, theirs, wide):
        wait_for(home, 1)


def links_lead_nowhere(bench):
    """A link in the place of ~/Maildir, or in it, is not followed; what the user may not
    write stays as it is."""
    house = House(bench)
    homes = [house.user('anna'), house.user('bert'), house.user('carl')]
    outside = os.path.join(house.server.folder, 'outside')
    os.mkdir(outside)
    os.chmod(outside, 0o777)
    os.symlink(outside, os.path.join(homes[0], 'Maildir'))
    os.symlink('/etc', os.path.join(homes[1], 'Maildir'))
    os.mkdir(os.path.join(homes[2], 'Maildir'))
    os.chown(os.path.join(homes[2], 'Maildir'), FIRST_UID + 2, FIRST_UID + 2)
    os.symlink(outside, os.path.join(homes[2], 'Maildir', 'tmp'))
    house.server.start()
    house.send('anna', 'bert', 'carl')
    wait_until(lambda: house.server.run('queue').stdout.count('none of them a link') >= 3,
               'three that wait')
    equal(os.listdir(outside), [], 'nothing was written outside')
    for home in homes[:2]:
        os.unlink(os.path.join(home, 'Maildir'))
    os.unlink(os.path.join(homes[2], 'Maildir', 'tmp'))
    for home in homes:
        wait_for(home, 1)


def a_child_is_nobody_else(bench):
    """What the kernel says of it while it waits for the rest of a letter."""
    house = House(bench)
    home = house.user('anna', groups=('choir', 'chess'))
    os.mkdir(os.path.join(home, 'Maildir'))
    for name in ('tmp', 'new', 'cur'):
        os.mkdir(os.path.join(home, 'Maildir', name))
    subprocess.run(['chown', '-R', f'{FIRST_UID}:{FIRST_UID}', home], check=True)
    house.server.start()
    seen, over = {}, threading.Event()

    def watch():
        while not over.is_set() and 'Seccomp' not in seen:
            for role, pid in house.server.roles().items():
                if not role.startswith('user'):
                    continue
                try:
                    with open(f'/proc/{pid}/status', encoding='ascii') as status:
                        facts = dict(line.rstrip('\n').split(':\t', 1)
                                     for line in status if ':\t' in line)
                except OSError:
                    continue
                if facts['Seccomp'] == '2':
                    seen.update(facts)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for number in range(1, 41):
            house.send('anna', text=b'Subject: large\r\n\r\n' + b'x' * 70 * 1000 + b'\r\n')
            if seen:
                break
        wait_for(home, number)
    finally:
        over.set()
        watcher.join()
    if not seen:
        raise Skip('no child was met')
    equal(set(seen['Uid'].split()), {str(FIRST_UID)}, 'uids')
    equal(set(seen['Gid'].split()), {str(FIRST_UID)}, 'gids')
    equal(set(seen['Groups'].split()), {str(FIRST_UID + more) for more in (0, 1000, 1001)},
          'groups')
    equal(seen['NoNewPrivs'], '1', 'no new privileges')
    for kind in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
        equal(int(seen[kind], 16), 0, kind)


def killed_and_tried_again(bench):
    """Children are killed as they deliver; each letter arrives, and once."""
    house = House(bench)
    homes = [house.user('anna'), house.user('bert')]
    house.server.start()
    letters, killed, over = 12, 0, time.monotonic() + 60
    for number in range(letters):
        house.send('anna', 'bert', text=b'Subject: %d\r\n\r\n' % number + b'x' * 50000 + b'\r\n')
    while time.monotonic() < over and any(len(new_letters(home)) < letters for home in homes):
        for role, pid in house.server.roles().items():
            if role.startswith('user') and killed < 10:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
        time.sleep(0.005)
    for home in homes:
        subjects = []
        for path in wait_for(home, letters):
            with open(path, 'rb') as file:
                subjects.append(file.read().split(b'Subject: ')[1].split(b'\n')[0])
        equal(sorted(subjects, key=int), [b'%d' % number for number in range(letters)], home)
    print(f'# {killed} children killed')
    true(killed > 0, 'children killed')


def local_killed_under_them(bench):
    """A new local begins where the old one was; no child of the old one serves it."""
    house = House(bench)
    home = house.user('anna')
    house.server.start()
    for number in range(6):
        wait_until(lambda: house.refusal('anna') == '', 'local to answer')
        house.send('anna', text=b'Subject: %d\r\n\r\n' % number + b'x' * 50000 + b'\r\n')
        local = wait_until(lambda: house.server.roles().get('local'), 'local')
        os.kill(local, signal.SIGKILL)
        wait_until(lambda: 'local' in house.server.roles(), 'a new local')
    wait_for(home, 6)
    wait_until(lambda: not children(house.server), 'the children to end')
    equal(len(new_letters(home)), 6, 'letters')


def without_root_it_is_said(bench):
    """Who was not started as root becomes nobody, and says so."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    house = House(bench)
    house.user('anna')
    uid = 64990
    house.server.system = []
    house.server.configure(f'domain {HOUSE}\nsystem-users {HOUSE}', plain=True)
    subprocess.run(['chown', '-R', f'{uid}:{uid}', house.server.folder], check=True)
    house.server.system = ['unshare', '-m', 'sh', '-c', harness.OWN_SYSTEM,
                           os.path.join(house.server.folder, 'system'), 'setpriv', '--reuid',
                           str(uid), '--regid', str(uid), '--clear-groups']
    house.server.start()
    true(house.refusal('anna').startswith('4'), 'not now')


if __name__ == '__main__':
    sys.exit(harness.main([
        a_letter_is_the_users_own, who_gets_none, a_home_that_is_not_right, links_lead_nowhere,
        a_child_is_nobody_else, killed_and_tried_again, local_killed_under_them,
        without_root_it_is_said]))
