#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""postern key as a person uses it, with the program `openssl` as the judge of what it writes."""
import base64
import json
import os
import pty
import re
import select
import shutil
import subprocess
import time

import harness
from harness import equal, Skip, true

SHARED = os.environ.get('POSTERN_SHARED', '')
RIPEM = os.path.join(SHARED, 'vectors', 'ripem')
BLOCK = re.compile(r'-----BEGIN ([A-Z0-9 ]+)-----\n(.*?)-----END \1-----\n', re.S)


class Store:
    """A home folder with keys in it."""

    def __init__(self, bench, password='secret'):
        self.program, self.home = bench.program, bench.folder()
        self.folder = os.path.join(self.home, '.config', 'postern')
        self.password = self.file('password', password + '\n')

    def file(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, 'w' if isinstance(text, str) else 'wb') as file:
            file.write(text)
        return path

    def run(self, *words, text='', status=0):
        env = {**os.environ, 'HOME': self.home}
        env.pop('XDG_CONFIG_HOME', None)
        done = subprocess.run([self.program, 'key', *words], input=text, env=env, timeout=120,
                              capture_output=True, text=True, check=False)
        equal(done.returncode, status, f'status of key {" ".join(words)}: {done.stderr}')
        self.said = done.stderr
        return done.stdout

    def secret(self, *words, **more):
        return self.run(*words, '--password-file', self.password, **more)

    def make(self, name, *words):
        return self.secret('make', '--name', name, *words).strip()

    def list(self, *words):
        return json.loads(self.run('list', '--json', *words))['keys']


def openssl(*words, text='', status=0):
    if shutil.which('openssl') is None:
        raise Skip('no program openssl here')
    done = subprocess.run(['openssl', *words], input=text, timeout=120, capture_output=True,
                          text=True, check=False)
    if status is not None:
        equal(done.returncode, status, f'openssl {" ".join(words)}: {done.stderr}')
    return done.stdout


def field(message, name):
    """The octets of each field of that name of a privacy-enhanced message."""
    found = re.findall(rf'^{name}:\n((?: .*\n)+)', message, re.M)
    return [base64.b64decode(one) for one in found]


def as_pem(store, name, octets, kind):
    path = store.file(name + '.der', octets)
    pem = store.file(name, openssl(kind, '-inform', 'DER', '-in', path))
    return pem


def vectors():
    if not os.path.isdir(RIPEM):
        raise Skip('the vectors are not here')


def made_keys_are_what_openssl_reads(bench):
    """A key and its certificate of each profile: version, algorithm, size, both halves."""
    rows = [('modern', '2048', 'Version: 3', 'sha256WithRSAEncryption'),
            ('rfc1423', '1024', 'Version: 1', 'md5WithRSAEncryption'),
            ('ripem12', '512', 'Version: 1', 'md2WithRSAEncryption'),
            ('ripem3', '1024', 'Version: 1', 'md5WithRSAEncryption')]
    for profile, bits, version, algorithm in rows:
        store = Store(bench)
        digest = store.make('alice@a.example', '--profile', profile, '--bits', bits)
        pem = store.file('cert.pem', store.run('export', 'alice@a.example'))
        shown = openssl('x509', '-in', pem, '-noout', '-text')
        true(version in shown and algorithm in shown and f'({bits} bit)' in shown, shown)
        key = store.file('key.pem', store.secret('export', digest, '--private'))
        halves = [openssl('pkey', '-in', key, '-passin', 'pass:secret', '-pubout'),
                  openssl('x509', '-in', pem, '-noout', '-pubkey')]
        numbers = [openssl('rsa', '-pubin', '-noout', '-modulus', text=one) for one in halves]
        equal(numbers[0], numbers[1], 'the halves')
        raw = os.path.join(store.folder, f'{digest[:16]}.key')
        true('Modulus' in openssl('rsa', '-in', raw, '-passin', 'pass:secret', '-noout',
                                  '-modulus'), 'our file is one that openssl reads')
        openssl('pkey', '-in', raw, '-passin', 'pass:wrong', '-noout', status=1)
        if profile == 'modern':
            openssl('verify', '-check_ss_sig', '-CAfile', pem, pem)
            true('alice@a.example' in openssl('x509', '-in', pem, '-noout', '-email'), 'mailbox')


