#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The configuration read anew on a live server: by postern reload, and by SIGHUP."""
import os
import signal
import subprocess
import time

import harness
from harness import Client, DOMAIN, equal, free_port, Refused, true, wait_until

BROKEN_RELOADS = 1000
SESSIONS = 500


def reload_well(server):
    done = server.run('reload')
    equal(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout


def refused(server, port):
    try:
        with Client(port):
            return False
    except (OSError, Refused):
        return True


def the_difference_is_shown(bench):
    server = bench.server().start()
    true('No setting' in reload_well(server), 'nothing changed')
    server.configure(more='size-limit-trusted 1M\nsegment-size 1M')
    with open(server.conf, encoding='utf-8') as conf:
        text = conf.read()
    with open(server.conf, 'w', encoding='utf-8') as conf:
        conf.write(text.replace(f'{server.folder}/log', '/elsewhere'))
    said = reload_well(server)
    for line in ('size-limit-trusted: 50M -> 1M\n', '-> /elsewhere (needs a restart)\n',
                 'segment-size: 64M -> 1M (needs a restart)\n'):
        true(line in said, f'{line!r} in {said!r}')
    with Client(server.port) as client:
        true('SIZE 1048576' in client.extensions, client.extensions)


def new_settings_reach_every_role(bench):
    """Domains in the fronts, delivery in the store; those who are connected go on."""
    server = bench.server(more='deliver no').start()
    server.mailbox('you')
    os.makedirs(os.path.join(server.folder, 'mail/example.net'), exist_ok=True)
    with Client(server.port) as old:
        old.envelope('sender@example.com', [f'you@{DOMAIN}'])
        try:
            old.command('RCPT TO:<you@example.net>', '250')
            raise AssertionError('a domain that is not ours yet')
        except Refused as why:
            true(str(why).startswith('550 5.7.1'), why)
        server.configure(more='domain example.net')
        reload_well(server)
        try:
            old.command('RCPT TO:<you@example.net>', '250')
            raise AssertionError('there is no such mailbox')
        except Refused as why:
            true(str(why).startswith('550 5.1.1'), why)
        old.data(b'Subject: over a reload\r\n\r\ntext\r\n')
    server.wait_for_letters(1)      # deliver: no -> yes


def srv_111_no_session_is_dropped(bench):
    """Five hundred sessions, each in the midst of a letter, while SIGHUP comes."""
    server = bench.server().start()
    clients = [Client(server.port) for _ in range(SESSIONS)]
    try:
        for client in clients:
            client.envelope('sender@example.com', [f'you@{DOMAIN}'])
            client.command('DATA', '354')
            client.send(b'Subject: half\r\n\r\n')
        server.configure(more='size-limit-trusted 2M')
        pids = server.roles()
        os.kill(server.main_pid(), signal.SIGHUP)
        wait_until(lambda: 'size-limit-trusted: 50M -> 2M' in server.log(), 'the reload in the log')
        for client in clients:
            client.send(b'done\r\n.\r\n')
            client.expect('250')
            client.command('QUIT', '221')
    finally:
        for client in clients:
            client.socket.close()
    equal(server.roles(), pids, 'the same processes')
    with Client(server.port) as client:
        true('SIZE 2097152' in client.extensions, 'new settings for new sessions')
    server.wait_for_letters(SESSIONS)


def open_files(pid):
    try:
        return len(os.listdir(f'/proc/{pid}/fd'))
    except PermissionError as why:
        raise harness.Skip('only root may look at a process that gives nothing away') from why


def resident_kib(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))


def figures(server):
    pids = {**server.roles(), 'master': server.main_pid()}
    return ({role: open_files(pid) for role, pid in pids.items()},
            {role: resident_kib(pid) for role, pid in pids.items()})


def settled(server):
    """The figures when nobody asks: the connection of the last one is gone."""
    time.sleep(1)
    return figures(server)


def cfg_009_a_broken_file_a_thousand_times(bench):
    """Descriptors stay the same and memory flat, and of good reloads too; mail is taken."""
    server = bench.server().start()
    good = os.path.join(server.folder, 'ask.conf')
    with open(server.conf, encoding='utf-8') as conf:
        text = conf.read()
    with open(good, 'w', encoding='utf-8') as conf:
        conf.write(text)

    def ask():
        return subprocess.run([server.program, 'reload', '-c', good], capture_output=True,
                              text=True, timeout=60, check=False)

    for _ in range(20):
        reload_well(server)
    files, memory = settled(server)
    with open(server.conf, 'a', encoding='utf-8') as conf:
        conf.write('size-limt 60M\n')
    line = text.count('\n') + 1
    for _ in range(BROKEN_RELOADS):
        done = ask()
        equal(done.returncode, 78, 'EX_CONFIG')
    said = done.stderr
    for words in (f':{line}:1:', 'did you mean "size-limit"', 'All stays as it was.'):
        true(words in said, said)
    with open(server.conf, 'w', encoding='utf-8') as conf:
        conf.write(text)
    for _ in range(50):
        reload_well(server)
    wait_until(lambda: figures(server)[0] == files, 'as many descriptors as before')
    memory_after = figures(server)[1]
    with open(server.program, 'rb') as program:     # a sanitizer keeps what is freed for a while
        more = 64 * 1024 if b'__asan_init' in program.read() else 2048
    for role, before in memory.items():
        true(memory_after[role] < before + more, f'{role}: {before} -> {memory_after[role]} KiB')
    with Client(server.port) as client:
        client.envelope('sender@example.com', [f'you@{DOMAIN}'])
        client.data(b'Subject: still here\r\n\r\ntext\r\n')
    server.wait_for_letters(1)


