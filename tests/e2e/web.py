#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the server answers over HTTP: on its unix socket and on loopback, to good and bad clients.

usage: web.py POSTERN PACKAGES
"""
import fcntl
import http.client
import json
import os
import pty
import re
import socket
import struct
import termios

import harness
from harness import Client, equal, free_port, id_of, true, wait_until

SAMPLE = re.compile(r'^(postern_[a-z0-9_]+)(?:\{((?:[a-z_]+="[^"\\]*",?)+)\})? (\d+(?:\.\d+)?)$')
TYPES = ('counter', 'gauge', 'histogram')


class Unix(http.client.HTTPConnection):
    """An HTTP connection over a unix socket."""

    def __init__(self, path):
        super().__init__('localhost', timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def get(server, target, method='GET', body=None, headers=None):
    """(status, headers, text) from the unix socket beside the control socket."""
    connection = Unix(os.path.join(server.folder, 'web'))
    connection.request(method, target, body=body, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def read_metrics(text):
    """{name and labels: number}; each line is held to the text format of Prometheus."""
    samples, metric = {}, None
    for line in text.splitlines():
        if line.startswith('# HELP '):
            metric = line.split(' ', 3)[2]
            true(len(line.split(' ', 3)) == 4, line)
        elif line.startswith('# TYPE '):
            equal(line.split(' ')[2], metric, 'TYPE behind its HELP')
            true(line.split(' ')[3] in TYPES, line)
        else:
            match = SAMPLE.match(line)
            true(match and match[1].startswith(metric), line)
            key = match[1] + ('{' + match[2] + '}' if match[2] else '')
            true(key not in samples, 'twice: ' + line)
            samples[key] = float(match[3])
    return samples


def metrics(server):
    status, headers, text = get(server, '/metrics')
    equal(status, 200, 'status of /metrics')
    true(headers['Content-Type'].startswith('text/plain; version=0.0.4'), 'its type')
    return read_metrics(text)


def send_one(server, to='you@example.org'):
    with Client(server.port) as client:
        client.envelope('me@example.com', [to])
        reply = client.data(b'Subject: hello\r\n\r\nhello\r\n')
        client.quit()
    return id_of(reply)


def health_says_what_is(bench):
    server = bench.server().start()
    status, headers, text = get(server, '/healthz')
    equal(status, 200, 'status')
    equal(json.loads(text), {'status': 'ok', 'store': 'open'}, 'health')
    equal(headers['X-Content-Type-Options'], 'nosniff', 'no guessing')
    equal(headers['Referrer-Policy'], 'no-referrer', 'no referrer')
    true("default-src 'none'" in headers['Content-Security-Policy'], 'no script')


def health_says_what_is_not(bench):
    server = bench.server(more='space-reserve 1000000000G')
    server.configure()
    with open(server.conf, encoding='utf-8') as file:
        text = file.read().replace('space-reserve 1M', 'space-reserve 1000000G')
    with open(server.conf, 'w', encoding='utf-8') as file:
        file.write(text)
    server.start()
    status, _, text = get(server, '/healthz')
    equal(status, 503, 'status')
    equal(json.loads(text)['store'], 'low', 'state')
    true('full' in json.loads(text)['why'], 'why')
    equal(metrics(server)['postern_store_accepting'], 0, 'accepting')


def metrics_count(bench):
    server = bench.server().start()
    before = metrics(server)
    send_one(server)
    server.wait_for_letters(1)
    wait_until(lambda: metrics(server)['postern_deliveries_total{result="delivered"}'] == 1,
               'the delivery to be counted')
    after = metrics(server)
    equal(before['postern_letters_accepted_total'], 0, 'accepted before')
    equal(after['postern_letters_accepted_total'], 1, 'accepted after')
    wait_until(lambda: metrics(server)['postern_queue_letters'] == 0, 'the queue to be empty')


def summed(samples, name, *labels):
    return sum(number for key, number in samples.items()
               if key.partition('{')[0] == name and all(label in key for label in labels))


def fronts_count(bench):
    """Refusals, sessions and the cap of all fronts together, in metrics, status and top."""
    server = bench.server(more='fronts 2\nconnections-total 4').start()
    with Client(server.port) as client:
        client.command('MAIL FROM:<a@example.com>', '250')
        client.command('RCPT TO:<nobody@example.org>', '550')
        client.command('NONSENSE', '500')
        wait_until(lambda: summed(metrics(server), 'postern_sessions_open') == 1, 'one session')
        now = metrics(server)
        equal(summed(now, 'postern_sessions_limit'), 4, 'the cap')
        equal(summed(now, 'postern_recipients_refused_total', 'class="5"'), 1, 'recipients')
        equal(summed(now, 'postern_commands_refused_total', 'class="5"'), 1, 'commands')
        true('1 client connected of at most 4, at 2 fronts.' in server.run('status').stdout,
             'status says so')
        told = json.loads(server.run('status', '--json').stdout)
        equal((told['sessions'], told['sessions_limit'], told['fronts']), (1, 4, 2), 'as JSON')
    held = []
    for _ in range(12):
        held.append(socket.create_connection(('127.0.0.1', server.port), 60))
    greetings = [client.recv(3) for client in held]
    true(greetings.count(b'220') <= 4 and b'421' in greetings, str(greetings))
    for client in held:
        client.close()
    wait_until(lambda: summed(metrics(server), 'postern_limits_hit_total', '="connections"')
               == greetings.count(b'421'), 'each refusal to be counted')


def top_once(bench):
    server = bench.server().start()
    send_one(server)
    shown = server.run('top')
    equal(shown.returncode, 0, shown.stderr)
    true('\x1b' not in shown.stdout and 'Postern: takes letters' in shown.stdout, shown.stdout)
    true(all(len(line) <= 80 for line in shown.stdout.splitlines()), 'it fits')
    told = json.loads(server.run('top', '--json').stdout)
    equal((told['accepting'], told['accepted']), (True, 1), 'as JSON')
    equal(sum(front['letters'] for front in told['fronts']), 1, 'of the fronts')
    server.stop()
    equal(server.run('top').returncode, 69, 'no server')


def top_on_a_terminal(bench):
    """A frame a second, another size at once, and q."""
    server = bench.server().start()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(server.program, [server.program, 'top', '-c', server.conf])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 10, 40, 0, 0))
    seen = bytearray()

    def read_until(what):
        while what not in seen:
            seen.extend(os.read(terminal, 65536))

    read_until(b'Clients connected')
    del seen[:]
    read_until(b'Postern: takes letters')
    read_until(b'\x1b[J')
    os.write(terminal, b'q')
    read_until(b'\x1b[?1049l')
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, 'its status')
    os.close(terminal)


def methods_and_pages(bench):
    server = bench.server().start()
    status, headers, _ = get(server, '/metrics', 'POST', b'x=1')
    equal((status, headers['Allow']), (405, 'GET, HEAD'), 'POST')
    equal(get(server, '/nothing')[0], 404, 'no page')
    equal(get(server, '/%2e%2e/etc/passwd')[0], 400, 'a way up')
    status, headers, text = get(server, '/healthz', 'HEAD')
    equal((status, text), (200, ''), 'HEAD')
    true(int(headers['Content-Length']) > 10, 'HEAD says how long it would be')
    equal(get(server, '/' + 'a' * 5000)[0], 414, 'a long address')


def bodies_have_a_bound(bench):
    server = bench.server().start()
    equal(get(server, '/metrics', 'POST', b'x' * (16 << 20))[0], 405, '16 MiB are read')
    equal(get(server, '/metrics', 'POST', b'', {'Content-Length': str((16 << 20) + 1)})[0], 413,
          'one more is not')
    connection = Unix(os.path.join(server.folder, 'web'))
    connection.request('POST', '/metrics', body=iter([b'x' * (1 << 20)] * 17),
                       headers={'Transfer-Encoding': 'chunked'}, encode_chunked=True)
    equal(connection.getresponse().status, 413, 'nor in chunks')
    connection.close()
    equal(get(server, '/healthz')[0], 200, 'and it goes on')


def on_loopback_too(bench):
    port, port6 = free_port(), free_port()
    more = f'web 127.0.0.1:{port}'
    if harness.has_ipv6():
        more += f' [::1]:{port6}'
    server = bench.server(more=more).start()
    true(not os.path.exists(os.path.join(server.folder, 'web')), 'no unix socket besides')
    for host, at in (('127.0.0.1', port), ('::1', port6)):
        if host == '::1' and not harness.has_ipv6():
            continue
        connection = http.client.HTTPConnection(host, at, timeout=60)
        for _ in range(3):          # the connection is kept
            connection.request('GET', '/healthz')
            answer = connection.getresponse()
            equal((answer.status, json.loads(answer.read())['status']), (200, 'ok'), host)
        connection.close()


def nowhere_when_told_so(bench):
    server = bench.server(more='web no').start()
    true(not os.path.exists(os.path.join(server.folder, 'web')), 'no socket')
    server.stop()
    server.configure(more='web 192.0.2.1:80')
    refused = server.run('check', server.conf)
    equal(refused.returncode, 78, 'only this machine')
    true('this machine alone' in refused.stdout + refused.stderr, refused.stdout + refused.stderr)


def crowds_and_nonsense(bench):
    """More connections than there are places, half requests, and octets that are no HTTP."""
    server = bench.server().start()
    admin = server.roles()['admin']
    held = []
    for i in range(100):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(os.path.join(server.folder, 'web'))
        try:
            client.sendall([b'GET /healthz HTTP/1.1\r\nHost: a\r\n', b'\x16\x03\x01' * 50,
                            b'POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\nabc', b''][i % 4])
        except OSError:
            pass
        held.append(client)
    equal(server.run('status').returncode, 0, 'the control socket answers meanwhile')
    for client in held:
        client.close()
    wait_until(lambda: answers(server), 'places to be free again')
    equal(server.roles()['admin'], admin, 'nobody died')


def answers(server):
    try:
        return get(server, '/healthz')[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def the_store_is_away(bench):
    """While the store does not answer, health says so and metrics still come."""
    server = bench.server().start()
    os.kill(server.roles()['store'], 19)        # SIGSTOP
    status, _, text = get(server, '/metrics')
    equal(status, 200, 'status')
    true('postern_queue_letters' not in read_metrics(text), 'what is not known is not told')
    os.kill(server.roles()['store'], 9)
    wait_until(lambda: 'postern_queue_letters' in metrics(server), 'the store to be there again')
    wait_until(lambda: get(server, '/healthz')[0] == 200, 'letters to be taken')


def in_one_process(bench):
    server = bench.server(options=['--one-process']).start()
    equal(get(server, '/healthz')[0], 200, 'health')
    true('postern_queue_letters' in metrics(server), 'metrics')


if __name__ == '__main__':
    harness.main([health_says_what_is, health_says_what_is_not, metrics_count, fronts_count,
                  top_once, top_on_a_terminal, methods_and_pages,
                  bodies_have_a_bound, on_loopback_too, nowhere_when_told_so, crowds_and_nonsense,
                  the_store_is_away, in_one_process])
