#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The promise, from outside: no 250 before the letter is synced, and no kill -9 loses it."""
import os
import re
import shutil
import signal
import subprocess
import time

import harness
from checker import Crowd, HEAD, check_history, finds_what_is_planted, wait_for_more
from harness import Client, equal, Skip, true, wait_until


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


def under_load(bench, kill, times, **more):
    """Kill again and again while four clients send; then look what there is."""
    server = bench.server(more='retry 1s', **more).start()
    with Crowd(server, rest=0.002) as crowd:
        for number in range(times):
            wait_for_more(crowd, 5, f'letters to be taken after kill {number}')
            crowd.hit()
            kill(server, number)
    verdict = check_history(server, crowd)
    print(f'# {times} kills; {verdict.words()}')
    equal(verdict.inside, [], 'letters delivered twice though no reader moved them')
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
        server.kill()
        server.start()
    under_load(bench, kill, 5)


def one_process_killed(bench):
    def kill(server, _):
        server.kill()
        server.start()
    under_load(bench, kill, 5, options=['--one-process'])


def queued_letters_survive(bench):
    """Kept letters are there after kill -9 of all, and are delivered when they may be."""
    server = bench.server(more='deliver no').start()
    with Crowd(server, 1, rest=0.002) as crowd:
        wait_until(lambda: crowd.taken() >= 50, '50 letters')
        crowd.hit()
        server.kill()
    server.configure()
    server.start()
    equal(check_history(server, crowd).inside, [], 'doubles')


if __name__ == '__main__':
    harness.main([finds_what_is_planted, sync_comes_before_250, queued_letters_survive,
                  each_role_killed_in_turn, master_killed, one_process_killed])
