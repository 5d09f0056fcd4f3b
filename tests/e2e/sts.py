#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What fetches policies, before web servers that lie, tarry, and flood.

usage: sts.py POSTERN PACKAGES [TEST...]; fetch-ask stands in the build's tests/e2e
"""
import gzip
import os
import subprocess
import sys
import threading

import harness
from harness import equal, true
from webserver import Authority, Server

ASK = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), 'tests/e2e/fetch-ask')
HOST = 'mta-sts.secure.lab'
POLICY = b'version: STSv1\nmode: enforce\nmx: mx.secure.lab\nmax_age: 86400\n'
MOST = 60 * 1024

GIVEN_UP = 'given up'
UNTRUSTED = 'no authority vouches for its host; 0; 0'
GARBLED = 'what came is no whole answer of HTTP'
TOO_LONG = 'it is longer than is taken'
WRONG_TYPE = 'it is not of the type asked for'


def answer(body, *fields, status='200 OK', length=None):
    lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body) if length is None else length}',
             'Content-Type: text/plain', *fields]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def fetch(authority, server, seconds=20, host=HOST, env=None):
    done = subprocess.run([ASK, authority.file, str(seconds),
                           f'https://{host}:{server.port}/.well-known/mta-sts.txt', '127.0.0.1'],
                          capture_output=True, text=True, timeout=120, check=True, env=env)
    return done.stdout.strip()


def one(bench, say, **how):
    """How it goes to fetch from a server with a good certificate that says this."""
    authority = Authority(bench.folder())
    server = Server(authority.issue(HOST), say if callable(say) else lambda to: to.sendall(say))
    bench.running.append(server)
    return fetch(authority, server, **how)


def a_policy_is_fetched(bench):
    authority = Authority(bench.folder())
    server = Server(authority.issue(HOST), lambda to: to.sendall(answer(POLICY)))
    bench.running.append(server)
    equal(fetch(authority, server), f'fetched; 200; {len(POLICY)}', 'the result')
    method, path, head, _ = server.asked[0]
    equal((method, path), ('GET', '/.well-known/mta-sts.txt'), 'what was asked')
    true(b'accept-encoding' not in head.lower(), 'no coding is asked for')


def a_proxy_of_the_environment_is_not_asked(bench):
    env = dict(os.environ, https_proxy='http://127.0.0.1:9', HTTPS_PROXY='http://127.0.0.1:9',
               ALL_PROXY='socks5://127.0.0.1:9')
    equal(one(bench, answer(POLICY), env=env), f'fetched; 200; {len(POLICY)}', 'the result')


def bodies_have_a_bound(bench):
    """STS-002: 60 KiB and no more, however it comes."""
    whole = POLICY + b'x' * (MOST - len(POLICY))
    equal(one(bench, answer(whole)), f'fetched; 200; {MOST}', 'as much as may be')
    equal(one(bench, answer(whole + b'x')), TOO_LONG + '; 200; 0', 'an octet more')

    def endless(to):
        to.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                   b'Content-Length: 10737418240\r\n\r\n')
        for _ in range(10240):              # 10 GB if it is let
            to.sendall(b'x' * 1024 * 1024)
    equal(one(bench, endless), TOO_LONG + '; 200; 0', 'ten gigabytes')

    def chunks(to):
        to.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                   b'Transfer-Encoding: chunked\r\n\r\n')
        for _ in range(1000000):
            to.sendall(b'1\r\nx\r\n' * 1024)
    equal(one(bench, chunks), TOO_LONG + '; 200; 0', 'chunks of one octet')


def codings_are_refused(bench):
    """STS-002: a bomb is not unpacked."""
    bomb = gzip.compress(b'0' * 10000000)
    equal(one(bench, answer(bomb, 'Content-Encoding: gzip')), WRONG_TYPE + '; 200; 0', 'gzip')
    true(one(bench, b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                    b'Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n' % len(bomb) + bomb
                    + b'\r\n0\r\n\r\n').split(';')[0] != 'fetched', 'a transfer coding')


def lengths_that_lie_are_no_policy(bench):
    """STS-002"""
    equal(one(bench, answer(POLICY, length=len(POLICY) + 10)), GARBLED + '; 200; 0', 'cut short')
    equal(one(bench, answer(POLICY, length=-5)).split(';')[0], GARBLED, 'a negative length')
    equal(one(bench, b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                     b'Transfer-Encoding: chunked\r\n\r\n'
                     b'ffffffffffffffffffff\r\nx\r\n').split(';')[0], GARBLED, 'a vast chunk')
    equal(one(bench, b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                     b'Transfer-Encoding: chunked\r\n\r\nxyz\r\nx\r\n').split(';')[0], GARBLED,
          'a chunk of no size')


def slow_servers_are_given_up(bench):
    """STS-002: nothing of what was sent so far is taken."""
    ends = threading.Event()

    def drop_by_drop(to):
        to.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n')
        while not ends.wait(1):
            to.sendall(b'x')
    equal(one(bench, lambda to: ends.wait(60), seconds=3), GIVEN_UP, 'silence')
    equal(one(bench, drop_by_drop, seconds=3), GIVEN_UP, 'an octet a second')
    ends.set()


def redirections_are_not_followed(bench):
    """STS-003"""
    other = Server(Authority(bench.folder()).issue(HOST), lambda to: to.sendall(answer(POLICY)))
    bench.running.append(other)
    places = [f'https://{HOST}:{other.port}/', 'http://secure.lab/', 'https://127.0.0.1/',
              'https://169.254.169.254/latest', 'file:///etc/passwd', 'gopher://127.0.0.1:25/x']
    for i, place in enumerate(places):
        status = ['301 Moved', '302 Found', '307 Temporary', '308 Permanent'][i % 4]
        equal(one(bench, answer(POLICY, f'Location: {place}', status=status)),
              f'the server has another answer than 200; {status[:3]}; 0', place)
    equal(other.asked, [], 'what the other place was asked')


def other_answers_are_no_policy(bench):
    for status in ('404 Not Found', '500 Oh', '204 No Content', '206 Partial Content'):
        body = b'' if status[0:3] == '204' else POLICY
        equal(one(bench, answer(body, status=status)),
              f'the server has another answer than 200; {status[:3]}; 0', status)
    html = answer(POLICY).replace(b'text/plain', b'text/html')
    equal(one(bench, html), WRONG_TYPE + '; 200; 0', 'HTML')


def certificates_must_name_the_host(bench):
    """STS-004"""
    authority = Authority(bench.folder())
    stranger = Authority(bench.folder())
    rows = [('another name', authority.issue('mta-sts.other.lab')),
            ('expired', authority.issue(HOST, expired=True)),
            ('the name in its subject only', authority.issue(subject=HOST)),
            ('the domain, not the host', authority.issue('secure.lab')),
            ('an authority nobody knows', stranger.issue(HOST))]
    for what, pair in rows:
        server = Server(pair, lambda to: to.sendall(answer(POLICY)))
        bench.running.append(server)
        equal(fetch(authority, server), UNTRUSTED, what)
        equal(server.asked, [], f'{what}: what it was asked')
    server = Server(authority.issue('*.secure.lab'), lambda to: to.sendall(answer(POLICY)))
    bench.running.append(server)
    equal(fetch(authority, server), f'fetched; 200; {len(POLICY)}', 'a wildcard')
    server = Server(authority.issue(HOST), lambda to: to.sendall(answer(POLICY)), most='TLSv1_1')
    bench.running.append(server)
    equal(fetch(authority, server), 'TLS with its host failed; 0; 0', 'TLS 1.1')


def headers_have_a_bound(bench):
    """STS-010"""
    def many(to):
        to.sendall(b'HTTP/1.1 200 OK\r\n')
        for _ in range(1000):
            to.sendall(b'X: y\r\n' * 100)
        to.sendall(b'\r\n')
    equal(one(bench, many).split(';')[0], TOO_LONG, '100,000 fields')
    long = b'HTTP/1.1 200 OK\r\nX: ' + b'y' * 1000000 + b'\r\n\r\n'
    true(one(bench, long).split(';')[0] in (TOO_LONG, GARBLED, 'too much is being fetched'),
         'a field of a megabyte')
    hints = b'HTTP/1.1 100 Continue\r\n\r\n' * 100000
    equal(one(bench, hints).split(';')[0], TOO_LONG, '100,000 answers that are none')
    equal(one(bench, POLICY).split(';')[0], GARBLED, 'HTTP/0.9')
    equal(one(bench, b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').split(';')[0], GARBLED,
          'a preface of HTTP/2')


if __name__ == '__main__':
    harness.main([a_policy_is_fetched, a_proxy_of_the_environment_is_not_asked, bodies_have_a_bound,
                  codings_are_refused, lengths_that_lie_are_no_policy, slow_servers_are_given_up,
                  redirections_are_not_followed, other_answers_are_no_policy,
                  certificates_must_name_the_host, headers_have_a_bound])
