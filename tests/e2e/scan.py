#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What testssl.sh, which looks for every known weakness of TLS, has to say of ours; and certbot's
deploy hook, with the environment that certbot gives it.

usage: scan.py POSTERN PACKAGES
"""
import json
import os
import shutil
import ssl
import subprocess
import sys

import harness
from harness import ROOT, Client, Skip, equal, true, wait_until
from tls import certificate, context, give, offered, starttls, with_certificates

# Protocols, ciphers by strength, defaults and certificates, forward secrecy, and those weaknesses
# that are asked of a mail server at all (CRIME, POODLE ... come with the ciphers).
SECTIONS = ['-p', '-s', '-f', '-S', '-H', '-I', '-R', '-C', '-Z', '-W', '-F', '-J', '-4']
# Below the same TLS engine only what differs is looked at once more.
FEWER = ['-p', '-f', '-S']
GRAVE = ('MEDIUM', 'HIGH', 'CRITICAL', 'FATAL')
# What cannot be otherwise on a machine of its own; each with its reason.
EXCUSED = {
    'cert_chain_of_trust': 'the certificate of the test is signed by itself',
    'cert_revocation': 'nobody revokes such a one: no CRL, no OCSP',
    'cert_crlDistributionPoints': 'the same',
    'cert_ocspURL': 'the same',
    'cert_trust': 'the name asked for is an address',
    'cert_caIssuers': 'it has no issuer but itself',
    'cert_expirationStatus': 'it is valid for two days',
    'cert_notAfter': 'the same',
    'OCSP_stapling': 'nothing to staple',
    'DNS_CAArecord': 'no DNS is asked',
}


def tester():
    for name in ('testssl', 'testssl.sh'):
        if shutil.which(name):
            return name
    raise Skip('testssl.sh is not installed')


def findings(bench, sections, *words):
    """What it found, each a dictionary."""
    out = os.path.join(bench.folder(), 'found.json')
    done = subprocess.run([tester(), '--quiet', '--color', '0', '--warnings', 'off', '--nodns',
                           'none', '--openssl', shutil.which('openssl') or 'openssl',
                           '--ip', '127.0.0.1', '--jsonfile', out, *sections, *words],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240,
                          check=False)
    true(os.path.exists(out), done.stdout[-2000:] + done.stderr[-2000:])
    with open(out, encoding='utf-8') as file:
        return json.load(file)


def excuse(name):
    """Why that finding says nothing of us, or None. Of several certificates they are numbered."""
    return EXCUSED.get(name.split(' ')[0].split('<')[0])


def judge(found, *wanted):
    true(len(found) > 30, f'{len(found)} findings: it did not get far')
    ids = {one['id'] for one in found}
    true({'TLS1_2', 'TLS1_3', 'SSLv3', *wanted} <= ids, f'looked at: {sorted(ids)}')
    by_id = {one['id']: one for one in found}
    for name in ('SSLv2', 'SSLv3', 'TLS1', 'TLS1_1'):
        true(by_id[name]['finding'].startswith('not offered'), by_id[name])
    for name in ('TLS1_2', 'TLS1_3'):
        true(by_id[name]['finding'].startswith('offered'), by_id[name])
    for one in found:
        if one['severity'] in GRAVE and excuse(one['id']):
            print(f"# excused: {one['id']}: {excuse(one['id'])}")
    equal([one for one in found if one['severity'] in GRAVE and not excuse(one['id'])], [],
          'findings above LOW')


def testssl_over_starttls(bench):
    server, _ = with_certificates(bench)
    judge(findings(bench, SECTIONS, '-t', 'smtp', f'127.0.0.1:{server.port}'),
          'heartbleed', 'CCS', 'secure_renego', 'FREAK', 'LOGJAM', 'RC4')


def testssl_over_implicit_tls(bench):
    server, _ = with_certificates(bench)
    port = harness.free_port()
    certificates = os.path.join(server.folder, 'certificates')
    server.stop()
    server.configure(f'certificates {certificates}',
                     listen=f'listen 127.0.0.1:{server.port} 127.0.0.1:{port} tls')
    offered(server.start())
    judge(findings(bench, FEWER, f'127.0.0.1:{port}'))


def certbots_hook(bench):
    """A lineage as certbot keeps it: links into an archive. The new certificate is served."""
    server = bench.server()
    served = os.path.join(server.folder, 'certificates')
    lineage = os.path.join(server.folder, 'live', 'mx.example.org')
    os.mkdir(served)
    before = certificate(served, 'mx.example.org', 'ec', ['mx.example.org'])
    give(server, served)
    server.configure(f'certificates {served}')
    offered(server.start())
    with starttls(server, 'mx.example.org') as client:
        true(client.socket.getpeercert(True) == before, 'the certificate of before')
    archive = os.path.join(server.folder, 'archive', 'mx.example.org')
    os.makedirs(archive)
    os.makedirs(lineage)
    renewed = certificate(archive, 'new', 'ec', ['mx.example.org'])
    for name, kept in (('fullchain.pem', 'new.pem'), ('privkey.pem', 'new.key')):
        os.symlink(os.path.join('../../archive/mx.example.org', kept), os.path.join(lineage, name))
    kept = Client(server.port)
    hook = os.path.join(ROOT, 'packaging', 'certbot-hook.sh')
    done = subprocess.run(['sh', hook, '-c', server.conf], capture_output=True, text=True,
                          timeout=60, check=False, env={
                              'PATH': os.environ['PATH'], 'RENEWED_LINEAGE': lineage,
                              'RENEWED_DOMAINS': 'mx.example.org', 'POSTERN': server.program,
                              'POSTERN_CERTIFICATES': served})
    equal(done.returncode, 0, done.stdout + done.stderr)

    def is_new():
        with starttls(server, 'mx.example.org') as client:
            return client.socket.getpeercert(True) == renewed

    wait_until(is_new, 'the renewed certificate')
    kept.command('NOOP', '250')
    kept.__exit__()
    equal(sorted(os.listdir(served)), ['mx.example.org.key', 'mx.example.org.pem'], 'files')
    equal(os.stat(os.path.join(served, 'mx.example.org.key')).st_mode & 0o077, 0, 'the key')
    made = context()
    made.check_hostname, made.verify_mode = True, ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=renewed)
    with starttls(server, 'mx.example.org', made) as client:
        client.command('NOOP', '250')
    # A lineage that is not whole changes nothing, and says so to certbot.
    os.unlink(os.path.join(lineage, 'fullchain.pem'))
    done = subprocess.run(['sh', hook, '-c', server.conf], capture_output=True, timeout=60,
                          check=False, env={
                              'PATH': os.environ['PATH'], 'RENEWED_LINEAGE': lineage,
                              'POSTERN': server.program, 'POSTERN_CERTIFICATES': served})
    true(done.returncode != 0, 'half a lineage')
    true(is_new(), 'and what was served is served')


if __name__ == '__main__':
    sys.exit(harness.main([testssl_over_starttls, testssl_over_implicit_tls, certbots_hook]))
