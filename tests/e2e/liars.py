#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The resolver and servers of the DNS that lie, garble and tarry: whatever comes, an answer is the
true one or none, "there is none" is said only by who may say it, and each question has its end.

usage: liars.py POSTERN PACKAGES [TEST...]; resolve-ask stands in the build's tests/e2e
"""
import concurrent.futures
import hashlib
import os
import random
import signal
import smtplib
import struct
import subprocess
import sys

import dane
from dnslab import Lab
from dnsliar import (A, ANSWER, AUTHENTIC, CNAME, DNAME, DNSKEY, MX, NSEC3, OPT, RRSIG, TRUNCATED,
                     Liar, ask_truth, framed, hands_on, random_octets, record, sections, wire)
from harness import equal, true, wait_until

ASK = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), 'tests/e2e/resolve-ask')
TRUE, FALSE = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 66])


def ask(server, *questions, anchor='/dev/null'):
    done = subprocess.run([ASK, server, anchor, *questions], capture_output=True, text=True,
                          timeout=300, check=True)
    return done.stdout.splitlines()


def truth(query):
    return query.reply(record(query.name, A, TRUE))


def lie(query, **more):
    """Two addresses, where the truth is one."""
    return query.reply(record(query.name, A, FALSE), record(query.name, A, FALSE[:3] + b'\x67'),
                       **more)


def each(bench, rows):
    """rows: {what: (say, what may come of it)}; all at the same time."""
    def one(row):
        what, (say, wanted) = row
        liar = Liar(say)
        try:
            got = ask(liar.address, 'A', 'x.lab')
        finally:
            liar.stop()
        return '' if got[0] in wanted else f'{what}: {got}'
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        equal([why for why in pool.map(one, rows.items()) if why], [], 'what went wrong')


RIGHT, NONE = 'insecure 1 -', 'failed 0 -'


def forged_answers_are_not_taken(bench):
    """DNS-001, DNS-002: before the true answer comes a false one, or all those that can be
    guessed."""
    def turned(query):
        return bytes([query.id[0] ^ 0x55, query.id[1]])

    def flood(query):
        own = struct.unpack('>H', query.id)[0]
        return [lie(query, number=struct.pack('>H', n)) for n in range(65536) if n != own] \
            + [truth(query)]
    each(bench, {
        'another id': (lambda q: [lie(q, number=turned(q)), truth(q)], [RIGHT]),
        'another port': (lambda q: [(lie(q), False), truth(q)], [RIGHT]),
        'another question': (lambda q: [lie(q, question=wire('y.lab') + b'\0\1\0\1'), truth(q)],
                             [RIGHT, NONE]),
        'another type': (lambda q: [lie(q, question=wire('x.lab') + b'\0\x0f\0\1'), truth(q)],
                         [RIGHT, NONE]),
        'a question': (lambda q: [lie(q, flags=0x0100), truth(q)], [RIGHT, NONE]),
        'a flood': (flood, [RIGHT, NONE]),
    })


def garbled_answers_are_none(bench):
    """DNS-004, DNS-007, DNS-008"""
    owner = struct.pack('>HHIH', A, 1, 300, 4) + TRUE
    chain = b''.join(struct.pack('>H', 0xC000 | (12 + 9 + 2 * (i + 1))) for i in range(127))
    option = struct.pack('>HH', 65001, 4) + b'abcd'

    def opt(options):
        return b'\0' + struct.pack('>HHIH', OPT, 4096, 0, len(options)) + options
    each(bench, {
        'a pointer to itself': (lambda q: [q.reply(
            struct.pack('>H', 0xC000 | (12 + len(q.question))) + owner)], [NONE]),
        'two that point at each other': (lambda q: [q.reply(
            struct.pack('>HH', 0xC000 | (14 + len(q.question)), 0xC000 | (12 + len(q.question)))
            + owner)], [NONE]),
        'a pointer forward': (lambda q: [q.reply(
            struct.pack('>H', 0xC000 | (40 + len(q.question))) + owner, behind=wire('x.lab'))],
                              [NONE]),
        'a pointer past the end': (lambda q: [q.reply(b'\xff\xff' + owner)], [NONE]),
        'a chain of 127': (lambda q: [q.reply(chain + owner)], [NONE]),
        'data past the end': (lambda q: [q.reply(
            wire('x.lab') + struct.pack('>HHIH', A, 1, 300, 4000) + TRUE)], [NONE]),
        '65,535 records in one': (lambda q: [q.reply(record('x.lab', A, TRUE),
                                                     counts=(65535, 0, 0))], [NONE]),
        'rubbish behind it': (lambda q: [q.reply(record('x.lab', A, TRUE), behind=b'x' * 300)],
                              [NONE, RIGHT]),
        # as a record, which is no address then (core/dns/answer_test.c)
        'an address of three octets': (lambda q: [q.reply(record('x.lab', A, TRUE[:3]))],
                                       [NONE, RIGHT]),
        'two OPT records': (lambda q: [q.reply(record('x.lab', A, TRUE), opt(b''), opt(b''),
                                               counts=(1, 0, 2))], [NONE, RIGHT]),
        '5,000 options': (lambda q: [q.reply(record('x.lab', A, TRUE), opt(option * 5000),
                                             counts=(1, 0, 1))], [NONE, RIGHT]),
        'an option past the end': (lambda q: [q.reply(
            record('x.lab', A, TRUE), opt(struct.pack('>HH', 65001, 4000)), counts=(1, 0, 1))],
                                   [NONE, RIGHT]),
        'twelve octets': (lambda q: [q.reply()[:12]], [NONE]),
        'nothing': (lambda q: [b''], [NONE]),
    })


def a_cut_answer_is_no_denial(bench):
    """DNS-003, DNS-032: TC=1, and then TCP has its ways."""
    def cut(by_tcp):
        return lambda q: by_tcp(q) if q.tcp else [q.reply(flags=TRUNCATED)]

    def octets(query):
        return [bytes([octet]) for octet in framed(truth(query))]
    each(bench, {
        'TCP is reset': (cut(lambda q: [b'']), [NONE]),
        'TCP says no length': (cut(lambda q: [b'\0\0']), [NONE]),
        'TCP says a length and stalls': (cut(lambda q: [b'\xff\xff' + truth(q)]), [NONE]),
        'TCP says a part': (cut(lambda q: [framed(truth(q))[:-3], b'']), [NONE]),
        'TCP says it an octet at a time': (cut(octets), [RIGHT]),
        'TCP says it twice at once': (cut(lambda q: [framed(truth(q)) * 2]), [RIGHT]),
        'TCP says another\'s first': (cut(lambda q: [framed(lie(q, number=b'\1\2'))
                                                     + framed(truth(q))]), [RIGHT, NONE]),
        'TC=1 by TCP too': (cut(lambda q: [framed(q.reply(flags=TRUNCATED))]), [NONE]),
    })


def aliases_have_an_end(bench):
    """DNS-009"""
    def chain(most):
        def say(query):
            n = 0 if query.name == 'x.lab' else int(query.name.split('.')[0][1:])
            if n == most:
                return [truth(query)]
            return [query.reply(record(query.name, CNAME, wire(f'n{n + 1}.lab')))]
        return say

    def loop(query):
        other = 'y.lab' if query.name == 'x.lab' else 'x.lab'
        return [query.reply(record(query.name, CNAME, wire(other)))]

    def dname(query):
        return [query.reply(record('lab', DNAME, wire('a.lab')))]
    each(bench, {
        'two that lead to each other': (loop, [NONE]),
        'one that leads to itself': (lambda q: [q.reply(record(q.name, CNAME, wire(q.name)))],
                                     [NONE]),
        'a chain of 5': (chain(5), ['insecure 1 n5.lab']),
        'a chain of 100': (chain(100), [NONE]),
        'DNAME without end': (dname, [NONE, 'nodata 0 -']),    # whose zone it is may say so
        'an alias beside an address': (
            lambda q: [q.reply(record('x.lab', CNAME, wire('y.lab')), record('x.lab', A, TRUE))]
            if q.name == 'x.lab' else [truth(q)], [NONE, RIGHT, 'insecure 1 y.lab']),
    })


def a_stranger_is_not_believed(bench):
    """DNS-023, DNS-024, DNS-026: the AD bit, lives without end, what was not asked for."""
    each(bench, {
        'AD': (lambda q: [q.reply(record('x.lab', A, TRUE), flags=AUTHENTIC)], [RIGHT]),
        'AD without records': (lambda q: [q.reply(flags=AUTHENTIC)], ['nodata 0 -', NONE]),
        'AD and NXDOMAIN': (lambda q: [q.reply(flags=AUTHENTIC | 3)], ['nxdomain 0 -', NONE]),
    })

    def poisons(query):
        if query.kind != MX:
            return [query.reply(flags=ANSWER | 3)]
        poison = record('mx.other.lab', A, FALSE)
        return [query.reply(record(query.name, MX, b'\0\1' + wire('mx.other.lab')), poison, poison,
                            counts=(1, 1, 1))]
    liar = Liar(poisons)
    bench.running.append(liar)
    equal(ask(liar.address, 'MX', 'x.lab', 'WAIT', '-', 'A', 'mx.other.lab'),
          ['insecure 1 -', 'nxdomain 0 -'], 'what came beside the answer')
    for ttl, most in ((0, 0), (0x7FFFFFFF, 86400), (0x80000000, 0), (0xFFFFFFFF, 0)):
        liar = Liar(lambda q, ttl=ttl: [q.reply(record('x.lab', A, TRUE, ttl))])
        said = ask(liar.address, 'TTL', '-', 'A', 'x.lab')[0].split()
        liar.stop()
        equal(said[:2], ['insecure', '1'], f'{ttl}: the answer')
        true(int(said[3]) <= max(most, 86400), f'{ttl}: {said[3]} s')


def denials_of_others_prove_nothing(bench):
    """DNS-020, DNS-021, DNS-022: NSEC3 with many rounds, opt-out, and proofs from elsewhere."""
    lab = Lab(bench.folder())
    bench.running.append(lab)
    records = 'mx A 192.0.2.1\n@ MX 10 mx\n_25._tcp.mx TLSA 3 1 1 ' + 'ab' * 32
    lab.zone('one.lab', records)
    lab.zone('two.lab', 'mx A 192.0.2.1')
    for rounds in (150, 500, 2500):
        lab.zone(f'n{rounds}.lab', records, rounds=rounds)
    lab.zone('opt.lab', f'mx A 192.0.2.1\nsub NS ns.sub\nns.sub A {lab.ip}', opt_out=True)
    lab.start()
    said = ask(lab.address, 'A', 'no.n500.lab', 'A', 'no.n2500.lab', 'A', 'no.n150.lab',
               'A', 'no.one.lab', anchor=lab.anchor)
    true(all(one in ('nxdomain 0 -', 'bogus 0 -', NONE) for one in said[:2]), f'rounds: {said}')
    true(said[2] in ('nxdomain 0 -', 'nxdomain-proved 0 -', 'bogus 0 -'), f'150 rounds: {said[2]}')
    equal(said[3], 'nxdomain-proved 0 -', 'one round')
    equal(ask(lab.address, 'A', 'mx.opt.lab', 'TLSA', '_25._tcp.mx.opt.lab', 'A', 'no.opt.lab',
              anchor=lab.anchor),
          ['secure 1 -', 'nxdomain 0 -', 'nxdomain 0 -'], 'where opt-out is, no denial is proved')
    tlsa = '_25._tcp.mx.one.lab'

    def replay(query, _):
        """No TLSA record: with the proofs of another zone."""
        if query.name != tlsa:
            return None
        other = question_for(query, '_25._tcp.mx.two.lab')
        proofs = [one for one in sections(ask_truth(lab, other))[1] if one[1] in (NSEC3, RRSIG)]
        rest = [record(name, kind, data, ttl) for name, kind, ttl, data in proofs]
        return query.reply(*rest, counts=(0, len(rest), 0))

    def fewer_labels(query, said):
        if query.name != tlsa:
            return None
        rest = []
        for name, kind, ttl, data in sections(said)[0]:
            if kind == RRSIG:
                data = data[:3] + bytes([data[3] - 1]) + data[4:]
            rest.append(record(name, kind, data, ttl))
        return query.reply(*rest)
    for what, change in (('another zone\'s proof', replay), ('a wildcard\'s', fewer_labels)):
        liar = hands_on(lab, change)
        bench.running.append(liar)
        equal(ask(liar.address, 'TLSA', tlsa, 'A', 'mx.one.lab', anchor=lab.anchor),
              ['bogus 0 -', 'secure 1 -'], what)


def question_for(query, name):
    """The same question for another name."""
    return query.octets[:12] + wire(name) + query.octets[12 + len(query.question) - 4:]


def tag_of(data):
    total = sum(octet << 8 if i % 2 == 0 else octet for i, octet in enumerate(data))
    return (total + (total >> 16)) & 0xFFFF


def key_of_tag(tag):
    """A DNSKEY of P-256 with that tag, of which nobody has the private half."""
    while True:
        data = b'\1\1\3\x0d' + random_octets(62)
        for low in range(65536):
            key = data + struct.pack('>H', low)
            if tag_of(key) == tag:
                return key


def many_keys_of_one_tag(bench):
    """DNS-019 (CVE-2023-50387): 200 keys of one tag and 200 signatures: none is found good, and the
    question ends."""
    lab = Lab(bench.folder())
    bench.running.append(lab)
    keys = [key_of_tag(4711) for _ in range(200)]
    digest = hashlib.sha256(wire('trap.lab') + keys[0]).hexdigest()
    lab.zone('trap.lab', 'mx A 192.0.2.1', signed=False)
    lab.ds.append(f'trap.lab. 300 IN DS 4711 13 2 {digest}\n')
    lab.zone('one.lab', 'mx A 192.0.2.1')
    lab.start()

    def signatures(kind, labels):
        return [record('trap.lab' if kind == DNSKEY else 'mx.trap.lab', RRSIG,
                       struct.pack('>HBBIIIH', kind, 13, labels, 300, 0x7FFFFFFF, 1, 4711)
                       + wire('trap.lab') + random_octets(64)) for _ in range(200)]

    def change(query, _):
        if not query.name.endswith('trap.lab') or query.kind not in (A, DNSKEY):
            return None
        if not query.tcp:
            return query.reply(flags=TRUNCATED)
        if query.kind == DNSKEY:
            return query.reply(*[record('trap.lab', DNSKEY, key) for key in keys],
                               *signatures(DNSKEY, 2))
        return query.reply(record('mx.trap.lab', A, TRUE), *signatures(A, 3))
    liar = hands_on(lab, change)
    bench.running.append(liar)
    said = ask(liar.address, 'A', 'mx.trap.lab', 'A', 'mx.one.lab', anchor=lab.anchor)
    true(said[0] in ('bogus 0 -', NONE), f'the trap: {said[0]}')
    equal(said[1], 'secure 1 -', 'and beside it')


def a_dns_that_flaps_loses_nothing(bench):
    """DNS-017: three in ten questions fail; and DNS-029: the role that asks is killed now and
    then."""
    world = dane.World(bench)
    names = [f'f{i}' for i in range(12)]
    own = dane.alone(world.folder, 'mx.own.lab')
    for name in names:
        world.domain(name, 'tls', own, '_25._tcp.mx ' + dane.tlsa(own, 3, 1))
    server = world.server()
    dice = random.Random(7)
    liar = hands_on(world.lab, lambda query, _: query.reply(flags=ANSWER | 2)
                    if dice.random() < 0.3 else None)
    bench.running.append(liar)
    with open(server.conf, encoding='utf-8') as conf:
        text = conf.read()
    with open(server.conf, 'w', encoding='utf-8') as conf:
        conf.write(text.replace(f'resolver {world.lab.address}', f'resolver {liar.address}')
                   .replace('retry 1h', 'retry 1s'))
    server.start()
    for i, name in enumerate(names):
        with smtplib.SMTP('127.0.0.1', server.port, timeout=60) as client:
            client.sendmail('you@example.org', [f'x@{name}.lab'], f'Subject: {name}\r\n\r\nx\r\n')
        if i % 3 == 0:
            os.kill(wait_until(lambda: server.roles().get('names'), 'names'), signal.SIGKILL)
    for name in names:
        wait_until(lambda name=name: world.letters(name), f'the letter for {name}', 120)
    equal([name for name in names if not world.letters(name)[0][0]], [], 'what went in clear')
    equal([line for line in server.log().split('\n') if 'event=delivery-failed' in line], [],
          'what failed for good')


if __name__ == '__main__':
    dane.inside([forged_answers_are_not_taken, garbled_answers_are_none, a_cut_answer_is_no_denial,
                 aliases_have_an_end, a_stranger_is_not_believed, denials_of_others_prove_nothing,
                 many_keys_of_one_tag, a_dns_that_flaps_loses_nothing])
