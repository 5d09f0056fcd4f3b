#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The resolver on a DNS of the test's own: each of the six answers, as a validating one must give.

usage: names.py POSTERN PACKAGES [TEST...]; resolve-ask stands in the build's tests/e2e
"""
import os
import subprocess
import sys

import harness
from dnslab import Lab
from harness import equal

TLSA = '_25._tcp.mx TLSA 3 1 1 ' + 'ab' * 32
RECORDS = f'@ MX 10 mx\n@ MX 20 mx2\nmx A 192.0.2.1\nmx AAAA 2001:db8::1\n{TLSA}\n'
ASK = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), 'tests/e2e/resolve-ask')


def lab_of(bench):
    lab = Lab(bench.folder())
    lab.zone('insecure.lab', RECORDS, signed=False)
    lab.zone('secure.lab', RECORDS + 'alias CNAME mx\nout CNAME mx.insecure.lab.\n'
                                     '@ TXT "v=spf1 -all"\n')
    lab.zone('bogus.lab', RECORDS, wrong=True)
    lab.zone('expired.lab', RECORDS, expired=True)
    bench.running.append(lab)
    return lab.start()


def ask(lab, *questions, server=None):
    """What was said of each, a line: verdict, records, canonical name."""
    words = [ASK, server or lab.address, lab.anchor]
    done = subprocess.run(words + list(questions), capture_output=True, text=True, timeout=120,
                          check=True)
    return done.stdout.splitlines()


def each_answer_is_one_of_six(bench):
    lab = lab_of(bench)
    rows = [
        ('MX', 'secure.lab', 'secure 2 -'),
        ('A', 'mx.secure.lab', 'secure 1 -'),
        ('TLSA', '_25._tcp.mx.secure.lab', 'secure 1 -'),
        ('TXT', 'secure.lab', 'secure 1 -'),
        ('AAAA', 'alias.secure.lab', 'secure 1 mx.secure.lab'),
        # DNS-025: one step of the chain is not signed, so nothing of it is proved
        ('A', 'out.secure.lab', 'insecure 1 mx.insecure.lab'),
        ('MX', 'insecure.lab', 'insecure 2 -'),
        ('TLSA', '_25._tcp.mx.insecure.lab', 'insecure 1 -'),
        ('MX', 'nobody.secure.lab', 'nxdomain-proved 0 -'),
        ('MX', 'nobody.insecure.lab', 'nxdomain 0 -'),
        ('TLSA', 'mx.secure.lab', 'nodata-proved 0 -'),
        ('TLSA', 'mx.insecure.lab', 'nodata 0 -'),
        # DNS-018
        ('TLSA', '_25._tcp.mx.bogus.lab', 'bogus 0 -'),
        ('MX', 'bogus.lab', 'bogus 0 -'),
        ('MX', 'expired.lab', 'bogus 0 -'),
    ]
    said = ask(lab, *[word for row in rows for word in row[:2]])
    equal(said, [row[2] for row in rows], 'the answers')


def a_dead_server_is_no_answer(bench):
    """Not "no such name" (DNS-003): only that nobody could tell."""
    lab = lab_of(bench)
    equal(ask(lab, 'MX', 'secure.lab', server=f'127.0.0.1:{harness.free_port()}'),
          ['failed 0 -'], 'the answer')


def without_an_anchor_nothing_is_proved(bench):
    lab = lab_of(bench)
    empty = os.path.join(bench.folder(), 'empty')
    with open(empty, 'w', encoding='ascii'):
        pass
    lab.anchor = empty
    equal(ask(lab, 'MX', 'secure.lab', 'MX', 'bogus.lab'),
          ['insecure 2 -', 'insecure 2 -'], 'the answers')


if __name__ == '__main__':
    harness.main([each_answer_is_one_of_six, a_dead_server_is_no_answer,
                  without_an_anchor_nothing_is_proved])
