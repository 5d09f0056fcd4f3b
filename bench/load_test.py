#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""mailstorm against mailsink in every dialogue: each letter must arrive exactly once.

usage: load_test.py MAILSTORM MAILSINK      TAP
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

LETTERS = 2000
# name, options of the sink, options of the storm
DIALOGUES = [
    ('lock-step', '', '-c 10 -p 7'),
    ('a letter a session', '', '-c 20'),
    ('half-close', '', '-c 20 -p 3 --half-close -P'),
    ('no extension', '--no-ext', '-c 5 -p 10 --no-ext'),
    ('pipelined', '', '-c 10 -p 50 -P'),
    ('pipelined, window of 1', '', '-c 10 -p 50 -P -w 1'),
    ('20 recipients', '', '-c 4 -p 50 -P -r 20'),
    ('round 7 mailboxes', '', '-c 4 -p 50 -R user%u@sink.example --users 7'),
    ('SIZE declared', '', '-c 4 -p 50 --declare-size'),
    ('BDAT', '', '-c 10 -p 50 -P -B'),
    ('BDAT in lock-step', '', '-c 10 -p 50 -B'),
    ('small chunks', '', '-c 3 -p 50 -P -B --chunk 300'),
    ('300 KiB', '', '-c 3 -p 50 -s 300k'),
    ('300 KiB in chunks', '', '-c 3 -p 50 -s 300k -P -B --chunk 64k'),
    ('STARTTLS', '--cert CERT --key KEY', '-c 10 -p 50 -S'),
    ('STARTTLS, BDAT', '--cert CERT --key KEY', '-c 10 -p 50 -S -P -B'),
    ('LMTP', '-l', '-c 5 -p 50 -l -r 3'),
    ('LMTP, pipelined', '-l', '-c 5 -p 50 -l -r 3 -P'),
    ('two threads', '-t 2', '-t 2 -c 10 -p 50 -P'),
    ('7 letters a session', '--mailmax 7', '-c 10 -p 7'),
    ('STARTTLS, no tickets', '--cert CERT --key KEY --no-tickets', '-c 10 -p 50 -S'),
    ('late replies', '--delay-ms 2', '-c 50 -p 50 -P -B'),
    ('log', '--log LOG', '-c 50 -p 50'),
    ('log, BDAT, two threads', '--log LOG -t 2', '-c 50 -p 50 -P -B'),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f'nobody listens on port {port}')


def run(storm, sink, folder, sink_options, storm_options):
    """What both reported."""
    port = free_port()
    names = {name: os.path.join(folder, name) for name in ('CERT', 'KEY', 'LOG')}
    options = [names.get(one, one) for one in sink_options.split()]
    address = f'127.0.0.1:{port}'
    with subprocess.Popen([sink, *options, '-T', '60', address], stdout=subprocess.PIPE) as server:
        wait_for(port)
        sent = subprocess.run([storm, *storm_options.split(), '-T', '60', address],
                              capture_output=True, check=False)
        server.terminate()
        taken = server.communicate(timeout=30)[0]
    return sent.returncode, json.loads(sent.stdout), json.loads(taken)


def all_came(storm, sink, folder, sink_options, storm_options):
    status, sent, taken = run(storm, sink, folder, sink_options, f'-m {LETTERS} {storm_options}')
    came = (taken['unique'], taken['duplicates'], taken['no_id'])
    if status == 0 and sent['ok'] == LETTERS and came == (LETTERS, 0, 0):
        return ''
    return f'status {status}, {sent}, {taken}'


def refusals_are_seen(storm, sink, folder):
    status, sent, taken = run(storm, sink, folder, '--eod 451 --eod-every 10', '-m 100 -c 2 -p 5')
    if status == 1 and taken['refused'] == sent['failed'] == 10 and sent['errors']:
        return ''
    return f'status {status}, {sent}, {taken}'


def main():
    storm, sink = sys.argv[1], sys.argv[2]
    print(f'1..{len(DIALOGUES) + 1}')
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-keyout', os.path.join(folder, 'KEY'),
                        '-out', os.path.join(folder, 'CERT'), '-days', '2',
                        '-subj', '/CN=mx.sink.example'], capture_output=True, check=True)
        rows = [(name, lambda one=options: all_came(storm, sink, folder, *one))
                for name, *options in DIALOGUES]
        rows.append(('refusals', lambda: refusals_are_seen(storm, sink, folder)))
        for number, (name, check) in enumerate(rows, 1):
            said = check()
            print(f'{"not ok" if said else "ok"} {number} - {name}', flush=True)
            if said:
                print('# ' + said)
                failed += 1
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