def cfg_010_listeners_change_whole_or_not_at_all(bench):
    server = bench.server().start()
    first, second, taken = server.port, free_port(), bench.server().start()
    keep, more = f'listen 127.0.0.1:{first}', f'listen 127.0.0.1:{second}'
    pids = server.roles()
    for wrong, words in ((f'listen 127.0.0.1:{taken.port}', 'Address already in use'),
                         ('listen 192.0.2.1:25', 'Cannot assign requested address')):
        server.configure(listen=f'{more}\n{wrong}')
        done = server.run('reload')
        equal(done.returncode, 69, done.stdout + done.stderr)
        true(words in done.stderr and wrong.split()[1] in done.stderr, done.stderr)
        true(refused(server, second), 'nothing of a refused reload is left')
        Client(first).socket.close()
    server.configure(listen=f'{keep}\n{more}')
    reload_well(server)
    Client(first).socket.close()
    with Client(second) as stays:
        server.configure(listen=keep)
        reload_well(server)
        wait_until(lambda: refused(server, second), 'the listener to go')
        stays.command('NOOP', '250')
    for listen in (more, keep):     # a front may hold the old one for a moment longer
        server.configure(listen=listen)
        wait_until(lambda: server.run('reload').returncode == 0, 'the port to be free again')
    for _ in range(20):
        Client(first).socket.close()
    equal(server.roles(), pids, 'the same processes')


def tables_are_read_anew(bench):
    """A new alias is known after a reload; a table that is wrong changes nothing."""
    server = bench.server()
    aliases = os.path.join(server.folder, 'aliases')

    def write(text):
        with open(aliases, 'w', encoding='utf-8') as file:
            file.write(text)

    def knows(name):
        try:
            with Client(server.port) as client:
                client.envelope('sender@example.com', [f'{name}@{DOMAIN}'])
            return True
        except Refused:
            return False

    write(f'first: you@{DOMAIN}\n')
    server.configure(more=f'aliases {aliases}')
    server.start()
    true(knows('first') and not knows('second'), 'the table of the start')
    write(f'second: you@{DOMAIN}\nthird\n')
    done = server.run('reload')
    true(done.returncode == 78 and 'aliases:2' in done.stderr, done.stdout + done.stderr)
    write(f'second: you@{DOMAIN}\n')
    reload_well(server)
    wait_until(lambda: knows('second') and not knows('first'), 'the new table')


def servers_of_mailboxes_come_and_go(bench):
    """relay keeps its letters and its places over reloads that change its list of servers."""
    server = bench.server()
    sockets = [f'unix:{server.folder}/lmtp-{i}' for i in range(4)]
    server.configure(more=f'domain example.net\nlmtp example.net={sockets[0]}')
    server.start()
    pids = server.roles()
    for number in (1, 0, 3, 2):
        server.configure(more=f'domain example.net\nlmtp example.net={sockets[number]}')
        true('lmtp: ' in reload_well(server), 'the difference')
        with Client(server.port) as client:
            try:
                client.envelope('sender@example.com', ['you@example.net'])
            except Refused as why:      # nobody answers there
                true(str(why).startswith('4'), why)
    equal(server.roles(), pids, 'the same processes')


def what_dies_comes_back_with_the_new_settings(bench):
    server = bench.server().start()
    second = free_port()
    server.configure(listen=f'listen 127.0.0.1:{server.port}\nlisten 127.0.0.1:{second}',
                     more='size-limit-trusted 3M')
    reload_well(server)
    for role, pid in server.roles().items():
        if role.startswith('front'):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not refused(server, second), 'the new listener')
    with Client(second) as client:
        true('SIZE 3145728' in client.extensions, client.extensions)


def one_process_reloads_too(bench):
    server = bench.server(options=['--one-process']).start()
    second = free_port()
    server.configure(listen=f'listen 127.0.0.1:{server.port}\nlisten 127.0.0.1:{second}',
                     more='size-limit-trusted 3M')
    with Client(server.port) as old:
        true('size-limit-trusted: 50M -> 3M' in reload_well(server), 'the difference')
        old.command('NOOP', '250')
    with Client(second) as client:
        true('SIZE 3145728' in client.extensions, client.extensions)
    server.configure(more='nonsense')
    equal(server.run('reload').returncode, 78, 'EX_CONFIG')
    equal(server.stop(), 0, 'status')


if __name__ == '__main__':
    harness.main([
        the_difference_is_shown, new_settings_reach_every_role, srv_111_no_session_is_dropped,
        cfg_009_a_broken_file_a_thousand_times, cfg_010_listeners_change_whole_or_not_at_all,
        tables_are_read_anew, servers_of_mailboxes_come_and_go,
        what_dies_comes_back_with_the_new_settings, one_process_reloads_too])
