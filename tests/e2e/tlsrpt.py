#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Reports of TLS (RFC 8460) on the wire: letters to domains of all kinds, and what their owners are
told at the end of the day, by mail and over HTTPS.

usage: tlsrpt.py POSTERN PACKAGES [TEST...]
"""
import datetime
import email
import email.policy
import gzip
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys

import dane
import harness
from harness import Skip, equal, true, wait_until
from webserver import Server

RESULTS = {'starttls-not-supported', 'certificate-host-mismatch', 'certificate-expired',
           'certificate-not-trusted', 'validation-failure', 'tlsa-invalid', 'dnssec-invalid',
           'dane-required', 'sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'}
SUITE = pathlib.Path(os.environ.get('POSTERN_SHARED', '../shared')) / 'suites/tlsrpt'


# ---- what RFC 8460, 4.4 lets a report be

def members(value, must, may, where):
    true(isinstance(value, dict), f'{where} is an object')
    equal(set(must) - set(value), set(), f'{where}: members that are not there')
    equal(set(value) - set(must) - set(may), set(), f'{where}: members that nobody knows')


def word(value, where):
    true(isinstance(value, str) and value != '', f'{where} is a string')


def words(value, where):
    true(isinstance(value, list) and all(isinstance(one, str) for one in value),
         f'{where} is a list of strings')


def count(value, where):
    true(isinstance(value, int) and not isinstance(value, bool) and value >= 0,
         f'{where} is a number')


def moment(value, where):
    true(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)', value), where)
    return datetime.datetime.fromisoformat(value.replace('Z', '+00:00'))


def check_failure(one, where):
    members(one, ['result-type', 'failed-session-count'],
            ['sending-mta-ip', 'receiving-mx-hostname', 'receiving-mx-helo', 'receiving-ip',
             'additional-information', 'failure-reason-code'], where)
    true(one['result-type'] in RESULTS, f'{where}: {one["result-type"]}')
    count(one['failed-session-count'], where)
    for key in ('sending-mta-ip', 'receiving-ip'):
        if key in one:
            ipaddress.ip_address(one[key])
    for key in ('receiving-mx-hostname', 'failure-reason-code'):
        if key in one:
            word(one[key], f'{where}: {key}')


def check_policy(one, where):
    members(one, ['policy', 'summary'], ['failure-details'], where)
    policy, summary = one['policy'], one['summary']
    members(policy, ['policy-type', 'policy-domain'], ['policy-string', 'mx-host'], where)
    true(policy['policy-type'] in ('tlsa', 'sts', 'no-policy-found'), where)
    word(policy['policy-domain'], where)
    for key in ('policy-string', 'mx-host'):
        if key in policy and isinstance(policy[key], list):
            words(policy[key], f'{where}: {key}')
    members(summary, ['total-successful-session-count', 'total-failure-session-count'], [], where)
    for value in summary.values():
        count(value, where)
    for i, failure in enumerate(one.get('failure-details') or []):
        check_failure(failure, f'{where}, failure {i}')


def check_report(report):
    members(report, ['organization-name', 'date-range', 'contact-info', 'report-id', 'policies'],
            [], 'the report')
    for key in ('organization-name', 'contact-info', 'report-id'):
        word(report[key], key)
    members(report['date-range'], ['start-datetime', 'end-datetime'], [], 'the range')
    true(moment(report['date-range']['start-datetime'], 'the start')
         <= moment(report['date-range']['end-datetime'], 'the end'), 'it ends after it began')
    true(isinstance(report['policies'], list) and report['policies'], 'policies')
    for i, one in enumerate(report['policies']):
        check_policy(one, f'policy {i}')


def the_check_knows_reports_of_others(_):
    """Else it would prove nothing of ours."""
    well, bad = SUITE / 'parsedmarc/mail.ru.json', SUITE / 'stalwart/rpt03.json'
    if not well.exists() or not bad.exists():
        raise Skip('reports of others are not beside the tree')
    report = json.loads(well.read_text(encoding='utf-8'))
    check_report(report)
    for wrong in ({**report, 'policies': []}, {**report, 'more': 1}, {**report, 'report-id': 3},
                  json.loads(bad.read_text(encoding='utf-8'))):
        try:
            check_report(wrong)
        except AssertionError:
            continue
        raise AssertionError('a wrong report passes')


# ---- letters to domains of all kinds, and what is told of them

def http(status):
    return f'HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n'.encode()


def a_world(bench):
    """Reports go to two places, one of whose TLS will not do by the policy of its own domain."""
    world = dane.World(bench)
    own = dane.alone(world.folder, 'mx.own.lab')
    rua = '\n_smtp._tls TXT "v=TLSRPTv1; rua={}"\n'
    mail, web = rua.format('mailto:tls@where.lab'), rua.format('https://web.where.lab/v1?to=r')
    good = world.authority.issue('mx.t1.lab')
    world.domain('t1', 'tls', good, world.policy('t1', 'enforce', '*.t1.lab') + mail)
    world.domain('t2', 'tls', own, world.policy('t2', 'testing', 'mx.t2.lab') + mail)
    world.domain('t3', 'tls', own, '_25._tcp.mx ' + dane.tlsa(own, 3, 1) + web)
    world.domain('t4', 'defer', own, '_25._tcp.mx ' + dane.tlsa(good, 3, 1) + web)
    world.domain('t5', 'clear', None, rua.format('mailto:tls@nowhere.lab'))
    world.domain('t6', 'tls', own)                          # wants no report
    world.domain('t7', 'defer', None, world.policy('t7', 'enforce', 'mx.t7.lab')
                 + rua.format('mailto:tls@where.lab,https://web.where.lab/both'))
    world.reports = Server(world.authority.issue('web.where.lab'),
                           lambda to: to.sendall(http('201 Created')),
                           address=world.address(), port=443)
    bench.running.append(world.reports)
    place = world.sink('where', own)
    world.lab.zone('where.lab', f'@ MX 10 mx\nmx A {place}\nweb A 127.0.1.{world.n - 1}\n'
                   + world.policy('where', 'enforce', 'mx.where.lab'))
    world.lab.zone('nowhere.lab', '@ MX 0 .')
    return world


def letter_of(text):
    """The report in a letter; the letter is held to RFC 8460, 5.3."""
    letter = email.message_from_bytes(text, policy=email.policy.default)
    equal(letter.get_content_type(), 'multipart/report', 'the type')
    equal(letter.get_param('report-type'), 'tlsrpt', 'the type of report')
    domain = letter['TLS-Report-Domain']
    equal(letter['TLS-Report-Submitter'], 'mx.example.org', 'who submits it')
    equal(letter['TLS-Required'], 'No', 'that it need not be held back')
    equal(letter['From'].addresses[0].addr_spec, 'post@example.org', 'who asks')
    found = re.fullmatch(r'Report Domain: (\S+) Submitter: (\S+) Report-ID: <(\S+)>',
                         letter['Subject'])
    true(found and found[1] == domain and found[2] == 'mx.example.org', letter['Subject'])
    parts = list(letter.iter_parts())
    equal([part.get_content_type() for part in parts],
          ['text/plain', 'application/tlsrpt+gzip'], 'its parts')
    true(re.fullmatch(rf'mx\.example\.org!{domain}!\d+!\d+\.json\.gz', parts[1].get_filename()),
         'the name of the file')
    report = json.loads(gzip.decompress(parts[1].get_content()))
    check_report(report)
    equal(report['report-id'], found[3], 'the id')
    return domain, report


def brief(report):
    """Kind and domain of each policy, how many went well, and the failures."""
    return [(one['policy']['policy-type'], one['policy']['policy-domain'],
             one['summary']['total-successful-session-count'],
             [(bad['result-type'], bad.get('receiving-mx-hostname', ''),
               bad['failed-session-count']) for bad in one.get('failure-details', [])])
            for one in report['policies']]


WANTED = {
    't1.lab': [('sts', 't1.lab', 1, [])],
    't2.lab': [('sts', 't2.lab', 0, [('certificate-not-trusted', 'mx.t2.lab', 1)])],
    't3.lab': [('tlsa', 'mx.t3.lab', 1, [])],
    't4.lab': [('tlsa', 'mx.t4.lab', 0, [('validation-failure', 'mx.t4.lab', 1)])],
    't5.lab': [('no-policy-found', 't5.lab', 0, [('starttls-not-supported', 'mx.t5.lab', 1)])],
    't6.lab': [('no-policy-found', 't6.lab', 1, [])],
    't7.lab': [('sts', 't7.lab', 0, [('starttls-not-supported', 'mx.t7.lab', 1)])],
}


def the_day_is_told_to_those_who_ask(bench):
    world = a_world(bench)
    world.policies = 'tlsrpt-contact post@example.org\n'
    became = world.run()
    equal(became, world.wants, 'what became of the letters')
    server = bench.running[-1]
    lines = server.run('tlsrpt', '--json').stdout.splitlines()
    shown = {json.loads(line)['policies'][0]['policy']['policy-domain'].replace('mx.', ''):
             json.loads(line) for line in lines}
    equal({name: brief(report) for name, report in shown.items()}, WANTED, 'what was counted')
    text = server.run('tlsrpt', 't4.lab').stdout
    true('DANE of mx.t4.lab: 0 went well, 1 failed' in text, text)
    equal(server.run('tlsrpt', 't9.lab').returncode, 1, 'of a domain that nobody wrote to')
    equal(server.run('tlsrpt', '--send').stdout.split(' is told')[0],
          'What was counted of 7 domains', 'what is sent')
    wait_until(lambda: server.log().count('event=tls-report ') == 7, 'an end of all reports')
    wait_until(lambda: len(world.letters('where')) == 3, 'the letters')
    told = dict(letter_of(letter) for _, letter in world.letters('where'))
    equal({name: brief(report) for name, report in told.items()},
          {name: WANTED[name] for name in ('t1.lab', 't2.lab', 't7.lab')}, 'what letters say')
    equal(told['t1.lab']['policies'][0]['policy']['policy-string'],
          ['version: STSv1', 'mode: enforce', 'mx: *.t1.lab', 'max_age: 86400'], 'the policy')
    equal(told['t7.lab']['policies'][0]['failure-details'][0]['sending-mta-ip'],
          '127.0.0.1', 'where we stand')
    posted = {}
    for method, path, head, body in world.reports.asked:
        equal(method, 'POST', 'how it is brought')
        true(b'content-type: application/tlsrpt+gzip' in head.lower(), 'its type')
        report = json.loads(gzip.decompress(body))
        check_report(report)
        posted[report['policies'][0]['policy']['policy-domain'], path] = brief(report)
    equal(posted, {('mx.t3.lab', '/v1?to=r'): WANTED['t3.lab'],
                   ('mx.t4.lab', '/v1?to=r'): WANTED['t4.lab'],
                   ('t7.lab', '/both'): WANTED['t7.lab']}, 'what is brought over HTTPS')
    wait_until(lambda: 'to=tls@nowhere.lab' in server.log(), 'the letter that cannot go')
    wait_until(lambda: len(server.run('queue', '--json').stdout.splitlines()) == 2,
               'only letters of ours that wait are left')
    true('nowhere.lab' not in server.run('queue').stdout, 'nobody is told of its failure')
    equal(server.run('tlsrpt').returncode, 1, 'that our own letters were not counted')


if __name__ == '__main__':
    INSIDE = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
    if dane.OURS not in os.environ and os.geteuid() == 0 \
            and subprocess.run([*INSIDE, 'true'], capture_output=True, check=False).returncode == 0:
        os.environ[dane.OURS] = '1'
        os.execvp(INSIDE[0], [*INSIDE, sys.executable, *sys.argv])
    harness.main([the_check_knows_reports_of_others, the_day_is_told_to_those_who_ask])
