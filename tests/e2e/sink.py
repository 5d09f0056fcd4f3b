# SPDX-License-Identifier: ISC
"""SMTP servers of the test's own that take every letter, and remember what was said to them in
clear."""
import socket
import ssl
import threading


class Sink:
    """`pair`: certificate chain and key, or None: no STARTTLS."""

    def __init__(self, address, pair, port=25):
        self.context = None
        if pair is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*pair)
            self.context.sni_callback = self.on_name
        self.names, self.letters, self.clear = [], [], b''
        self.socket = socket.create_server((address, port))
        threading.Thread(target=self.serve, daemon=True).start()

    def on_name(self, _, name, __):
        self.names.append(name)

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        try:
            client.settimeout(60)
            self.dialogue(client)
        except OSError:
            pass
        finally:
            client.close()

    def dialogue(self, client):
        secure, lines = False, client.makefile('rb')
        client.sendall(b'220 sink\r\n')
        while True:
            line = lines.readline()
            if not line:
                return
            if not secure:
                self.clear += line
            verb = line[:4].upper()
            if verb == b'EHLO':
                offers = b'' if secure or self.context is None else b'250-STARTTLS\r\n'
                client.sendall(b'250-sink\r\n' + offers
                               + (b'250-REQUIRETLS\r\n' if secure else b'') + b'250 8BITMIME\r\n')
            elif verb == b'STAR':
                client.sendall(b'220 go\r\n')
                client = self.context.wrap_socket(client, server_side=True)
                secure, lines = client.version(), client.makefile('rb')
            elif verb == b'DATA':
                client.sendall(b'354 go\r\n')
                text = b''.join(iter(lines.readline, b'.\r\n'))
                if not secure:
                    self.clear += text
                self.letters.append((secure, text))
                client.sendall(b'250 2.0.0 taken\r\n')
            else:
                client.sendall(b'250 well\r\n' if verb != b'QUIT' else b'221 bye\r\n')

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
