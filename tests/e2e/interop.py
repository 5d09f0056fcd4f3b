#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Other people's programs send us mail: swaks, Python's smtplib, Postfix and its smtp-source."""
import os
import smtplib
import shutil
import subprocess
from email.message import EmailMessage

import harness
from harness import below_the_fields, equal, free_port, peers, Skip, true, wait_until

COUNT = 200


def need(program):
    if shutil.which(program) is None:
        raise Skip(f'{program} is not here')


def swaks(server, *options, well=True):
    need('swaks')
    done = subprocess.run(['swaks', '--server', f'127.0.0.1:{server.port}', '--from',
                           'sender@example.com', '--helo', 'client.example.com', *options],
                          capture_output=True, text=True, timeout=60, check=False)
    true((done.returncode == 0) == well, done.stdout + done.stderr)
    return done.stdout


def swaks_sends(bench):
    server = bench.server().start()
    swaks(server, '--to', 'you@example.org')
    swaks(server, '--to', 'you@example.org', '--pipeline')
    swaks(server, '--to', 'you@example.org', '--attach', os.path.abspath(__file__))
    swaks(server, '--to', 'you@example.org', '--from', '<>')
    said = swaks(server, '--to', 'nobody@example.org', well=False)
    true('550 5.1.1' in said, said)
    server.wait_for_letters(4)


def smtplib_sends(bench):
    server = bench.server().start()
    message = EmailMessage()
    message['From'], message['To'], message['Subject'] = 'a@example.com', 'you@example.org', 'Grüße'
    message.set_content('Привет\n.\n..\n' + 'x' * 900 + '\n')
    message.add_attachment(bytes(range(256)) * 100, maintype='application', subtype='octet-stream')
    message.set_boundary('between-the-parts')
    with smtplib.SMTP('127.0.0.1', server.port) as client:
        client.send_message(message)
        refused = client.sendmail('a@example.com', ['you@example.org', 'nobody@example.org'],
                                  message.as_bytes().replace(b'\n', b'\r\n'))
        equal(list(refused), ['nobody@example.org'], 'refused')
        for extension in ('size', '8bitmime', 'binarymime', 'chunking', 'pipelining', 'smtputf8',
                          'enhancedstatuscodes', 'limits'):
            true(client.has_extn(extension), extension)
    want = message.as_bytes().replace(b'\r\n', b'\n').rstrip(b'\n')
    for octets in server.wait_for_letters(2).values():
        equal(below_the_fields(octets).rstrip(b'\n'), want, 'the message')


def smtplib_utf8(bench):
    server = bench.server()
    server.mailbox('%C3%BCser')
    server.start()
    with smtplib.SMTP('127.0.0.1', server.port) as client:
        client.sendmail('é@example.com', ['üser@example.org'], 'Subject: ü\r\n\r\nü\r\n'.encode(),
                        mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
    server.wait_for_letters(1, '%C3%BCser')


def postfix_settings(server):
    return {'myhostname': 'client.example.com', 'relayhost': f'[127.0.0.1]:{server.port}',
            'default_destination_concurrency_limit': '20', 'minimal_backoff_time': '1s',
            'maximal_backoff_time': '2s', 'queue_run_delay': '1s'}


def postfix_relays(bench):
    """A real Postfix takes mail and relays all of it to us, each letter once and whole."""
    server = bench.server().start()
    port = free_port()
    bench.postfix(port, postfix_settings(server))
    with smtplib.SMTP('127.0.0.1', port) as client:
        for number in range(COUNT):
            text = f'X-Number: {number}\r\nSubject: relayed\r\n\r\n.\r\n' + 'y' * number * 50
            client.sendmail('a@example.com', ['you@example.org'], text + '\r\n')
        large = b'X-Number: large\r\n\r\n' + b'0123456789abcdef' * 60 + b'\r\n'
        client.sendmail('a@example.com', ['you@example.org'], large + large[20:] * 6000)
    letters = server.wait_for_letters(COUNT + 1)
    numbers = sorted(line for octets in letters.values() for line in octets.split(b'\n')
                     if line.startswith(b'X-Number: '))
    equal(len(set(numbers)), COUNT + 1, 'different letters')
    equal(len(numbers), COUNT + 1, 'letters')


def postfix_relays_enciphered(bench):
    """The same Postfix, told to send inside TLS or not at all."""
    server = bench.server().start()
    wait_until(lambda: 'event=certificate' in server.log(), 'a certificate')
    port = free_port()
    postfix = bench.postfix(port, {**postfix_settings(server), 'smtp_tls_security_level': 'encrypt',
                                   'smtp_tls_loglevel': '1'})
    with smtplib.SMTP('127.0.0.1', port) as client:
        for number in range(COUNT):
            client.sendmail('a@example.com', ['you@example.org'],
                            f'Subject: {number}\r\n\r\n' + 'y' * number * 50 + '\r\n')
    letters = server.wait_for_letters(COUNT)
    true(all(b'with ESMTPS id' in octets for octets in letters.values()), postfix.log()[-2000:])


def postfix_relays_a_refusal_back(bench):
    """Our 550 makes Postfix write a report; it comes with a null sender, a letter like any."""
    server = bench.server().start()
    port = free_port()
    postfix = bench.postfix(port, postfix_settings(server))
    with smtplib.SMTP('127.0.0.1', port) as client:
        client.sendmail('you@example.org', ['nobody@example.org'], 'Subject: x\r\n\r\nx\r\n')
    report = list(server.wait_for_letters(1).values())[0]
    true(report.startswith(b'Return-Path: <>\n'), 'a null sender')
    true(b'550 5.1.1' in report and b'nobody@example.org' in report, postfix.log()[-2000:])


def smtp_source_sends(bench):
    server = bench.server().start()
    try:
        package = peers.unpack('postfix', bench.packages)
    except peers.Unavailable as why:
        raise Skip(str(why)) from why
    env = {**os.environ, 'LD_LIBRARY_PATH': os.path.join(package, 'usr/lib/postfix')}
    program = os.path.join(package, 'usr/sbin/smtp-source')
    sent = 0
    for options in (['-s', '10', '-m', '200'], ['-d', '-s', '10', '-m', '300'],
                    ['-s', '5', '-m', '20', '-l', '400000']):
        done = subprocess.run([program, *options, '-f', 'a@example.com', '-t', 'you@example.org',
                               f'inet:127.0.0.1:{server.port}'], env=env, capture_output=True,
                              text=True, timeout=120, check=False)
        equal(done.returncode, 0, ' '.join(options) + done.stderr)
        sent += int(options[options.index('-m') + 1])
    equal(len(server.wait_for_letters(sent)), sent, 'letters')


if __name__ == '__main__':
    harness.main([swaks_sends, smtplib_sends, smtplib_utf8, postfix_relays,
                  postfix_relays_enciphered, postfix_relays_a_refusal_back, smtp_source_sends])
