#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The promise, from outside: no 250 before the letter is synced, and no kill -9 loses it."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import harness
from harness import Client, equal, Refused, Skip, true, wait_until

HEAD = b'From: <a@example.com>\r\nSubject: promise\r\n'


def strace():
    if shutil.which('strace') is None:
        raise Skip('strace is not here')
    probe = subprocess.run(['strace', '-o', '/dev/null', 'true'], capture_output=True, check=False)
    if probe.returncode != 0:
        raise Skip('strace may trace nothing here')


def trace_lines(path):
    """The calls in the order they ended."""
    with open(path, encoding='utf-8', errors='replace') as lines:
        return lines.read().splitlines()


def sync_comes_before_250(bench):
    """For each letter: its text is written, that file is synced, and only then the client hears."""
    strace()
    for text, what in ((HEAD + b'\r\nSMALL-MARK\r\n', 'log'),
                       (HEAD + b'\r\n' + b'LARGE-MARK\r\n' * 40000, 'body')):
        check_order(bench, text, what)


def check_order(bench, text, what):
    folder = bench.folder()
    trace = os.path.join(folder, 'trace')
    wrap = ['strace', '-f', '-y', '-s', '5000', '-o', trace, '-e',
            'trace=write,writev,pwrite64,pwritev,sendto,sendmsg,fdatasync,fsync']
    more = 'fronts 1\ndeliver no'
    if os.geteuid() != 0:       # files of a process that gives nothing away are shown to root only
        wrap, more = ['unshare', '-Ur', *wrap], more + '\nusers no'
    server = bench.server(folder=folder, more=more, wrap=wrap).start()
    with Client(server.port) as client:
        client.envelope('a@example.com', ['you@example.org'])
        client.data(text)
        client.quit()
    server.stop()
    lines = trace_lines(trace)
    mark = text[len(HEAD) + 2:len(HEAD) + 12].decode()
    spool = os.path.join(folder, 'spool')
    written = next(number for number, line in enumerate(lines)
                   if mark in line and spool in line and 'write' in line)
    file = re.search(r'\d+<([^>]*)>', lines[written]).group(1)
    told = next(number for number, line in enumerate(lines)
                if number > written and re.search(r'\(\d+<socket:.*"250 2', line))
    synced = [number for number, line in enumerate(lines[:told])
              if number > written and ended_well(lines, number, file)]
    true(synced, f'{what}: {file} synced between lines {written} and {told}')
    log = [number for number, line in enumerate(lines[:told]) if number > written
           and re.search(r'f(data)?sync\(\d+<' + re.escape(spool) + '/log', line)]
    true(log, f'{what}: the log synced before the reply')
    if what == 'body':
        folder_synced = re.escape(os.path.dirname(file))
        true(any(re.search(r'fsync\(\d+<' + folder_synced + '>', line)
                 for line in lines[written:told]), 'the folder of the body synced before the reply')


def ended_well(lines, number, file):
    """A sync of that file which returned 0, on one line or resumed on a later one."""
    line = lines[number]
    if not re.search(r'f(data)?sync\(\d+<' + re.escape(file) + '>', line):
        return False
    if ' = 0' in line:
        return True
    thread = line.split()[0]
    return any(later.startswith(thread) and 'resumed' in later and later.endswith('= 0')
               for later in lines[number + 1:])


