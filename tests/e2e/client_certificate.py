#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A server that asks relay for a certificate is shown the one of client-certificate, and none
otherwise; whatever goes wrong with it, the letter goes on inside TLS."""
import os
import shutil
import signal
import ssl

from harness import Skip, equal, free_port, main, true, wait_until
from reload import reload_well
from relay import US, Dialogue, Sink, came, certificate, hand_in, is_logged, queue_is_empty
from tls import certificate as with_key, give

NAME, ANOTHER = 'out.example.org', 'another.example.org'


class Impatient(Dialogue):
    """Who waits for no second letter: each has a handshake of its own."""
    timeout = 0.5

    def finish(self):
        try:
            super().finish()
        finally:
            self.request.close()
            self.server.ended += 1


class World:
    """A server with two certificates, and a sink that asks for one; `trusted`: it believes ours."""
    def __init__(self, bench, present=NAME, mode=ssl.CERT_REQUIRED, most=None, trusted=True,
                 more=''):
        folder = bench.folder()
        theirs, _ = certificate(folder, 'there.lab')
        self.sink = Sink(bench, ('127.0.0.1', 0), theirs)
        self.sink.RequestHandlerClass, self.sink.ended = Impatient, 0
        self.server = bench.server()
        self.made = os.path.join(self.server.folder, 'certificates')
        os.mkdir(self.made)
        self.ours = with_key(self.made, NAME, 'ec', [NAME])
        self.another = with_key(self.made, ANOTHER, 'ec', [ANOTHER])
        give(self.server, self.made)
        self.ask(mode, most, NAME if trusted else None, theirs)
        self.more = (US + more + f'route there.lab=127.0.0.1:{self.sink.port}\n'
                     + f'certificates {self.made}\n')
        self.present(present)
        self.server.start()

    def present(self, name):
        self.server.configure(self.more + (f'client-certificate {name}' if name else ''))

    def ask(self, mode, most, believed, otherwise):
        context = self.sink.context
        context.load_verify_locations(os.path.join(self.made, believed + '.pem') if believed
                                      else otherwise)
        context.verify_mode = mode
        if most:
            context.maximum_version = most

    def comes(self):
        """One letter, inside TLS and once; what the sink was shown with it."""
        count = len(self.sink.letters) + 1
        hand_in(self.server, ['a@there.lab'])
        letters = came(self.sink, count)
        queue_is_empty(self.server)
        true(all(letter[3] for letter in letters), 'every letter inside TLS')
        equal(len(letters), count, 'letters, none of them twice')
        wait_until(lambda: self.sink.ended == self.sink.sessions, 'the connection to be over')
        return self.sink.shown[-1]


def who_asks_is_shown_ours(bench):
    for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        world = World(bench, most=most)
        true(world.comes() == world.ours, f'{most.name}: another certificate than ours')
        true('tls-failed' not in world.server.log(), world.server.log())


def none_is_shown_that_is_not_set(bench):
    world = World(bench, present=None, mode=ssl.CERT_OPTIONAL)
    equal(world.comes(), None, 'what was shown')


def none_is_shown_that_is_not_there(bench):
    """And the owner is told."""
    world = World(bench, present='third.example.org', mode=ssl.CERT_OPTIONAL)
    equal(world.comes(), None, 'what was shown')
    is_logged(world.server, 'event=no-client-certificate')


def a_reload_changes_it(bench):
    """On, to another, back, and off again: for all the sessions that could be gone on with."""
    world = World(bench, present=None, mode=ssl.CERT_OPTIONAL)
    world.sink.context.load_verify_locations(os.path.join(world.made, ANOTHER + '.pem'))
    equal(world.comes(), None, 'at first')
    for name, want in ((NAME, world.ours), (ANOTHER, world.another), (NAME, world.ours),
                       (None, None)):
        world.present(name)
        reload_well(world.server)
        wait_until(lambda want=want: world.comes() == want, f'{name} to be shown')


def who_refuses_ours_gets_the_letter(bench):
    """Without it, and inside TLS; nobody holds that against the server."""
    for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        world = World(bench, mode=ssl.CERT_OPTIONAL, most=most, trusted=False,
                      more='tls-policy there.lab=may\n')
        equal(world.comes(), None, 'what was shown in the end')
        is_logged(world.server, 'event=client-certificate-off')


def keys_that_do_not_sign_keep_no_letter(bench):
    """Stopped in the middle, and killed: the letter goes without, inside TLS."""
    world = World(bench, mode=ssl.CERT_OPTIONAL, more='tls-policy there.lab=may\n')
    true(world.comes() == world.ours, 'at first')
    world.server.stop()
    world.server.start()
    keys = world.server.roles()['keys']
    os.kill(keys, signal.SIGSTOP)
    try:
        equal(world.comes(), None, 'while keys is silent')
    finally:
        os.kill(keys, signal.SIGKILL)
    is_logged(world.server, 'event=client-certificate-off', 'did not sign')
    wait_until(lambda: world.server.roles().get('keys', keys) != keys, 'keys to be back')
    world.server.stop()
    world.server.start()
    true(world.comes() == world.ours, 'and again')


def to_postfix(bench):
    """It says in its log whether it was shown one."""
    port = free_port()
    folder = bench.folder()
    theirs, _ = certificate(folder, 'there.lab')
    settings = {'myhostname': 'there.lab', 'mydestination': 'there.lab',
                'local_recipient_maps': '', 'local_transport': 'discard',
                'smtpd_tls_security_level': 'may', 'smtpd_tls_ask_ccert': 'yes',
                'smtpd_tls_loglevel': '1', 'smtpd_tls_cert_file': theirs,
                'smtpd_tls_key_file': theirs}
    os.chmod(folder, 0o755)
    os.chmod(theirs, 0o644)
    postfix = bench.postfix(port, settings)
    world = World(bench, more=f'route postfix.lab=127.0.0.1:{port}\n')
    hand_in(world.server, ['a@postfix.lab'])
    wait_until(lambda: 'TLS connection established from' in postfix.log(), 'TLS with Postfix')
    true('Anonymous TLS connection' not in postfix.log(), postfix.log()[-2000:])
    true('Untrusted TLS connection' in postfix.log(), postfix.log()[-2000:])


if __name__ == '__main__':
    if shutil.which('openssl') is None:
        raise Skip('openssl is not here')
    main([who_asks_is_shown_ours, none_is_shown_that_is_not_set, none_is_shown_that_is_not_there,
          a_reload_changes_it, who_refuses_ours_gets_the_letter,
          keys_that_do_not_sign_keep_no_letter, to_postfix])
