#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Real power cuts, CUTS of them (environment; 200): spool and mailboxes lie on an ext4 file system
that is shut down under load, without its journal being written out (EXT4_IOC_SHUTDOWN); then the
server is killed, the disk mounted again, which replays the journal, and the server started anew.
What the disk had not been told to keep is gone; what a client was told must be there."""
import fcntl
import os
import random
import shutil
import struct
import subprocess
import time

import harness
from checker import Crowd, check_history
from harness import Skip, equal, true, wait_until

CUTS = int(os.environ.get('CUTS', '200'))
IMAGE_BYTES = 4 << 30       # a hole at first
SHUTDOWN, AT_ONCE = 0x8004587D, 2       # linux/ext4: EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
USERS = ('you', 'ann', 'bob')


def run(*command):
    """What it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f'{command[0]}: {done.stderr.strip()}')
    return done.stdout.strip()


class Disk:
    """An ext4 file system in a file, mounted at `place`; close() frees all, whatever happened."""

    def __init__(self, folder):
        self.place, self.loop = os.path.join(folder, 'disk'), None
        self.image = os.path.join(folder, 'image')
        os.mkdir(self.place)
        with open(self.image, 'wb') as image:
            image.truncate(IMAGE_BYTES)
        run('mkfs.ext4', '-q', '-F', '-J', 'size=16', '-E', 'nodiscard,lazy_itable_init=1',
            self.image)

    def mount(self):
        if self.loop is None:
            self.loop = run('losetup', '--find', '--show', self.image)
        run('mount', '-t', 'ext4', self.loop, self.place)

    def is_unmounted(self):
        """Unmounts it if need be. What dead processes held of it is given back a little later, and
        until then a mount would show the same file system, still cut."""
        if os.path.ismount(self.place):
            subprocess.run(['umount', self.place], capture_output=True, check=False)
        held = os.path.exists(f'/sys/fs/ext4/{os.path.basename(self.loop)}')
        return not held and not os.path.ismount(self.place)

    def unmount(self):
        wait_until(self.is_unmounted, 'the disk to be unmounted')

    def cut(self):
        """From now on nothing reaches it. Never another disk than this one: the machine's own would
        be gone until its next start."""
        if not os.path.ismount(self.place):
            raise RuntimeError(f'{self.place} is not mounted: refusing to cut the disk below it')
        fd = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack('I', AT_ONCE))
        finally:
            os.close(fd)

    def close(self):
        if os.path.ismount(self.place):
            self.unmount()
        if self.loop is not None:
            subprocess.run(['losetup', '--detach', self.loop], check=False)


def disk_for(folder):
    if os.geteuid() != 0:
        raise Skip('mounting a disk needs root')
    for program in ('mkfs.ext4', 'losetup', 'mount'):
        if shutil.which(program) is None:
            raise Skip(f'{program} is not here')
    return Disk(folder)


def can_be_cut(disk):
    """Try it: what was not synced is gone, what was is there. Else the test would show nothing."""
    try:
        disk.mount()
    except OSError as why:
        raise Skip(f'a disk in a file cannot be mounted here: {why}') from why
    for name in ('synced', 'not'):
        with open(os.path.join(disk.place, name), 'wb') as file:
            file.write(b'x')
            file.flush()
            if name == 'synced':
                os.fsync(file.fileno())
    try:
        disk.cut()
    except OSError as why:
        raise Skip(f'this kernel cannot shut an ext4 down: {why}') from why
    disk.unmount()
    disk.mount()
    kept = os.listdir(disk.place)
    true('synced' in kept, f'a synced file is gone: {kept}')
    true('not' not in kept, 'a file that was not synced outlived the cut')


def one_cut(server, disk, crowd):
    """Some letters are taken, then the power goes, at any moment."""
    enough = crowd.taken() + random.randrange(1, 60)
    wait_until(lambda: crowd.taken() >= enough, 'letters to be taken')
    time.sleep(random.uniform(0, 0.02))
    crowd.hit()
    disk.cut()
    server.kill()
    disk.unmount()
    disk.mount()
    server.start()


def nothing_taken_is_lost(bench):
    folder = bench.folder()
    disk = disk_for(folder)
    try:
        under_cuts(bench, folder, disk)
    finally:
        for server in bench.running:
            if server.process is not None:
                server.kill()
        disk.close()


def under_cuts(bench, folder, disk):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    print(f'# seed {seed}')
    can_be_cut(disk)
    server = bench.server(folder, disk=disk.place, users=False,
                          more='retry 1s\nfronts 1\nsegment-size 1M')
    for user in USERS:
        server.mailbox(user)
    os.sync()       # the folders are somebody else's to keep
    server.start()
    sizes = (10, 300, 5000, 300) * 6 + (300000,)
    with Crowd(server, sizes=sizes, users=USERS, rest=0.004) as crowd:
        for _ in range(CUTS):
            one_cut(server, disk, crowd)
    verdict = check_history(server, crowd)
    print(f'# {CUTS} cuts; {verdict.words()}')
    equal(server.stop(), 0, 'status at the end')


if __name__ == '__main__':
    harness.main([nothing_taken_is_lost])
