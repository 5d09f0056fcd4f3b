# SPDX-License-Identifier: ISC
"""Relaying: letters from clients through the server to mailsink, as its next hop.

The server takes each letter durably (a 250 means that it is kept), then hands it on by SMTP; the
end is when the sink has the last of them. Connections out are kept, ours and Postfix's, but where a
figure is about handshakes: there the sink takes one letter a session.
"""
import contextlib
import json
import os
import socket
import subprocess
import time

import servers

CLIENTS = 50
LETTERS = {'1k': {'postern': 30000, 'postfix': 4000}, '100k': {'postern': 6000, 'postfix': 2000},
           'tls': {'postern': 6000, 'postfix': 2000}}
WARM = 1000
DESTINATIONS, DEAD, EACH = 1000, 10, 200
OURS = 'deliver yes\ndestination-connections 50\njobs 128\nresolver 127.0.0.1:9\n'


def postfix_settings(port, tls, kept, folder):
    """relayhost, with its own advice for many letters to one host (CONNECTION_CACHE_README,
    TLS_README); `kept`: connections out are used again."""
    next_hop = f'[127.0.0.1]:{port}'
    more = {'smtpd_data_restrictions': '', 'relayhost': next_hop,
            'smtp_connection_cache_on_demand': 'yes' if kept else 'no',
            'smtp_connection_cache_destinations': next_hop if kept else '',
            'smtp_connection_reuse_count_limit': '0' if kept else '1',
            'smtp_tls_security_level': 'may' if tls else 'none',
            'smtp_tls_connection_reuse': 'yes' if tls and kept else 'no'}
    if tls:
        more['smtp_tls_session_cache_database'] = f'btree:{folder}/data/sessions'
    return more


def sink_command(bench, expect, options, port):
    return [os.path.join(bench.tools, 'mailsink'), '--expect', str(expect), *options,
            f'127.0.0.1:{port}']


def set_next_hop(server, port, tls, kept):
    server.ours = OURS + f'smarthost 127.0.0.1:{port}\ntls-policy {"encrypt" if tls else "none"}'
    server.theirs = postfix_settings(port, tls, kept, server.folder)


def run(bench, server, sink, options, letters, warm, to='user@elsewhere.example'):
    """(seconds from the first connection until the sink has all, processor seconds)."""
    storm = f'-c {CLIENTS} {options}'
    bench.storm(server, f'{storm} -p {warm // CLIENTS}', warm, to)
    time.sleep(2)       # what was sent for warmth has gone out
    cpu, began = server.cpu_seconds(), time.monotonic()
    bench.storm(server, f'{storm} -p 20', letters, to)
    sink.wait(180)
    return time.monotonic() - began, server.cpu_seconds() - cpu


def relay(bench, server, size, options=(), tls=False, kept=True):
    """{metric: value}: letters a second, processor time of each, what the sink saw."""
    server.empty()
    port, letters = servers.free_port(), LETTERS['tls' if tls else size][server.name]
    set_next_hop(server, port, tls, kept)
    command = sink_command(bench, letters + WARM, options, port)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sink:
        servers.wait_for_banner(port, sink)
        server.start()
        try:
            seconds, cpu = run(bench, server, sink, f'-s {size}', letters, WARM)
        finally:
            server.stop()
            server.ours = server.theirs = None
            sink.terminate()
        said = json.loads(sink.stdout.read())
    if said['unique'] < letters or said['messages'] != letters + WARM:  # the numbers begin anew
        raise RuntimeError(f'{server.name}: the sink has {said}')
    return {'relayed_per_s': letters / seconds, 'cpu_us': cpu / letters * 1e6,
            'connections': said['connections'] / (letters + WARM),
            'resumed': said['resumed'] / max(said['tls'], 1)}


def relay_tls(bench, server, resumed):
    """STARTTLS, a session for each letter."""
    certificate, key = servers.certificate(server.folder)
    options = ['--cert', certificate, '--key', key, '--mailmax', '1']
    return relay(bench, server, '1k', options + ([] if resumed else ['--no-tickets']), tls=True,
                 kept=False)


@contextlib.contextmanager
def dead_port():
    """A port that lets nobody in and refuses nobody: who connects hears nothing."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def to_many(bench, server, dead):
    """Seconds until the sink has all letters of the healthy ones of DESTINATIONS domains."""
    server.empty()
    port, letters = servers.free_port(), DESTINATIONS * EACH
    healthy = DESTINATIONS - (DEAD if dead else 0)
    with dead_port() as nowhere, \
            subprocess.Popen(sink_command(bench, healthy * EACH, [], port),
                             stdout=subprocess.PIPE, text=True) as sink:
        servers.wait_for_banner(port, sink)
        gap = DESTINATIONS // DEAD
        routes = [f'd{n}.example=127.0.0.1:{nowhere if dead and n % gap == 0 else port}'
                  for n in range(DESTINATIONS)]
        server.ours = OURS + 'tls-policy none\n' + '\n'.join(f'route {one}' for one in routes)
        server.start()
        try:
            began = time.monotonic()
            bench.storm(server, f'-c {CLIENTS} -s 1k -p 20 --users {DESTINATIONS}', letters,
                        'user@d%u.example')
            sink.wait(180)
            seconds = time.monotonic() - began
        finally:
            server.stop()
            server.ours = None
            sink.terminate()
        said = json.loads(sink.stdout.read())
    if said['unique'] < healthy * EACH:
        raise RuntimeError(f'{server.name}: the sink has {said}')
    return seconds * DESTINATIONS / healthy


def relay_dead(bench, server):
    """How fast the healthy destinations are beside dead ones, as a part of the rate without."""
    without = to_many(bench, server, False)
    beside = to_many(bench, server, True)
    return {'part': without / beside, 'relayed_per_s': DESTINATIONS * EACH / without}