def weak_only_by_name(bench):
    store = Store(bench)
    store.secret('make', '--name', 'a@a.example', '--bits', '1024', status=64)
    true('2048' in store.said, store.said)
    store.secret('make', '--name', 'a@a.example', '--bits', '2048', '--profile', 'ripem12',
                 status=64)
    store.secret('make', '--name', 'a@a.example', '--dn', 'nonsense', status=64)
    store.run('make', '--name', 'a@a.example', '--password-file', os.devnull, status=64)
    equal(store.run('list'), '', 'nothing was made')


def ripem_keys_come_in(bench):
    """RIPEM's private key, its certificates and lists; then out again in RIPEM's form."""
    vectors()
    store = Store(bench)
    home = os.path.join(RIPEM, 'gen3')
    old = store.file('old', 'pw-bob\n')
    wrong = store.file('wrong', 'pw-alice\n')
    store.run('import', f'{home}/home-bob/privkey', '--password-file', wrong, status=65)
    store.run('import', f'{home}/home-bob/privkey', '--password-file', old,
              '--new-password-file', store.password)
    true('8 cert' in store.run('import', f'{home}/home-carol/pubkeys'), 'certificates')
    true('3 lists' in store.run('import', f'{home}/home-carol/crls'), 'lists')
    bob = store.list('bob@bob.example')[0]
    true(bob['private'], 'his private key')
    equal(bob['certificates'][0]['status'], 'REVOKED', 'his certificate')
    clear = openssl('rsa', '-in', f'{home}/bob.pkcs8.pem', '-noout', '-modulus')
    mine = store.file('mine', store.secret('export', 'bob@bob.example', '--private'))
    equal(openssl('rsa', '-in', mine, '-passin', 'pass:secret', '-noout', '-modulus'), clear,
          'the same key')
    for form in ('ripem12', 'ripem3'):
        other = Store(bench, 'another')
        out = store.secret('export', 'bob@bob.example', '--private', '--form', form)
        true('EncryptedPrivateKeyInfo:' in out, out)
        path = other.file('privkey', out)
        other.run('import', path, '--password-file', store.password, '--new-password-file',
                  other.password)
        public = other.file('pubkeys', store.run('export', 'bob@bob.example', '--form', form))
        other.run('import', public)
        equal(other.list('bob@bob.example')[0]['key'], bob['key'], form)