class Sender(threading.Thread):
    """Sends letters one after another, whatever happens to the server; keeps what was answered."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.letter_name = server, name
        self.sent, self.acknowledged, self.over = 0, [], threading.Event()

    def letter(self, number):
        mark = f'{self.letter_name}-{number:06d}'
        size = [10, 300, 5000, 300000][number % 4]
        return mark, HEAD + f'X-Mark: {mark}\r\n\r\n'.encode() + b'z' * size + b'\r\n'

    def one_session(self):
        with Client(self.server.port) as client:
            for _ in range(10):
                if self.over.is_set():
                    return
                mark, text = self.letter(self.sent)
                self.sent += 1
                client.envelope('a@example.com', ['you@example.org'], ' BODY=8BITMIME')
                if self.sent % 2 == 0:
                    client.data(text)
                else:
                    client.bdat(text)
                self.acknowledged.append(mark)

    def run(self):
        while not self.over.is_set():
            try:
                self.one_session()
            except (OSError, Refused):
                time.sleep(0.05)


def marks(server):
    found = []
    for octets in server.letters().values():
        found += re.findall(rb'X-Mark: (\S+)', octets[:4096])
    return [mark.decode() for mark in found]


def check_history(server, senders):
    """SPL-017: every acknowledged letter is there; what is there was sent; doubles are counted."""
    acknowledged = {mark for sender in senders for mark in sender.acknowledged}
    wait_until(lambda: acknowledged <= set(marks(server)), 'every acknowledged letter', 120)
    found = marks(server)
    sent = {sender.letter(number)[0] for sender in senders for number in range(sender.sent)}
    equal(set(found) - sent, set(), 'letters nobody sent')
    true(len(acknowledged) >= 20, f'only {len(acknowledged)} letters were acknowledged')
    return len(found) - len(set(found)), len(acknowledged)


def under_load(bench, kill, times, **more):
    """Kill again and again while four clients send; then look what there is."""
    server = bench.server(more='retry 1s', **more).start()
    senders = [Sender(server, f'sender{number}') for number in range(4)]
    for sender in senders:
        sender.start()
    try:
        for number in range(times):
            before = sum(len(sender.acknowledged) for sender in senders)
            wait_until(lambda: sum(len(sender.acknowledged) for sender in senders) > before + 4,
                       f'letters to be taken after kill {number}')
            kill(server, number)
    finally:
        for sender in senders:
            sender.over.set()
        for sender in senders:
            sender.join(60)
    doubles, taken = check_history(server, senders)
    print(f'# {times} kills, {taken} letters acknowledged, {doubles} delivered twice')
    equal(doubles, 0, 'letters delivered twice though no reader moved them')
    equal(server.stop(), 0, 'status at the end')


def kill_role(server, role):
    """kill -9; older than a second, since master lets one that dies young rest."""
    pid = wait_until(lambda: server.roles().get(role), f'{role} to run')
    time.sleep(1.1)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.roles().get(role) not in (None, pid), f'{role} to be started again')


def each_role_killed_in_turn(bench):
    roles = ['store', 'local', 'front.0', 'admin', 'front.1']
    under_load(bench, lambda server, number: kill_role(server, roles[number % len(roles)]), 20)


def master_killed(bench):
    def kill(server, _):
        server.process.kill()
        server.process.wait(60)
        server.process.stderr.close()
        wait_until(lambda: port_is_free(server.port), 'its children to end')
        server.start()
    under_load(bench, kill, 5)


def port_is_free(port):
    try:
        with Client(port):
            return False
    except (OSError, Refused):
        return True


def one_process_killed(bench):
    def kill(server, _):
        server.process.kill()
        server.process.wait(60)
        server.process.stderr.close()
        server.start()
    under_load(bench, kill, 5, options=['--one-process'])


def queued_letters_survive(bench):
    """Kept letters are there after kill -9 of all, and are delivered when they may be."""
    server = bench.server(more='deliver no').start()
    sender = Sender(server, 'kept')
    sender.start()
    wait_until(lambda: len(sender.acknowledged) >= 50, '50 letters')
    server.process.kill()
    sender.over.set()
    sender.join(60)
    server.process.wait(60)
    server.process.stderr.close()
    server.configure()
    wait_until(lambda: port_is_free(server.port), 'its children to end')
    server.start()
    doubles, _ = check_history(server, [sender])
    equal(doubles, 0, 'doubles')


if __name__ == '__main__':
    harness.main([sync_comes_before_250, queued_letters_survive, each_role_killed_in_turn,
                  master_killed, one_process_killed])
