# SPDX-License-Identifier: ISC
"""A next hop written by hand, in a host of netlab.py: what it offers and says is up to the test.

sink = Sink(host, extensions=['8BITMIME'], tells={'RCPT': lambda session, line: '450 4.2.0 no'})
Then sink.letters is what it took, each a Letter; sink.sessions what was said to it.
"""
import ssl
import threading


class Letter:
    def __init__(self, session):
        self.sender, self.recipients, self.octets = '', [], b''
        self.enciphered, self.sni = session.enciphered, session.sni


class Session:
    """One client, in a thread of its own."""

    def __init__(self, sink, client):
        self.sink, self.socket = sink, client
        self.enciphered, self.sni, self.lines = False, None, []
        self.letter = Letter(self)
        self.file = client.makefile('rb')

    def say(self, text):
        self.socket.sendall(text.encode() + b'\r\n')

    def run(self):
        try:
            self.say(self.sink.greeting)
            while self.turn():
                pass
        except OSError:
            pass
        finally:
            self.file.close()
            self.socket.close()

    def turn(self):
        line = self.file.readline()
        if not line.endswith(b'\n'):
            return False
        line = line.decode('utf-8', 'replace').rstrip('\r\n')
        self.lines.append(line)
        verb = line.upper().split(' ')[0].split(':')[0]
        tells = self.sink.tells.get(verb)
        told = tells(self, line) if tells else None
        if told == '':
            return False                        # hangs up
        if told:
            if verb == 'BDAT':                  # what belongs to it comes all the same
                self.file.read(int(line.split(' ')[1]))
            self.say(told)
            return True
        return self.verbs.get(verb, Session.unknown)(self, line)

    def unknown(self, _line):
        self.say('500 5.5.1 not known here')
        return True

    def ehlo(self, _line):
        offers = self.sink.extensions + (['STARTTLS'] if self.sink.context
                                         and not self.enciphered else [])
        words = [self.sink.name, *offers]
        self.say('\r\n'.join(f'250{"-" if i + 1 < len(words) else " "}{word}'
                             for i, word in enumerate(words)))
        return True

    def starttls(self, line):
        if not self.sink.context:
            return self.unknown(line)
        self.say('220 2.0.0 go on')
        self.socket.settimeout(30)
        self.sink.local.session = self          # the thread's, for who is asked for
        self.socket = self.sink.context.wrap_socket(self.socket, server_side=True)
        self.file = self.socket.makefile('rb')
        self.enciphered = True
        return True

    def mail(self, line):
        self.letter = Letter(self)
        self.letter.sender = line[10:]
        self.say('250 2.1.0 well')
        return True

    def rcpt(self, line):
        self.letter.recipients.append(line[8:])
        self.say('250 2.1.5 well')
        return True

    def data(self, _line):
        if not self.letter.recipients:
            self.say('554 5.5.1 for whom?')
            return True
        self.say('354 go on')
        octets = b''
        while True:
            line = self.file.readline()
            if not line.endswith(b'\n'):
                return False
            if line == b'.\r\n':
                break
            octets += line[1:] if line.startswith(b'.') else line
        self.letter.octets = octets
        return self.take()

    def bdat(self, line):
        words = line.split(' ')
        octets = self.file.read(int(words[1]))
        if len(octets) < int(words[1]):
            return False
        self.letter.octets += octets
        if words[-1].upper() == 'LAST':
            return self.take()
        self.say('250 2.0.0 more')
        return True

    def take(self):
        """The end of a letter; '.' of `tells` may have another word to say."""
        tells = self.sink.tells.get('.')
        told = tells(self, '') if tells else None
        if told is None or told.startswith('2') or told == 'lost':
            self.sink.letters.append(self.letter)
        if told in ('', 'lost'):
            return False
        self.say(told or '250 2.0.0 taken')
        return True

    def rset(self, _line):
        self.say('250 2.0.0 well')
        return True

    def quit(self, _line):
        self.say('221 2.0.0 bye')
        return False

    verbs = {'EHLO': ehlo, 'HELO': ehlo, 'STARTTLS': starttls, 'MAIL': mail, 'RCPT': rcpt,
             'DATA': data, 'BDAT': bdat, 'RSET': rset, 'NOOP': rset, 'QUIT': quit}


class Sink:
    """`tells`: {verb: f(session, line)}, whose word, if any, is said in place of the usual; ''
    hangs up. '.' is the end of a letter, and there 'lost' takes it and hangs up. `tls`:
    (certificate, key), files; `by_name`: {name of SNI: such a pair}."""

    def __init__(self, host, extensions=('PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES'), tls=None,
                 by_name=None, tells=None, greeting=None):
        self.name = f'{host.name}.lab'
        self.extensions, self.tells = list(extensions), tells or {}
        self.greeting = greeting or f'220 {self.name} ESMTP'
        self.sessions, self.letters, self.local = [], [], threading.local()
        self.context = self.context_of(tls, by_name or {}) if tls else None
        self.socket = host.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def context_of(self, tls, by_name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        others = {name: self.context_of(pair, {}) for name, pair in by_name.items()}

        def asked_for(sock, name, _context):
            self.local.session.sni = name
            if name in others:
                sock.context = others[name]
        context.sni_callback = asked_for
        return context

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            client.settimeout(120)
            session = Session(self, client)
            self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()

    def recipients(self):
        return sorted(rcpt.split('>')[0].strip('<') for letter in self.letters
                      for rcpt in letter.recipients)
