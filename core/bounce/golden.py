#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Reports against tests/golden/report, and taken apart with Python's reader of mail.

usage: golden.py PRINT_TEST GOLDEN [--write]
"""
import email
import email.policy
import pathlib
import subprocess
import sys

POLICY = email.policy.SMTP.clone(utf8=True)
STATUS = {'failed': '5', 'delayed': '4', 'delivered': '2'}


def flaws(name, octets):
    """What another reader finds wrong."""
    report = email.message_from_bytes(octets, policy=POLICY)
    action = name.split('-')[0] if name != 'hostile' else 'failed'
    utf8 = name.endswith('utf8')
    kind = 'global-delivery-status' if utf8 else 'delivery-status'
    parts = report.get_payload()
    if report.defects or len(parts) != 3:
        return [f'{report.defects}, {len(parts)} parts']
    found = [f'{field} is there {len(report.get_all(field, []))} times'
             for field in ('From', 'To', 'Date', 'Message-ID', 'Auto-Submitted', 'Subject')
             if len(report.get_all(field, [])) != 1]
    found += ['Bcc'] if 'Bcc' in report else []
    found += [str(part.defects) for part in parts if part.defects]
    if report.get_content_type() != 'multipart/report' or report.get_param('report-type') != kind:
        found.append('Content-Type')
    if parts[1].get_content_type() != f'message/{kind}':
        found.append('second part')
    text = octets.split(f'message/{kind}'.encode(), 1)[1].split(b'\r\n--=_')[0].decode()
    groups = [group.split('\r\n') for group in text.strip().split('\r\n\r\n')][-2:]
    lines = [line for group in groups for line in group]
    if sum(line.startswith('Action: ') for line in lines) != text.count('Final-Recipient: '):
        found.append('Action')
    found += [line for line in lines if line.startswith('Action: ') and line[8:] != action]
    found += [line for line in lines
              if line.startswith('Status: ') and line[8] != STATUS[action]]
    if any(len(line) > 998 for line in octets.split(b'\r\n')) or b'\0' in octets:
        found.append('long lines, or NUL')
    if not utf8 and not octets.isascii():
        found.append('8-bit octets in a 7-bit report')
    return found


def main():
    program, golden = sys.argv[1], pathlib.Path(sys.argv[2])
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    failed = 0
    print(f'1..{len(names)}')
    for number, name in enumerate(names, 1):
        octets = subprocess.run([program, name], capture_output=True, check=True).stdout
        path = golden / f'{name}.eml'
        if '--write' in sys.argv:
            path.write_bytes(octets)
        wrong = flaws(name, octets)
        if not path.exists() or path.read_bytes() != octets:
            wrong.append('not as golden')
        failed += bool(wrong)
        print(f'{"not ok" if wrong else "ok"} {number} - {name} {" ".join(wrong)}')
    return failed > 0


sys.exit(main())