def openssl_keys_come_in(bench):
    """PKCS #8 sealed in the ways that openssl knows, PKCS #1, SPKI, certificates, DER."""
    store = Store(bench)
    key = os.path.join(store.home, 'k')
    openssl('genrsa', '-out', key, '2048')
    for words in (['-scrypt'], ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512'],
                  ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA1'], ['-v2', 'des3']):
        sealed = store.file('sealed', openssl('pkcs8', '-topk8', '-in', key, '-passout',
                                              'pass:secret', *words))
        true('1 private' in store.secret('import', sealed, '--name', 'me@a.example'), str(words))
    for words in ([], ['-traditional']):
        clear = store.file('clear', openssl('rsa', '-in', key, *words))
        true('1 private' in store.secret('import', clear), str(words))
    equal(len(store.list()), 1, 'one key, however wrapped')
    cert = os.path.join(store.home, 'cert')
    openssl('req', '-x509', '-new', '-key', key, '-subj', '/C=DE/O=Firm/CN=me@a.example', '-days',
            '9', '-out', cert)
    store.run('import', cert)
    der = os.path.join(store.home, 'cert.der')
    openssl('x509', '-in', cert, '-outform', 'DER', '-out', der)
    store.run('import', der)
    only = store.list('me@a.example')[0]
    equal(len(only['certificates']), 1, 'one certificate')
    equal(only['certificates'][0]['subject'], 'CN = me@a.example, O = Firm, C = DE', 'subject')
    fetched = openssl('x509', '-in', store.file('out', store.run('export', 'me@a.example')),
                      '-noout', '-fingerprint')
    equal(fetched, openssl('x509', '-in', cert, '-noout', '-fingerprint'), 'the very certificate')


def broken_files_are_named(bench):
    store = Store(bench)
    for text, why in (('nothing\n', 'no key'), ('-----BEGIN CERTIFICATE-----\nMAA=\n', 'line 1'),
                      ('\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
                       'line 2')):
        store.run('import', '-', text=text, status=65)
        true(why in store.said, store.said)
    store.run('import', os.path.join(store.home, 'absent'), status=66)
    store.run('list', 'nobody', status=1)
    store.run('frobnicate', status=64)
    store.make('a@a.example', '--bits', '2048')
    store.file('.config/postern/bad.crt', '-----BEGIN CERTIFICATE-----\n!\n')
    store.file('.config/postern/trust', 'whom?\n')
    equal(len(store.list()), 1, 'the others are read')
    true('bad.crt' in store.said and 'trust' in store.said, store.said)


def a_hierarchy(bench):
    """RFC 1424: asked, issued, revoked, retrieved; openssl checks the chain and the list."""
    ca, user, other = Store(bench), Store(bench), Store(bench)
    ca.make('ca@firm.example', '--authority', '--bits', '2048', '--dn', 'O=Firm, C=DE')
    user.make('u@firm.example', '--bits', '2048', '--dn', 'CN=u@firm.example, O=Firm, C=DE')
    request = ca.file('request', user.secret('request', 'u@firm.example'))
    letter = ca.file('letter', 'From: u@firm.example\nReply-To: u2@firm.example\n\n'
                     + open(request, encoding='utf-8').read())
    reply = ca.secret('issue', letter, '--by', 'ca@firm.example', '--days', '5')
    true(reply.startswith('To: u2@firm.example\n'), reply[:100])
    asked = open(request, encoding='utf-8').read()
    equal(reply[reply.index('MIC-Info'):], asked[asked.index('MIC-Info'):], 'MIC and text')
    leaf = as_pem(ca, 'leaf', field(reply, 'Originator-Certificate')[0], 'x509')
    top = as_pem(ca, 'top', field(reply, 'Issuer-Certificate')[0], 'x509')
    openssl('verify', '-x509_strict', '-CAfile', top, leaf, status=None)
    openssl('verify', '-CAfile', top, leaf)
    other.run('import', other.file('reply', reply))
    status = lambda *words: [one['status'] for one in
                             other.list('u@firm.example', *words)[0]['certificates']]
    equal(status(), ['UNVALIDATED'], 'nobody is trusted yet')
    digest = ca.list('ca@firm.example')[0]['key']
    other.run('trust', digest, '--depth', '1')
    equal(status('--strict'), ['REVOCATION UNKNOWN'], 'trusted, no list yet')
    other.run('crl', other.file('list', ca.secret('crl', '--by', 'ca@firm.example')))
    equal(status(), ['VALID'], 'with a list')
    time.sleep(1.1)
    message = ca.secret('revoke', 'u@firm.example', '--by', 'ca@firm.example')
    crl = as_pem(ca, 'crl', field(message, 'CRL')[0], 'crl')
    true('Revoked Certificates:' in openssl('crl', '-in', crl, '-noout', '-text'), 'the list')
    openssl('crl', '-in', crl, '-noout', '-CAfile', top)
    openssl('verify', '-crl_check', '-CAfile', top, '-CRLfile', crl, leaf, status=2)
    ask = ca.file('ask', other.run('crl', '--ask', digest))
    answer = ca.run('crl', '--answer', ask)
    equal(field(answer, 'CRL'), field(message, 'CRL'), 'the newest list')
    other.run('crl', other.file('answer', answer))
    equal(status(), ['REVOKED'], 'after the list')
    other.run('trust', digest, '--not')
    equal(status(), ['REVOKED'], 'revoked is revoked')


def an_authority_may_be_bounded(bench):
    """RFC 5280, 4.2.1.9: an authority of pathlen 0 certifies people, and no other authority."""
    store = Store(bench)
    path = lambda name: os.path.join(store.home, name)
    below = {'top': 'basicConstraints=critical,CA:TRUE',
             'mid': 'basicConstraints=critical,CA:TRUE,pathlen:0',
             'sub': 'basicConstraints=critical,CA:TRUE', 'near': 'keyUsage=digitalSignature',
             'far': 'keyUsage=digitalSignature'}
    for name, issuer in (('top', 'top'), ('mid', 'top'), ('near', 'mid'), ('sub', 'mid'),
                         ('far', 'sub')):
        store.file('ext', below[name] + '\n')
        openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', path(name + '.key'),
                '-out', path('csr'), '-subj', f'/CN={name}@x.example')
        sign = (['-signkey', path('top.key')] if name == 'top' else
                ['-CA', path(issuer), '-CAkey', path(issuer + '.key'), '-CAcreateserial'])
        openssl('x509', '-req', '-in', path('csr'), *sign, '-days', '9', '-extfile', path('ext'),
                '-out', path(name))
        store.run('import', path(name))
    store.run('trust', 'top@x.example', '--depth', '9')
    status = lambda name: store.list(f'{name}@x.example')[0]['certificates'][0]['status']
    equal(status('near'), 'REVOCATION UNKNOWN', 'a person below the bounded authority')
    equal(status('far'), 'UNVALIDATED', 'a person below an authority that it may not have made')


