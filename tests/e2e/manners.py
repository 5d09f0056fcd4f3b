#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Limits and manners of the whole server: nobody's relay, who may come in and how often, proxies.
Tests that are about strangers take 127.0.0.0/8 out of `trust`."""
import os
import signal
import socket
import struct
import threading

from harness import Client, Refused, below_the_fields, equal, main, true, wait_until

YOU = 'you@example.org'
STRANGERS = 'fronts 1\ntrust ::1\n'
SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'
PERMANENT = ('550 5.7.1', '550 5.1.1', '501', '553')

# SRV-060, SRV-061: sender, recipient. The refusal is 550 5.7.1; a second word names another where
# the syntax is at fault, or where the domain is ours and the mailbox is not there.
RELAY = (
    ('bob@example.net', '<victim@other.example>', '550 5.7.1'),
    ('', '<victim@other.example>', '550 5.7.1'),                            # null sender
    (YOU, '<victim@other.example>', '550 5.7.1'),                           # spoofed local sender
    ('postmaster@example.org', '<victim@other.example>', '550 5.7.1'),
    ('root@[127.0.0.1]', '<victim@other.example>', '550 5.7.1'),
    ('bob@example.net', '<victim@[192.0.2.9]>', '550 5.7.1'),               # literals
    ('bob@example.net', '<victim@[127.0.0.1]>', '550 5.7.1'),
    ('bob@example.net', '<victim@[IPv6:2001:db8::1]>', '550 5.7.1'),
    ('bob@example.net', '<victim@localhost>', '550 5.7.1'),
    ('bob@example.net', '<victim@mx.example.org>', '550 5.7.1'),            # our host, no domain
    ('bob@example.net', '<victim@sub.example.org>', '550 5.7.1'),
    ('bob@example.net', '<victim@example.org.other.example>', '550 5.7.1'),
    ('bob@example.net', '<Victim@OTHER.Example>', '550 5.7.1'),             # mixed case
    ('bob@example.net', '<victim@other.example.>', '553'),                  # trailing dot
    ('bob@example.net', '<postmaster@other.example>', '550 5.7.1'),
    ('bob@example.net', '<victim@other.example@example.org>', '553'),       # two at-signs
    ('bob@example.net', '<victim@example.org@other.example>', '553'),
    ('bob@example.net', '<"victim@other.example"@example.org>', '550 5.1.1'),
    ('bob@example.net', '<"victim@example.org"@other.example>', '550 5.7.1'),
    ('bob@example.net', '<victim%other.example@example.org>', '550 5.1.1'),  # %-hack
    ('bob@example.net', '<victim%example.org@other.example>', '550 5.7.1'),
    ('bob@example.net', '<other.example!victim@example.org>', '550 5.1.1'),  # bang paths
    ('bob@example.net', '<example.org!victim@other.example>', '550 5.7.1'),
    ('bob@example.net', '<other.example!victim>', '553'),
    ('bob@example.net', '<@example.org:victim@other.example>', '550 5.7.1'),  # source routes
    ('bob@example.net', '<@example.org,@mx.example.org:victim@other.example>', '550 5.7.1'),
    ('bob@example.net', '<@other.example:victim%other.example@example.org>', '550 5.1.1'),
    ('bob@example.net', '<victim@other.example', '553'),
    ('bob@example.net', 'victim@other.example', '501'),
)


def refusal_of(client, line):
    client.send(line.encode() + b'\r\n')
    return client.reply()


def nobodys_relay(bench):
    """SRV-060, SRV-061: the open-relay matrix: each form refused for good, nothing in the queue."""
    server = bench.server(more='deliver no\n').start()
    for sender, recipient, wanted in RELAY:
        for hello in ('client.example.com', 'mx.example.org', '[127.0.0.1]'):
            with Client(server.port, hello=hello) as client:
                client.command(f'MAIL FROM:<{sender}>', '250')
                answer = refusal_of(client, f'RCPT TO:{recipient}')
                true(answer.startswith(wanted) and answer.startswith(PERMANENT),
                     f'{sender} to {recipient}: {answer}')
                client.command('DATA', '5')
    true(server.run('queue', '--json').stdout.count('"id"') == 0, 'something is in the queue')
    with Client(server.port) as client:     # what the question above would have seen
        client.envelope('bob@example.net', [YOU])
        client.data(b'Subject: kept\r\n\r\nx\r\n')
    true(server.run('queue', '--json').stdout.count('"id"') == 1, 'the queue shows no letter')


def connect(server, source='127.0.0.1'):
    return socket.create_connection(('127.0.0.1', server.port), 30, (source, 0))


def said(connection):
    """The first line, or b'' when there is none."""
    with connection.makefile('rb') as file:
        return file.readline()


def connections_of_one_address(bench):
    """SRV-075: the 51st connection of an address is told 421 4.7.0; others are not bothered."""
    server = bench.server(more=STRANGERS).start()
    held = [connect(server, '127.0.0.9') for _ in range(60)]
    lines = [said(each) for each in held]
    true(all(line.startswith(b'220 ') for line in lines[:50]), lines[:50])
    true(all(line.startswith(b'421 4.7.0 Too many connections from your address')
             for line in lines[50:]), lines[50:])
    with connect(server, '127.0.1.9') as other:
        true(said(other).startswith(b'220 '), 'another address is not served')
    for each in held:
        each.close()
    wait_until(lambda: said(connect(server, '127.0.0.9')).startswith(b'220 '), 'room again')


def several_fronts_share(bench):
    """SRV-075 with two fronts: between the share of one and the bound that limit.h tells."""
    server = bench.server(more='fronts 2\ntrust ::1\n').start()
    held = [connect(server, '127.0.0.9') for _ in range(200)]
    greeted = sum(said(each).startswith(b'220 ') for each in held)
    true(35 <= greeted <= 72, f'{greeted} of 200 were greeted')
    for each in held:
        each.close()


def new_connections_a_minute(bench):
    """Beyond the rate an address is told to wait; the sentence says what to do."""
    server = bench.server(more=STRANGERS + 'connections-per-minute 10\n').start()
    lines = []
    for _ in range(20):
        with connect(server, '127.0.0.9') as each:
            lines.append(said(each))
    true(sum(line.startswith(b'220 ') for line in lines) in (10, 11), lines)
    true(lines[-1].startswith(b'421 4.7.0 Your address connects too often'), lines[-1])


def a_harvest_over_sessions(bench):
    """SRV-109: names guessed a few a session: 421 in the end, and known and unknown alike."""
    server = bench.server(more=STRANGERS + 'bad-recipients-per-hour 30\n').start()
    refused, answer = 0, ''
    for _ in range(20):
        try:
            with Client(server.port) as client:
                client.command('MAIL FROM:<bob@example.net>', '250')
                for number in range(5):
                    answer = refusal_of(client, f'RCPT TO:<guess{number}@example.org>')
                    refused += answer.startswith('550')
        except (Refused, ConnectionError) as why:
            answer = str(why)
            break
    true(refused == 30, f'{refused} guesses were answered; then {answer}')
    true(answer.startswith('421 4.7.0 Your address named'), answer)
    wait_until(lambda: 'why=address-bad-recipients' in server.log(), 'the log tells why')


def early_talkers(bench):
    """SRV-070: who speaks before the greeting is refused, whatever the amount; memory is bounded
    by what one reading brings."""
    server = bench.server(more=STRANGERS + 'greet-delay 500ms\n').start()
    for size in (10, 1 << 10, 1 << 20):
        with connect(server) as client:
            try:
                client.sendall(b'x' * size)
            except OSError:
                pass                        # closed by then
            try:
                line = said(client)
            except ConnectionResetError:
                line = b''
            true(line.startswith(b'554 5.5.1') or (line == b'' and size > 1 << 10), line)
    with Client(server.port) as patient:
        patient.quit()
    wait_until(lambda: server.log().count('event=early-talker') == 3, 'the log to tell of three')


def sizes_by_trust(bench):
    """SIZE as announced to strangers and to the trusted; VRFY the same for all; EXPN refused."""
    more = 'size-limit 70000\nsize-limit-trusted 90000\n'
    for trust, size in (('', 90000), ('trust ::1\n', 70000)):
        server = bench.server(more=more + trust).start()
        with Client(server.port) as client:
            true(f'SIZE {size}\n' in client.extensions, client.extensions)
            client.command(f'MAIL FROM:<a@example.net> SIZE={size}', '250')
            client.command('RSET', '250')
            client.command(f'MAIL FROM:<a@example.net> SIZE={size + 1}', '552 5.3.4')
            known, other = client.command(f'VRFY {YOU}', '252'), client.command('VRFY x@y', '252')
            true(known == other, f'{known} and {other}')
            client.command('EXPN staff', '502')
            client.command('HELP', '214')
        server.stop()


def a_proxy_by_xclient(bench):
    """XCLIENT: offered to the proxy alone; Received and the log name its client; a client behind
    it may not go on with another."""
    server = bench.server(more='xclient-from 127.0.0.1\n').start()
    with Client(server.port) as client:
        true('XCLIENT NAME ADDR' in client.extensions, client.extensions)
        client.command('XCLIENT ADDR=IPV6:2001:db8::7 PORT=77 NAME=mx.example.net', '220')
        client.command('XCLIENT ADDR=127.0.0.1', '502')
        true('XCLIENT' not in client.command('EHLO real.example.net', '250'), 'it is still offered')
        client.envelope('bob@example.net', [YOU])
        client.data(b'Subject: behind\r\n\r\nx\r\n')
    (letter,) = server.wait_for_letters(1).values()
    true(b'2001:db8::7' in letter and b'127.0.0.1' not in letter, letter)
    wait_until(lambda: 'event=xclient session=' in server.log(), 'the log to tell of it')
    true('peer=2001:db8::7 port=77' in server.log(), 'the log does not name the client')


def a_balancer_by_proxy(bench):
    """PROXY version 2: the header is needed from a balancer; limits count its client, not it."""
    server = bench.server(more='fronts 1\nproxy-from 127.0.0.2\nconnections-per-address 2\n')
    server.start()
    addresses = socket.inet_aton('203.0.113.9') + socket.inet_aton('192.0.2.1') \
        + struct.pack('>HH', 4321, 25)
    header = SIGNATURE + b'\x21\x11' + struct.pack('>H', len(addresses)) + addresses
    held, lines = [connect(server, '127.0.0.2') for _ in range(3)], []
    for each in held:
        each.sendall(header)
        lines.append(said(each))
    true([line[:3] for line in lines] == [b'220', b'220', b'421'], lines)
    held[0].sendall(b'EHLO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<you@example.org>\r\n'
                    b'BDAT 17 LAST\r\nSubject: x\r\n\r\nz\r\n')
    with connect(server, '127.0.0.2') as wrong:
        wrong.sendall(b'EHLO x\r\n')
        try:
            true(said(wrong) == b'', 'a balancer without a header is answered')
        except ConnectionResetError:
            pass
    (letter,) = server.wait_for_letters(1).values()
    true(b'203.0.113.9' in letter and b'127.0.0.2' not in letter, letter)
    true(below_the_fields(letter).startswith(b'Subject: x'), letter)
    for each in held:
        each.close()


def stopped_in_a_text(bench):
    """SRV-110: who is still in his text when the time to stop is over is told 421 4.3.2."""
    server = bench.server().start()
    with Client(server.port) as client:
        client.envelope('bob@example.net', [YOU])
        client.command('DATA', '354')
        client.send(b'Subject: half\r\n')
        waiter = threading.Thread(target=server.process.wait)
        os.kill(server.main_pid(), signal.SIGTERM)
        waiter.start()
        client.expect('421 4.3.2')
        waiter.join(60)
    true(server.stop() == 0 and server.letters() == {}, 'half a letter')


def a_file_others_may_write(bench):
    """CFG-004: such a configuration is refused, with words that say how to mend it."""
    server = bench.server()
    for mode in (0o666, 0o664):
        os.chmod(server.conf, mode)
        for command in ('serve', 'check'):
            done = server.run(command, *(['-c', server.conf] if command == 'check' else []))
            true(done.returncode == 78 and 'chmod go-w' in done.stderr, done.stderr)
    os.chmod(server.conf, 0o644)
    if os.getuid() == 0:
        os.chown(server.conf, 12345, -1)
        done = server.run('serve')
        true(done.returncode == 78 and 'chown' in done.stderr, done.stderr)
        os.chown(server.conf, 0, -1)
    certificates = os.path.join(server.folder, 'certificates')
    os.mkdir(certificates)
    server.configure(f'certificates {certificates}')
    equal(server.run('check', '-c', server.conf).returncode, 0, 'check')
    with open(os.path.join(certificates, 'mx.key'), 'w', encoding='ascii') as key:
        os.fchmod(key.fileno(), 0o640)
    done = server.run('check', '-c', server.conf)
    true(done.returncode == 78 and 'mx.key' in done.stderr, done.stderr)
    os.unlink(os.path.join(certificates, 'mx.key'))
    server.start()


if __name__ == '__main__':
    main([nobodys_relay, connections_of_one_address, several_fronts_share,
          new_connections_a_minute, a_harvest_over_sessions, early_talkers, sizes_by_trust,
          a_proxy_by_xclient, a_balancer_by_proxy, stopped_in_a_text, a_file_others_may_write])
