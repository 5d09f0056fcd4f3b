#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The tables of core/base/charset.c as C on stdout, made from the codecs of the build machine's
Python. A number is a code point of the first plane; 0: the octets are no character."""
import sys

SINGLE = [
    'iso8859-1', 'iso8859-2', 'iso8859-3', 'iso8859-4', 'iso8859-5', 'iso8859-6', 'iso8859-7',
    'iso8859-8', 'iso8859-9', 'iso8859-10', 'iso8859-11', 'iso8859-13', 'iso8859-14',
    'iso8859-15', 'iso8859-16', 'cp1250', 'cp1251', 'cp1252', 'cp1253', 'cp1254', 'cp1255',
    'cp1256', 'cp1257', 'cp1258', 'cp874', 'koi8-r', 'koi8-u', 'cp866', 'cp437', 'cp850',
    'mac-roman', 'mac-cyrillic',
]
# name, codec, first and last lead octet, first and last trail octet
DOUBLE = [
    ('sjis', 'cp932', 0x81, 0xfc, 0x40, 0xfc),
    ('gbk', 'gb18030', 0x81, 0xfe, 0x40, 0xfe),
    ('big5', 'cp950', 0x81, 0xfe, 0x40, 0xfe),
    ('euckr', 'cp949', 0x81, 0xfe, 0x41, 0xfe),
]


def point(octets, codec):
    try:
        text = octets.decode(codec)
    except UnicodeDecodeError:
        return 0
    return ord(text) if len(text) == 1 and ord(text) < 0x10000 else 0


def put(name, numbers):
    print(f'const uint16_t {name}[{len(numbers)}] = {{')
    for i in range(0, len(numbers), 12):
        print('    ' + ' '.join(f'{number},' for number in numbers[i:i + 12]))
    print('};')


def four_octet_runs():
    """GB18030's four-octet characters of the first plane: (linear number, code point, count)."""
    runs = []
    for code in range(0x80, 0x10000):
        if 0xd800 <= code < 0xe000:
            continue
        octets = chr(code).encode('gb18030')
        if len(octets) != 4:
            continue
        a, b, c, d = octets
        linear = ((a - 0x81) * 10 + b - 0x30) * 1260 + (c - 0x81) * 10 + d - 0x30
        if runs and runs[-1][0] + runs[-1][2] == linear and runs[-1][1] + runs[-1][2] == code:
            runs[-1][2] += 1
        else:
            runs.append([linear, code, 1])
    return runs


def main():
    print('/* SPDX-License-Identifier: ISC\n *\n * Made by charset_tables.py; do not edit. */')
    print('#include "base/charset_int.h"')
    print(f'const uint16_t charset_single[{len(SINGLE)}][128] = {{')
    for codec in SINGLE:
        numbers = [point(bytes([octet]), codec) for octet in range(0x80, 0x100)]
        print(f'    /* {codec} */\n    {{ ' + ' '.join(f'{number},' for number in numbers) + ' },')
    print('};')
    for name, codec, lead, lead_last, trail, trail_last in DOUBLE:
        put('charset_' + name, [point(bytes([a, b]), codec) for a in range(lead, lead_last + 1)
                                for b in range(trail, trail_last + 1)])
    runs = four_octet_runs()
    print(f'const size_t charset_gb_runs_n = {len(runs)};')
    print(f'const struct charset_run charset_gb_runs[{len(runs)}] = {{')
    for run in runs:
        print('    {{ {}, {}, {} }},'.format(*run))
    print('};')


if __name__ == '__main__':
    sys.exit(main())