def forged_requests_are_refused(bench):
    ca, user = Store(bench), Store(bench)
    ca.make('ca@firm.example', '--authority', '--bits', '2048')
    user.make('u@firm.example', '--bits', '2048')
    clear = user.secret('request', 'u@firm.example', '--clear')
    for text in (clear.replace('Please', 'Pleaze'), clear.replace('MIC-CLEAR', 'MIC-ONLY'),
                 clear.replace('\nOriginator-Certificate:\n M', '\nOriginator-Certificate:\n N'),
                 'hello\n', ''):
        equal(refused(ca, text), '', 'nothing is issued')
    true('MIC-CLEAR' in ca.secret('issue', ca.file('good', clear), '--by', 'ca@firm.example'),
         'the same type comes back')
    user.secret('issue', user.file('good', clear), '--by', 'u@firm.example', status=77)
    user.secret('crl', '--by', 'u@firm.example', status=77)


def refused(ca, text):
    done = subprocess.run([ca.program, 'key', 'issue', ca.file('bad', text), '--by',
                           'ca@firm.example', '--password-file', ca.password],
                          env={**os.environ, 'HOME': ca.home}, capture_output=True, text=True,
                          timeout=60, check=False)
    true(done.returncode in (65, 77) and done.stderr, f'{done.returncode} {done.stderr}')
    return done.stdout


def ripem_requests_are_answered(bench):
    """A certification request that RIPEM 3.0 made."""
    vectors()
    ca = Store(bench)
    ca.make('top@firm.example', '--authority', '--profile', 'ripem3')
    reply = ca.secret('issue', os.path.join(RIPEM, 'gen3', 'ca-certreq.pem'), '--by',
                      'top@firm.example', '--profile', 'ripem3')
    shown = openssl('x509', '-noout', '-text', '-in',
                    as_pem(ca, 'leaf', field(reply, 'Originator-Certificate')[0], 'x509'))
    true('ca@ca.example' in shown and 'Version: 1' in shown and 'md5With' in shown, shown)


