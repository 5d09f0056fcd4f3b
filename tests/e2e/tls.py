#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""TLS with the whole server: other people's clients, a folder of certificates, and clients who
hope to be heard in clear behind STARTTLS."""
import json
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess

from harness import Client, ROLES, Skip, main, true, wait_until

YOU = 'you@example.org'
NAMES = ('mx.example.org', 'a.example.org', 'b.example.org', 'c.example.org')


def openssl(*words, **more):
    if shutil.which('openssl') is None:
        raise Skip('openssl is not installed')
    return subprocess.run(['openssl', *words], capture_output=True, timeout=60, check=False, **more)


def certificate(folder, name, kind, names):
    """NAME.pem and NAME.key; the certificate in DER."""
    new = {'ec': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'rsa': ['rsa:2048']}[kind]
    path = os.path.join(folder, name)
    made = openssl('req', '-x509', '-newkey', *new, '-nodes', '-days', '2', '-subj', f'/CN={name}',
                   '-keyout', path + '.key', '-out', path + '.pem', '-addext',
                   'subjectAltName=' + ','.join('DNS:' + one for one in names))
    true(made.returncode == 0, made.stderr)
    with open(path + '.pem', encoding='ascii') as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def give(server, folder):
    """Files of the role that holds the keys."""
    if server.system:
        owner = 64950 + ROLES.index('keys')
        for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
            os.chown(path, owner, owner)


def with_certificates(bench, spoil=None):
    """A running server with four names, one of them with keys of both kinds, and what they are."""
    server = bench.server()
    folder = os.path.join(server.folder, 'certificates')
    os.mkdir(folder)
    made = {name: certificate(folder, name, 'ec', [name]) for name in NAMES}
    made['rsa'] = certificate(folder, 'z-rsa', 'rsa', ['mx.example.org', '*.w.example.org'])
    if spoil is not None:
        spoil(folder)
    give(server, folder)
    server.configure(f'certificates {folder}')
    server.start()
    offered(server)
    return server, made


def offered(server):
    """Until STARTTLS is."""
    def look():
        with Client(server.port) as client:
            return '250-STARTTLS' in client.extensions
    wait_until(look, 'STARTTLS')
    return server


def context(**options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    for name, value in options.items():
        setattr(made, name, value)
    return made


def secure(client, name=None, made=None):
    """The handshake on a connection whose 220 was heard."""
    client.socket = (made or context()).wrap_socket(client.socket, server_hostname=name)
    client.file = client.socket.makefile('rb')
    return client


def starttls(server, name=None, made=None):
    client = Client(server.port)
    client.command('STARTTLS', '220')
    return secure(client, name, made)


def a_letter(client, text=b'Subject: x\r\n\r\nx\r\n'):
    client.command('EHLO client.example.com', '250')
    client.envelope('bob@example.net', [YOU])
    return client.data(text)


def certificates_by_name(bench):
    """Four names, both kinds of key for one; who asks for another gets the default, no alert."""
    server, made = with_certificates(bench)
    old = context(maximum_version=ssl.TLSVersion.TLSv1_2)
    old.set_ciphers('ECDHE-RSA-AES128-GCM-SHA256')
    rows = [(name, None, made[name]) for name in NAMES]
    rows += [('mx.example.org', old, made['rsa']), ('one.w.example.org', None, made['rsa']),
             ('elsewhere.example.net', None, made['mx.example.org']),
             (None, None, made['mx.example.org'])]
    for name, old_one, want in rows:
        with starttls(server, name, old_one) as client:
            true(client.socket.getpeercert(True) == want, f'{name}: another certificate')
    wait_until(lambda: 'sni=elsewhere.example.net known=no' in server.log(), 'the unknown name')


def unsafe_keys(bench):
    """CFG-004: a key that others may read is not used; the others are."""
    def spoil(folder):
        os.chmod(os.path.join(folder, 'a.example.org.key'), 0o640)
        with open(os.path.join(folder, 'b.example.org.key'), 'w', encoding='ascii') as file:
            file.write('no key\n')
        os.unlink(os.path.join(folder, 'c.example.org.key'))
    server, made = with_certificates(bench, spoil)
    for name in NAMES:
        with starttls(server, name) as client:
            true(client.socket.getpeercert(True) == made['mx.example.org'], name)
    true(server.log().count('event=certificate-skipped') == 3, 'three keys are no good')


def self_signed(bench):
    """Without certificates there is one all the same, and a restart of its holder harms nobody."""
    server = offered(bench.server().start())
    with starttls(server) as client:
        a_letter(client)
        os.kill(server.roles()['keys'], signal.SIGKILL)
        client.envelope('bob@example.net', [YOU])
        client.data(b'Subject: y\r\n\r\ny\r\n')
    wait_until(lambda: 'keys' in server.roles(), 'keys to be back')
    offered(server)

    def again():
        try:
            with starttls(server) as client:
                return a_letter(client)
        except (OSError, AssertionError):
            return ''
    wait_until(again, 'a handshake with the new key')     # TLS-009
    for letter in server.wait_for_letters(3).values():
        true(b'with ESMTPS id' in letter, letter)


def clear_text_behind_starttls(bench):
    """SRV-016, SRV-017, SRV-020: nothing that came in clear counts."""
    server = offered(bench.server().start())
    evil = b'EHLO evil.example\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<%s>\r\n' % YOU.encode()
    for before in (b'', evil):
        client = Client(server.port)
        client.send(before + b'STARTTLS\r\n' + evil)
        for _ in range(3 if before else 0):
            client.expect('250')
        client.expect('220')
        with secure(client):
            client.command('DATA', '503')
            client.command('EHLO client.example.com', '250')
            client.command('DATA', '503')
            client.command('RCPT TO:<' + YOU + '>', '503')
    for octets in (evil, b'\x16\x03\x01\x02\x00'):
        with Client(server.port) as client:
            client.send(b'STARTTLS\r\n' + octets)
            client.expect('220')
            client.send(evil + b'DATA\r\nx\r\n.\r\n')
            true(b'250' not in client.file.read(), 'a command in clear was answered')
    with starttls(server) as client:
        a_letter(client)
    true(len(server.wait_for_letters(1)) == 1, 'only the good letter')


def at_the_wrong_time(bench):
    """SRV-018, SRV-019."""
    server = offered(bench.server().start())
    with Client(server.port) as client:
        client.command('STARTTLS now', '501')
        client.command('STARTTLS', '220')
        secure(client)
        client.command('STARTTLS', '503')
        a_letter(client)


def cut_in_a_letter(bench):
    """SRV-022, SRV-023: close_notify, or the end, in the middle of a text; then clear octets."""
    server = offered(bench.server().start())
    for begin in ('BDAT 1000', 'DATA'):
        for polite in (True, False):
            client = starttls(server)
            client.command('EHLO client.example.com', '250')
            client.envelope('bob@example.net', [YOU])
            client.send(begin.encode() + b'\r\nSubject: cut\r\n\r\nx')
            raw = socket.socket(fileno=os.dup(client.socket.fileno()))
            if polite:
                client.socket.settimeout(20)
                try:
                    client.socket.unwrap()
                except (ssl.SSLError, OSError):
                    pass
            try:
                raw.sendall(b'x' * 984 + b'\r\n.\r\nMAIL FROM:<evil@example.net>\r\n')
                raw.settimeout(20)
                while raw.recv(65536):
                    pass
            except OSError:
                pass
            raw.close()
            client.socket.close()
    with starttls(server) as client:
        a_letter(client)
    letters = server.wait_for_letters(1)
    true(len(letters) == 1 and b'cut' not in next(iter(letters.values())), letters)


def too_old(bench):
    """SRV-027."""
    server = offered(bench.server().start())
    for words in (['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
                  ['-tls1_2', '-cipher', 'AES128-SHA'],
                  ['-tls1_2', '-cipher', 'DHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256']):
        said = openssl('s_client', '-starttls', 'smtp', '-connect', f'127.0.0.1:{server.port}',
                       *words, input=b'QUIT\r\n')
        true(b'Cipher is (NONE)' in said.stdout, f'{words}: {said.stdout[-500:]}')
    true(server.log().count('event=tls-failed') >= 3, 'not logged')


def from_the_first_octet(bench):
    """Implicit TLS, and smtplib over both ways."""
    server = bench.server()
    other = Client.__new__(Client)
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    server.configure(listen=f'listen 127.0.0.1:{server.port} 127.0.0.1:{port} tls')
    offered(server.start())
    other.socket = socket.create_connection(('127.0.0.1', port), 60)
    secure(other)
    with other:
        other.expect('220')
        a_letter(other)
    with smtplib.SMTP_SSL('127.0.0.1', port, context=context(), timeout=60) as client:
        client.sendmail('bob@example.net', [YOU], 'Subject: over 465\r\n\r\nx\r\n')
    with smtplib.SMTP('127.0.0.1', server.port, timeout=60) as client:
        client.starttls(context=context())
        client.sendmail('bob@example.net', [YOU], 'Subject: STARTTLS\r\n\r\n' + 'x' * 70 + '\r\n')
    server.wait_for_letters(3)


def swaks(bench):
    if shutil.which('swaks') is None:
        raise Skip('swaks is not installed')
    server = offered(bench.server().start())
    sent = subprocess.run(['swaks', '--server', f'127.0.0.1:{server.port}', '--tls', '--to', YOU,
                           '--from', 'bob@example.net', '--body', 'by swaks'],
                          capture_output=True, timeout=60, check=False)
    true(sent.returncode == 0, sent.stdout[-1000:])
    (letter,) = server.wait_for_letters(1).values()
    true(b'with ESMTPS id' in letter and b'by swaks' in letter, letter)


def big_letters_and_resumption(bench):
    """Twenty megabytes through TLS come as they went; a second session resumes the first."""
    server = offered(bench.server(more='fronts 2').start())
    text = b'Subject: big\r\n\r\n' + b'0123456789abcdef' * 4 + b'\r\n'
    text += (b'x' * 70 + b'\r\n') * 280000
    made = context(maximum_version=ssl.TLSVersion.TLSv1_2)
    with starttls(server, made=made) as client:
        a_letter(client, text)
        session = client.socket.session
    (letter,) = server.wait_for_letters(1).values()
    true(letter.endswith(text.replace(b'\r\n', b'\n')), f'{len(letter)} octets')
    for _ in range(6):          # whichever front has it
        client = Client(server.port)
        client.command('STARTTLS', '220')
        client.socket = made.wrap_socket(client.socket, session=session)
        true(client.socket.session_reused, 'a whole handshake')
        client.socket.close()


def told_by_trace(bench):
    """Who failed and came back in clear, and names that no certificate has, whichever front saw
    it."""
    server = offered(bench.server(more='fronts 2').start())
    said = server.run('trace', '--tls')
    true(said.returncode == 0 and said.stdout == '' and 'Nobody failed' in said.stderr, said)
    openssl('s_client', '-starttls', 'smtp', '-connect', f'127.0.0.1:{server.port}', '-tls1_2',
            '-cipher', 'AES128-SHA', '-servername', 'old.example.net', input=b'QUIT\r\n')
    for _ in range(3):
        with starttls(server, 'wanted.example.net'):
            pass
    wait_until(lambda: 'wanted.example.net' in server.run('trace', '--tls').stdout, 'the name')
    true('in clear' not in server.run('trace', '--tls').stdout, 'nobody came back yet')
    with Client(server.port) as client:
        a_letter(client)
    said = server.run('trace', '--tls').stdout
    true('127.0.0.1 could not agree on TLS and sent 1 letter in clear' in said
         and '<old.example.net>; we said handshake_failure' in said and '002f' in said, said)
    true('<wanted.example.net> was asked for 3 times' in said, said)
    rows = [json.loads(line) for line in server.run('trace', '--tls', '--json').stdout.splitlines()]
    true([row['tls'] for row in rows] == ['came-back-in-clear', 'name-unknown'], rows)
    true(server.run('trace', '--tls', 'x@y.example').returncode == 64, 'a word too many')


def memory_of(pid):
    """All that may be read of a process, piece by piece; for root."""
    with open(f'/proc/{pid}/maps', encoding='ascii', errors='replace') as maps, \
            open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split('-'))
            if 'r' not in rights or '[v' in line:
                continue
            try:
                memory.seek(start)
                yield memory.read(min(end - start, 1 << 28))
            except (OSError, ValueError, OverflowError):
                continue


def secret_of(path):
    """The private number of an EC key, in octets."""
    told = openssl('ec', '-in', path, '-text', '-noout')
    words = told.stdout.decode().partition('priv:')[2].partition('pub:')[0]
    return bytes.fromhex(''.join(words.replace(':', ' ').split()))[-32:]


def only_keys_knows_a_private_key(bench):
    """TLS-010: in no other process is it, as it lies on the disk or the other way round."""
    if os.geteuid() != 0:
        raise Skip('needs root')
    server, _ = with_certificates(bench)
    for name in NAMES:
        with starttls(server, name) as client:
            a_letter(client)
    with open(os.path.join(server.folder, 'certificates', NAMES[1] + '.key'), 'rb') as file:
        text = file.read().split(b'\n')[1]
    secret = secret_of(os.path.join(server.folder, 'certificates', NAMES[1] + '.key'))
    true(len(secret) == 32, 'the secret of the test')
    holders = set()
    for role, pid in [*server.roles().items(), ('master', server.main_pid())]:
        for piece in memory_of(pid):
            if secret in piece or secret[::-1] in piece or text in piece:
                holders.add(role)
    true('keys' in holders, 'the test finds it where it must be')
    true(holders == {'keys'}, f'a private key is in the memory of {sorted(holders)}')


def an_octet_a_record(bench):
    """TLS-007: a letter whose every octet is a record of its own is taken, and nobody waits."""
    server, _ = with_certificates(bench)
    body = b'Subject: small records\r\n\r\n' + (b'x' * 70 + b'\r\n') * 3000
    with Client(server.port) as client:
        client.command('STARTTLS', '220')
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = context().wrap_bio(come, go)

        def turn(act):
            while True:
                try:
                    done = act()
                    client.socket.sendall(go.read())
                    return done
                except ssl.SSLWantReadError:
                    client.socket.sendall(go.read())
                    come.write(client.socket.recv(65536))

        def say(line):
            inner.write(line)
            return turn(lambda: inner.read(65536))

        turn(inner.do_handshake)
        say(b'EHLO client.example.com\r\n')
        for line in (b'MAIL FROM:<bob@example.net>', f'RCPT TO:<{YOU}>'.encode(), b'DATA'):
            true(say(line + b'\r\n')[:1] in b'23', line)
        for at in range(len(body)):
            inner.write(body[at:at + 1])
            if at % 4096 == 0:
                client.socket.sendall(go.read())
            if at % 65536 == 0:
                with Client(server.port) as other:      # somebody else is served meanwhile
                    other.command('NOOP', '250')
        true(say(b'.\r\n').startswith(b'250'), 'the letter')
    true(len(server.wait_for_letters(1)) == 1, 'one letter')


if __name__ == '__main__':
    main([only_keys_knows_a_private_key, an_octet_a_record,
          certificates_by_name, unsafe_keys, self_signed, clear_text_behind_starttls,
          at_the_wrong_time, cut_in_a_letter, too_old, from_the_first_octet, swaks,
          big_letters_and_resumption, told_by_trace])
