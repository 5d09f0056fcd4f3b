#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern store backup while letters come and go: a server on the copy loses none of them.

Case SPL-020 of the hostile cases: the copy is consistent for each letter, nothing acknowledged
before it began is lost, and what is delivered a second time is what was delivered meanwhile.

usage: backup.py POSTERN PACKAGES
"""
import json
import os
import re
import shutil
import subprocess
import threading
import time

import harness
from harness import Client, Skip, equal, true, wait_until

TAG = re.compile(rb'^Subject: tag-([a-z0-9-]+)', re.M)


class Load(threading.Thread):
    """Letters one after the other, some with a body file; the tags of those acknowledged."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name = server, name
        self.acknowledged, self.over, self.flaw = [], False, None

    def run(self):
        number = 0
        try:
            while not self.over:
                with Client(self.server.port) as client:
                    for _ in range(20):
                        if self.over:
                            break
                        tag = f'{self.name}-{number}'
                        text = b'x' * 70 + b'\r\n'
                        text *= 5000 if number % 8 == 3 else 20
                        client.envelope('', ['you@example.org'])
                        client.data(f'Subject: tag-{tag}\r\n\r\n'.encode() + text)
                        self.acknowledged.append(tag)
                        number += 1
                        time.sleep(0.002)     # else some GB are written meanwhile
        except Exception as flaw:    # noqa: BLE001   told by whoever waits
            self.flaw = flaw


def under_load(server, act):
    """(tags acknowledged before act() began, its result)."""
    loads = [Load(server, f'client{i}') for i in range(3)]
    for load in loads:
        load.start()
    wait_until(lambda: all(len(load.acknowledged) > 40 or load.flaw for load in loads), 'some load')
    before = {tag for load in loads for tag in list(load.acknowledged)}
    result = act()
    for load in loads:
        load.over = True
    for load in loads:
        load.join(60)
        true(load.flaw is None, f'the load went on: {load.flaw}')
    return before, result


def slow_backup(server, copy):
    """The copier takes its time with each file, while the log goes on by some segments."""
    def last():
        return max(name for name in os.listdir(server.disk + '/spool/log') if name.isdigit())

    if shutil.which('strace') is None:
        raise Skip('strace is not here')
    before = last()
    done = subprocess.run(['strace', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e',
                           'inject=fsync:delay_enter=100000', server.program, 'store', 'backup',
                           '-c', server.conf, copy], capture_output=True, text=True, timeout=120,
                          check=False)
    true(last() > before, 'the log went on meanwhile')
    return done


def tags_of(server):
    found = [TAG.search(octets) for octets in server.letters().values()]
    return [match[1].decode() for match in found if match]


def restored(bench, copy, more=''):
    """A server on the copy, checked and started."""
    disk = bench.folder()
    os.rename(copy, os.path.join(disk, 'spool'))
    other = bench.server(folder=disk, more=more)
    checked = other.run('store', 'check')
    equal(checked.returncode, 0, checked.stdout + checked.stderr)
    true('No damage' in checked.stdout, checked.stdout)
    other.start()
    true('damage' not in other.log() and 'body_missing' not in other.log(), 'it starts well')
    return other


def nothing_acknowledged_is_lost(bench):
    """SPL-020. While segments and body files come and go, for what is delivered leaves the log."""
    server = bench.server(more='segment-size 1M\nconnections-per-minute 0').start()
    copy = os.path.join(bench.folder(), 'copy')
    before, done = under_load(server, lambda: slow_backup(server, copy))
    equal(done.returncode, 0, done.stderr)
    true(not os.path.exists(copy + '.partial'), 'it has its name')
    wait_until(lambda: json.loads(server.run('status', '--json').stdout)['queued'] == 0,
               'the first server to deliver all')
    first = tags_of(server)
    equal(len(first), len(set(first)), 'nothing is doubled there')
    equal(len(os.listdir(server.disk + '/spool/body')), 0, 'no body file was forgotten')
    server.stop()
    other = restored(bench, copy, more='segment-size 1M')
    wait_until(lambda: json.loads(other.run('status', '--json').stdout)['queued'] == 0,
               'the copy to deliver what was left in it')
    second = tags_of(other)
    equal(len(second), len(set(second)), 'nothing is doubled in the copy')
    true(before <= set(first) | set(second), 'no letter is lost')
    true(set(second) <= set(first), 'and none is made up')