def lists_are_kept_only_when_signed(bench):
    vectors()
    store = Store(bench)
    message = os.path.join(RIPEM, 'gen3', 'ca-crl-empty.pem')
    store.run('crl', message, status=77)
    store.run('import', message)
    digest = store.list()[0]['key']
    store.run('trust', digest, '--depth', '1')
    store.run('crl', message)
    text = open(message, encoding='utf-8').read().replace('Yj0A7IYam', 'Yj0A7IYaM')
    store.run('crl', store.file('bad', text), status=77)


def a_terminal_is_asked_without_echo(bench):
    """The pass phrase is asked for twice, and never shown."""
    store = Store(bench)
    pid, fd = pty.fork()
    if pid == 0:
        os.environ['HOME'] = store.home
        os.execv(store.program, [store.program, 'key', 'make', '--name', 'a@a.example', '--bits',
                                 '2048'])
    said, answers = b'', [b'hidden words\n', b'hidden words\n']
    while select.select([fd], [], [], 60)[0]:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
        if answers and said.count(b': ') > 2 - len(answers):
            os.write(fd, answers.pop(0))
    os.close(fd)
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, said)
    true(b'hidden' not in said, said)
    store.run('export', 'a@a.example', '--private', '--password-file',
              store.file('typed', 'hidden words\n'))
    store.secret('export', 'a@a.example', '--private', status=77)


def files_are_for_their_owner(bench):
    store = Store(bench)
    store.make('a@a.example', '--bits', '2048')
    equal(os.stat(store.folder).st_mode & 0o777, 0o700, 'folder')
    for name in os.listdir(store.folder):
        equal(os.stat(os.path.join(store.folder, name)).st_mode & 0o777, 0o600, name)
    os.chmod(store.folder, 0o777)
    store.run('list')
    true('others may write' in store.said, store.said)


def a_name_that_two_keys_have_is_not_enough(bench):
    """SEAL: whoever sends a certificate with another's name is not trusted in his place."""
    store, other = Store(bench), Store(bench)
    first = store.make('a@a.example', '--bits', '2048')
    other.make('a@a.example', '--bits', '2048')
    store.run('import', store.file('cert', other.run('export', 'a@a.example')))
    for words in (['trust', 'a@a.example'], ['export', 'a@a.example']):
        store.run(*words, status=66)
        true('more than one key' in store.said, store.said)
    store.run('trust', first[:16])
    equal(len(store.list('a@a.example')), 2, 'both are shown')


def hostile_names_stay_text(bench):
    """SEAL: what a certificate says of itself is shown escaped, and makes no line of our files."""
    store = Store(bench)
    key = os.path.join(store.home, 'k')
    cert = os.path.join(store.home, 'c')
    openssl('genrsa', '-out', key, '2048')
    openssl('req', '-x509', '-new', '-utf8', '-key', key, '-out', cert, '-days', '9', '-subj',
            '/CN=a@a.example\n-----BEGIN CERTIFICATE-----\x1b[2J/O=x, CN=boss@a.example')
    store.run('import', cert)
    shown = store.run('list')
    true('\x1b' not in shown and '\\x1b' in shown.lower(), shown)
    equal(len(store.list()), 1, 'one key')
    true('CN\\\\=boss' in shown or 'CN\\=boss' in shown, shown)


if __name__ == '__main__':
    harness.main([
        made_keys_are_what_openssl_reads, weak_only_by_name, ripem_keys_come_in,
        openssl_keys_come_in, broken_files_are_named, a_hierarchy,
        an_authority_may_be_bounded, forged_requests_are_refused,
        ripem_requests_are_answered, lists_are_kept_only_when_signed,
        a_terminal_is_asked_without_echo, files_are_for_their_owner,
        a_name_that_two_keys_have_is_not_enough, hostile_names_stay_text])
