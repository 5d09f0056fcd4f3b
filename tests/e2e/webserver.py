# SPDX-License-Identifier: ISC
"""Web servers of the test's own: an authority, certificates of many kinds, and HTTPS by hand.

authority = Authority(folder); server = Server(authority.issue('mta-sts.secure.lab'), say)
`say(connection, path, method, body)` writes what it likes, octet for octet.
"""
import os
import shutil
import socket
import ssl
import subprocess
import threading

from harness import Skip

DAYS = {'now': '30', 'expired': '-1'}


def openssl(*words, folder):
    if shutil.which('openssl') is None:
        raise Skip('openssl is not here')
    done = subprocess.run(['openssl', *words], cwd=folder, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f'openssl {words}: {done.stderr}')


class Authority:
    def __init__(self, folder, name='ca'):
        self.folder = os.path.join(folder, 'web-' + name)
        os.makedirs(self.folder)
        self.n = 0
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Lab Authority', '-days', '30',
                '-addext', 'keyUsage=keyCertSign,cRLSign', folder=self.folder)
        self.file = os.path.join(self.folder, 'ca.pem')

    def issue(self, *names, subject='lab', expired=False):
        """(certificate, key): the names are in its subjectAltName."""
        self.n += 1
        base = f'leaf{self.n}'
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', base + '.key', '-out', base + '.csr', '-subj', f'/CN={subject}',
                folder=self.folder)
        with open(os.path.join(self.folder, base + '.ext'), 'w', encoding='ascii') as ext:
            ext.write('basicConstraints=CA:FALSE\n')
            if names:
                ext.write('subjectAltName=' + ','.join('DNS:' + name for name in names) + '\n')
        openssl('x509', '-req', '-in', base + '.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
                '-CAcreateserial', '-out', base + '.pem', '-extfile', base + '.ext',
                '-days', '-1' if expired else '30', folder=self.folder)
        return tuple(os.path.join(self.folder, base + end) for end in ('.pem', '.key'))


class Server:
    """One that says what `say` writes, to each client in a thread of its own."""
    def __init__(self, pair, say, address='127.0.0.1', port=0, most='TLSv1_3', sock=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.context.maximum_version = ssl.TLSVersion[most]
        if most in ('TLSv1', 'TLSv1_1'):
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.set_ciphers('ALL:@SECLEVEL=0')
        self.say, self.asked, self.ends = say, [], False
        self.socket = sock or socket.create_server((address, port))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.ends:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        try:
            with self.context.wrap_socket(client, server_side=True) as secure:
                secure.settimeout(60)
                head = b''
                while b'\r\n\r\n' not in head:
                    more = secure.recv(65536)
                    if not more:
                        return
                    head += more
                head, body = head.split(b'\r\n\r\n', 1)
                method, path = head.split(b' ')[:2]
                for line in head.split(b'\r\n')[1:]:
                    if line.lower().startswith(b'content-length:'):
                        while len(body) < int(line.split(b':')[1]):
                            body += secure.recv(65536)
                self.asked.append((method.decode(), path.decode(), head, body))
                self.say(secure)
        except OSError:
            pass

    def stop(self):
        self.ends = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass                        # its host ended before it
        self.socket.close()