def all_that_waits_is_in_it(bench):
    """SPL-020. Nothing is delivered, so every letter must be in the copy, octet for octet."""
    server = bench.server(more='segment-size 1M\ndeliver no\nconnections-per-minute 0').start()
    copy = os.path.join(bench.folder(), 'copy')
    before, done = under_load(server, lambda: slow_backup(server, copy))
    equal(done.returncode, 0, done.stderr)
    server.stop()
    other = restored(bench, copy, more='segment-size 1M')
    wait_until(lambda: json.loads(other.run('status', '--json').stdout)['queued'] == 0,
               'the copy to deliver')
    second = tags_of(other)
    equal(len(second), len(set(second)), 'each once')
    true(before <= set(second), f'{len(before - set(second))} of {len(before)} are missing')


def words_and_flaws(bench):
    server = bench.server().start()
    folder = bench.folder()
    equal(server.run('store', 'backup').returncode, 64, 'no folder')
    equal(server.run('store', 'backup', folder).returncode, 73, 'one that is there')
    equal(server.run('store', 'backup', folder + '/none/copy').returncode, 73, 'none above it')
    equal(server.run('store', 'backup', folder + '/one').returncode, 0, 'a new one')
    equal(sorted(os.listdir(folder + '/one')), ['body', 'history', 'log', 'quarantine'], 'folders')
    server.stop()
    done = server.run('store', 'backup', folder + '/two')
    equal(done.returncode, 69, 'no server runs')


def a_copier_that_dies_lets_go(bench):
    """Whoever holds the files and goes away, or whose admin dies, leaves nothing behind."""
    server = bench.server(more='segment-size 1M').start()
    folder = bench.folder()
    for how in ('client', 'admin'):
        client = hold(server)
        refused = server.run('store', 'backup', f'{folder}/{how}-other')
        equal(refused.returncode, 75, 'one at a time')
        send_large(server)
        wait_until(lambda: len(os.listdir(server.disk + '/spool/body')) >= 1, 'its file to stay')
        if how == 'client':
            client.close()
        else:
            os.kill(server.roles()['admin'], 9)
        wait_until(lambda: len(os.listdir(server.disk + '/spool/body')) == 0, 'its file to go')
        client.close()
        wait_until(lambda: server.run('store', 'backup', f'{folder}/{how}').returncode == 0
                   or os.path.isdir(f'{folder}/{how}.partial')
                   and os.system(f'rm -r {folder}/{how}.partial'), 'another to be made')


def hold(server):
    """A connection to the control socket that asked for a hold and has it."""
    client = harness.socket.socket(harness.socket.AF_UNIX)
    client.settimeout(60)
    client.connect(os.path.join(server.folder, 'control'))
    words = b'store-backup\0'
    client.sendall(len(words).to_bytes(4, 'little') + words)
    true(client.recv(5)[4] == 1, 'it is held')
    return client


def send_large(server):
    count = len(server.letters())
    with Client(server.port) as client:
        client.envelope('', ['you@example.org'])
        client.data(b'Subject: large\r\n\r\n' + b'x' * 70 * 5000 + b'\r\n')
        client.quit()
    server.wait_for_letters(count + 1)
    wait_until(lambda: json.loads(server.run('status', '--json').stdout)['queued'] == 0, 'its end')


if __name__ == '__main__':
    harness.main([nothing_acknowledged_is_lost, all_that_waits_is_in_it, words_and_flaws,
                  a_copier_that_dies_lets_go])
