#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Hostile clients against the whole server, on real sockets. Each test names the case it covers,
and ends, as the house rule asks, with a good client who is served."""
import os
import resource
import signal
import socket
import subprocess
import time

from harness import Client, Refused, Skip, below_the_fields, main, true, wait_until

YOU = 'you@example.org'
SMUGGLING = (b'\n.\n', b'\n.\r\n', b'\r.\r\n', b'\r.\r', b'\r.\n', b'\n.\r', b'\r\n.\r\r\n',
             b'\r\n\0.\r\n', b'\r\r\n.\r\r\n')


def served(server):
    """A good client's letter goes through, after all that."""
    before = len(server.letters())
    with Client(server.port) as client:
        client.envelope('bob@example.net', [YOU])
        client.data(b'Subject: after\r\n\r\nwell\r\n')
        client.quit()
    server.wait_for_letters(before + 1)


def closed(client):
    """What the server still said, once it has closed; a bound in time is the client's own."""
    try:
        return client.file.read()
    except ConnectionResetError:
        return b''


def memory(pid):
    with open(f'/proc/{pid}/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def ticks(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def an_octet_at_a_time(bench):
    """SRV-010: text and its end, an octet a segment."""
    server = bench.server().start()
    with Client(server.port) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.envelope('bob@example.net', [YOU])
        client.command('DATA', '354')
        for octet in b'Subject: slow\r\n\r\n..stuffed\r\n.\r\n':
            client.send(bytes([octet]))
            time.sleep(0.001)
        client.expect('250')
    (letter,) = server.wait_for_letters(1).values()
    true(below_the_fields(letter) == b'Subject: slow\n\n.stuffed\n', letter)


def smuggling(bench):
    """SRV-001 .. SRV-007 and two more: a second letter behind an ending that is none."""
    server = bench.server().start()
    inner = b'MAIL FROM:<evil@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: smuggled\r\n\r\nx' \
            % YOU.encode()
    for ending in SMUGGLING:
        before = len(server.letters())
        with Client(server.port) as client:
            client.envelope('bob@example.net', [YOU])
            client.command('DATA', '354')
            client.send(b'Subject: outer\r\n\r\nx' + ending + inner + b'\r\n.\r\n')
            answer = client.reply()
            true(answer[:3] in ('550', '554', '521'), f'{ending!r}: {answer}')
        served(server)
        letters = server.letters()
        true(len(letters) == before + 1, f'{ending!r}: {len(letters) - before} letters')
        true(not any(b'smuggled' in letter for letter in letters.values()), repr(ending))


def a_line_without_an_end(bench):
    """SRV-040: 100 MiB and no line end; the server closes, and has not grown."""
    server = bench.server(more='fronts 1\n').start()
    front = server.roles()['front.0']
    before = memory(front)
    with Client(server.port) as client:
        try:
            for _ in range(100):
                client.send(b'x' * (1 << 20))
        except OSError:
            pass
        closed(client)
    true(memory(front) - before < 8 << 20, f'the front grew by {memory(front) - before}')
    served(server)


def text_sent_ahead(bench):
    """SRV-069: one recipient refused, the text behind in the same segment: no line is a command."""
    server = bench.server().start()
    with Client(server.port) as client:
        client.send(b'MAIL FROM:<bob@example.net>\r\nRCPT TO:<nobody@example.org>\r\n'
                    b'RCPT TO:<%s>\r\nDATA\r\n' % YOU.encode())
        codes = [client.reply()[:3] for _ in range(4)]
        true(codes == ['250', '550', '250', '354'], codes)
        client.send(b'Subject: ahead\r\n\r\nQUIT\r\n.\r\nQUIT\r\n')
        client.expect('250')
        client.expect('221')


def clients_that_vanish(bench):
    """SRV-079: half-close after the dot still gets its 250. Peers that never QUIT are normal: what
    had its 250 is kept; what was not whole is not."""
    server = bench.server().start()
    with Client(server.port) as client:
        client.envelope('bob@example.net', [YOU])
        client.command('DATA', '354')
        client.send(b'Subject: half\r\n\r\nx\r\n.\r\n')
        client.socket.shutdown(socket.SHUT_WR)
        client.expect('250')
        true(closed(client) == b'', 'something was said after the 250')
    with Client(server.port) as client:
        client.envelope('bob@example.net', [YOU])
        client.data(b'Subject: kept\r\n\r\nx\r\n')
        client.envelope('bob@example.net', [YOU])
        client.command('DATA', '354')
        client.send(b'Subject: not whole\r\n\r\nx')
    served(server)
    letters = server.wait_for_letters(3)
    true(not any(b'not whole' in letter for letter in letters.values()), 'a part was delivered')


def quit_twice(bench):
    """SRV-082: commands behind QUIT are not answered."""
    server = bench.server().start()
    with Client(server.port) as client:
        client.send(b'QUIT\r\nQUIT\r\nNOOP\r\n')
        client.expect('221')
        true(closed(client) == b'', 'something was said after the 221')
    served(server)


def sizes_at_the_limit(bench):
    """SRV-095: one octet under, at, and over SIZE; by DATA, by BDAT, and by SIZE= beforehand."""
    server = bench.server(more='size-limit-trusted 65536\n').start()
    for more, code in ((-1, '250'), (0, '250'), (1, '552')):
        text = (b'x' * 62 + b'\r\n') * 1023 + b'y' * (62 + more) + b'\r\n'
        for bdat in (False, True):
            with Client(server.port) as client:
                client.envelope('bob@example.net', [YOU])
                try:
                    answer = client.bdat(text) if bdat else client.data(text)
                except Refused as refused:
                    answer = str(refused)
                true(answer.startswith(code), f'{len(text)} octets, bdat {bdat}: {answer}')
    with Client(server.port) as client:
        client.command('MAIL FROM:<bob@example.net> SIZE=65537', '552 5.3.4')
    left = os.listdir(os.path.join(server.folder, 'spool', 'body'))
    true(left == [], f'body files are left over: {left}')


def too_little_space(bench):
    """SRV-096: less room than the reserve: 452 4.3.1 at MAIL."""
    server = bench.server(more='')
    server.configure('')
    with open(server.conf, encoding='utf-8') as file:
        text = file.read().replace('space-reserve 1M', 'space-reserve 1000000G')
    with open(server.conf, 'w', encoding='utf-8') as file:
        file.write(text)
    server.start()
    with Client(server.port) as client:
        client.command('MAIL FROM:<bob@example.net>', '452 4.3.1')


def stopping_with_open_sessions(bench):
    """SRV-110: SIGTERM with 100 sessions in all states: each is told 421 4.3.2; nothing half."""
    server = bench.server().start()
    clients = [Client(server.port, hello='x.example' if n % 4 else '') for n in range(100)]
    for number, client in enumerate(clients):
        if number % 4 > 1:
            client.envelope('bob@example.net', [YOU])
        if number % 4 > 2:
            client.command('DATA', '354')
            client.send(b'Subject: stop\r\n\r\nx\r\n')
    os.kill(server.main_pid(), signal.SIGTERM)
    said = set()
    for client in clients:
        said |= {line[:9] for line in closed(client).split(b'\r\n') if line}
    true(said == {b'421 4.3.2'}, said)
    true(server.stop() == 0, 'the exit status is not 0')
    true(server.letters() == {}, 'half a letter was delivered')


def many_connections(bench):
    """SRV-076, smaller: 1,500 connections from many loopback addresses; a good one is served."""
    server = bench.server(more='connections 4000\n').start()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    held = []
    for number in range(1500):
        each = socket.socket()
        each.bind((f'127.0.{number // 250 + 1}.{number % 250 + 1}', 0))
        each.connect(('127.0.0.1', server.port))
        held.append(each)
    served(server)
    for each in held:
        each.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(server):
    """Octets of memory that the fronts hold."""
    total = 0
    for name, pid in server.roles().items():
        if name.startswith('front'):
            with open(f'/proc/{pid}/status', encoding='ascii') as status:
                total += sum(int(line.split()[1]) * 1024 for line in status
                             if line.startswith('VmRSS:'))
    return total


def a_session_has_its_share_of_memory(bench):
    """OS-012: what a client can make a session hold, in the middle of a letter and of a line, times
    the sessions that there may be, is what a machine needs."""
    server = bench.server(more='fronts 1\n').start()
    count, held = 200, []
    served(server)
    before = resident(server)
    for _ in range(count):
        client = Client(server.port)
        held.append(client)
        try:
            client.command('MAIL FROM:<you@example.org>', '250')
            client.command('RCPT TO:<you@example.org>', '250')
            client.command('DATA', '354')
            client.send(b'Subject: x\r\n\r\n' + b'x' * 300000)
        except Refused as refused:          # as many letters are begun as there is room for
            true(str(refused).startswith('452 4.3.1'), refused)
    each = (resident(server) - before) / count
    true(len(held) == count and each < 1024 * 1024, f'{each:.0f} octets a session')
    for client in held:
        client.socket.close()

    def room():
        try:
            served(server)
        except Refused:         # the ends of the others are on their way
            return False
        return True
    wait_until(room, 'room again')


def out_of_descriptors(bench):
    """SRV-077, OS-003: no descriptors left: no spinning; it goes on when there are some."""
    server = bench.server(more='fronts 1\n', users=False).start()    # root may not limit others'
    front = server.roles()['front.0']
    resource.prlimit(front, resource.RLIMIT_NOFILE, (64, 64))
    held = [socket.create_connection(('127.0.0.1', server.port), 5) for _ in range(100)]
    time.sleep(0.5)
    began = ticks(front)
    time.sleep(1)
    spent = ticks(front) - began
    for each in held:
        each.close()
    true(spent < 30, f'{spent} ticks in a second of waiting')
    served(server)


def an_octet_now_and_then(bench):
    """SRV-073: the time limit is the command's, not the octet's; others are served meanwhile."""
    server = bench.server(more='idle-limit 2s\n').start()
    slow = [Client(server.port) for _ in range(50)]
    for _ in range(6):
        for each in slow:
            try:
                each.send(b'N')
            except OSError:
                pass
        served(server)
        time.sleep(0.5)
    said = [closed(each) for each in slow]
    true(all(b'421 4.4.2' in each for each in said), said[:3])


def secrets_in_the_greeting(bench):
    """SRV-115: no name of the program, no version, no system, no path."""
    server = bench.server().start()
    with Client(server.port, hello='') as client:
        client.send(b'EHLO x.example\r\nHELP\r\n')
        said = (client.reply() + client.reply()).lower()
    with socket.create_connection(('127.0.0.1', server.port), 10) as bare:
        said += bare.recv(512).decode().lower()
    for word in ('postern', 'linux', 'debian', server.folder, ' 0.'):
        true(word.lower() not in said, f'{word!r} stands in {said!r}')


def other_protocols(bench):
    """SRV-116: HTTP, and a TLS ClientHello in clear: closed after at most one answer."""
    server = bench.server().start()
    for octets in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
                   b'POST / HTTP/1.0\r\n\r\nMAIL FROM:<a@b>\r\n',
                   b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' * 60):
        with Client(server.port, hello='') as client:
            try:
                client.send(octets)
            except OSError:
                pass
            said = closed(client)
            true(said[:3] in (b'421', b'554', b'500', b'501', b''), said)
            true(said.count(b'\r\n') <= 1, said)
    served(server)


def control_socket_garbage(bench):
    """CTL-001, CTL-003: random octets, wild lengths, halves, held connections: only they suffer."""
    server = bench.server().start()
    path = os.path.join(server.folder, 'control')
    for octets in (b'', b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x64\0\0\0half', b'GET /\r\n\r\n',
                   bytes(range(256)) * 10, b'\x0a\0\0\0queue\0\xff\xff\xff\xff'):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.settimeout(5)
            try:
                client.sendall(octets)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            except OSError:
                pass
    held = []
    for _ in range(100):
        each = socket.socket(socket.AF_UNIX)
        each.connect(path)
        held.append(each)
    for each in held:
        each.close()
    wait_until(lambda: server.run('status').returncode == 0, 'the control socket answers again')


def strange_words_for_trace(bench):
    """CTL-006: ids that are paths, empty, short, long: an answer in words, nothing opened."""
    server = bench.server().start()
    for key in ('../../etc/passwd', '', 'A', 'x' * 5000, 'a\nb', '\x1b[31m'):
        done = server.run('trace', key)
        true(done.returncode != 0, f'{key[:20]!r} was found: {done.stdout}')
        true('\x1b' not in done.stdout + done.stderr, f'{key!r} came out raw')
    served(server)


def control_octets(bench):
    """CTL-012, SRV-043: a client's escapes and bidi marks never reach log or terminal raw."""
    server = bench.server(more='deliver no\n').start()
    with Client(server.port) as client:
        for name in (b'\x1b[31mred', '\u202eevil'.encode(), b'%s%n', b'${run{/bin/sh}}', b'\\\\x'):
            client.send(b'EHLO ' + name + b'\r\n')
            client.reply()
        client.command('EHLO x.example', '250')
        client.envelope('bob@example.net', [YOU])
        client.data(b'Subject: \x1b]0;title\x07\r\nMessage-ID: <\x1b[2J@x>\r\n\r\nx\r\n')
    said = server.run('queue').stdout + server.run('trace', YOU).stdout + server.log()
    for raw in ('\x1b', '\x07', '\u202e'):
        true(raw not in said, f'{raw!r} came out raw')


def foreign_files_in_the_spool(bench):
    """SPL-007, SPL-009: strange files, a FIFO, a link in the spool: none blocks, none is lost."""
    server = bench.server().start()
    served(server)
    server.stop()
    spool = os.path.join(server.folder, 'spool')
    for name in ('log/.backup', 'log/0000000001~', 'body/notes.txt', 'history/readme'):
        with open(os.path.join(spool, name), 'w', encoding='ascii') as file:
            file.write('not ours\n')
    os.mkfifo(os.path.join(spool, 'log/fifo'))
    os.symlink('/etc/passwd', os.path.join(spool, 'body/link'))
    server.start()
    served(server)
    for name in ('log/.backup', 'log/0000000001~', 'body/notes.txt', 'log/fifo', 'body/link'):
        true(os.path.lexists(os.path.join(spool, name)), f'{name} is gone')


def no_pid_file(bench):
    """SPL-023: no file names a process, so none can name another's."""
    server = bench.server().start()
    for folder, _, files in os.walk(server.folder):
        true(not any('pid' in name for name in files), f'{folder}: {files}')


def fill(path):
    """Take all the room that is left."""
    with open(path, 'ab', buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass


def disk_full(bench):
    """OS-008, SPL-010: the spool's disk is full for ten seconds under load: 452 meanwhile, nothing
    acknowledged is lost, and letters come in again when there is room."""
    folder = bench.folder()
    spool = os.path.join(folder, 'spool')
    os.makedirs(spool)
    if os.getuid() != 0:
        raise Skip('mounting a small disk needs root')
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=300m', 'none', spool],
                             capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        raise Skip(f'a small disk cannot be mounted here: {mounted.stderr.strip()}')
    try:
        full_and_free_again(bench.server(folder), os.path.join(spool, 'filler'))
    finally:
        bench.running[-1].stop()
        subprocess.run(['umount', spool], check=True)


def try_one(server, number):
    """'' when it was acknowledged, else the code of the refusal."""
    size = (300000, 60000)[number % 2]
    try:
        with Client(server.port) as client:
            client.envelope('bob@example.net', [YOU])
            client.data(b'Subject: %d\r\n\r\n' % number + b'x' * size + b'\r\n')
    except Refused as answer:
        return str(answer)[:9]
    except ConnectionError:
        return 'closed'
    return ''


def full_and_free_again(server, filler):
    server.start()
    answers = [try_one(server, number) for number in range(20)]
    server.wait_for_letters(20)
    fill(filler)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        answers.append(try_one(server, len(answers)))
        fill(filler)        # what a delivery freed
        time.sleep(0.01)
    os.remove(filler)
    refused = set(answers) - {''}
    true('452 4.3.1' in refused, f'only {refused} while the disk was full')
    true(refused <= {'452 4.3.1', '451 4.3.0', 'closed'}, refused)
    wait_until(lambda: try_one(server, 1) == '', 'letters are taken again')
    acked = answers.count('') + 1
    true(len(server.wait_for_letters(acked)) == acked, f'{acked} acknowledged')


if __name__ == '__main__':
    main([an_octet_at_a_time, smuggling, a_line_without_an_end, text_sent_ahead,
          clients_that_vanish, quit_twice, sizes_at_the_limit, too_little_space,
          stopping_with_open_sessions,
          many_connections, a_session_has_its_share_of_memory, out_of_descriptors,
          an_octet_now_and_then, secrets_in_the_greeting,
          other_protocols, control_socket_garbage, strange_words_for_trace, control_octets,
          foreign_files_in_the_spool, no_pid_file, disk_full])
