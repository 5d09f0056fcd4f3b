#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Make C tables of the texts in lang/*.lang.

usage: lang_build.py FILE.lang... OUTPUT

A file is lines "key = text"; "[category]" begins the texts of one category; "#" begins a comment;
\\uXXXX is that character, for those that cannot be seen. The compiler refuses a key that is not in
lang.def, lang_test.c a text that is missing.
"""
import os
import re
import sys


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def read(path):
    """{section: {key: text}}, '' being what stands before the first section."""
    sections = {'': {}}
    texts = sections['']
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip('\n')
            head = re.fullmatch(r'\[([a-z-]+)\]', line)
            row = re.fullmatch(r'([a-z][a-z.-]*) = (\S|\S.*\S)', line)
            if not line or line.startswith('#'):
                continue
            if head and head[1] not in sections:
                texts = sections.setdefault(head[1], {})
            elif row and row[1] not in texts:
                texts[row[1]] = re.sub(r'\\u([0-9a-f]{4})', lambda m: chr(int(m[1], 16)), row[2])
            else:
                sys.exit(f'{path}:{number}: neither "key = text" nor a [section], or twice there')
    return sections


def enumerator(prefix, key):
    return prefix + re.sub(r'[.-]', '_', key).upper()


def table(code, sections):
    """The tables of one language, and its row in the list of languages."""
    heads = {key: sections[''].pop(key, '') for key in ('plural', 'thousands')}
    yield f'static const char *const texts_{code}[LANG_TEXTS] = {{'
    for key, text in sections.pop('').items():
        yield f'    [{enumerator("LANG_", key)}] = {quoted(text)},'
    yield '};'
    yield f'static const char *const cards_{code}[CAUSE_COUNT][LANG_CARD_TEXTS] = {{'
    for category, texts in sections.items():
        for key, text in texts.items():
            yield f'    [{enumerator("CAUSE_", category)}][{enumerator("CARD_", key)}] ='
            yield f'        {quoted(text)},'
    yield '};'
    yield f'#define ROW_{code} {{ "{code}", {enumerator("PLURAL_", heads["plural"])}, ' \
          f'{quoted(heads["thousands"])}, texts_{code}, cards_{code} }},'


def main():
    *paths, output = sys.argv[1:]
    codes = [os.path.basename(path).removesuffix('.lang') for path in paths]
    lines = ['/* Made by lang_build.py. */']
    for code, path in zip(codes, paths):
        lines += table(code, read(path))
    lines += ['static const struct lang languages[] = {']
    lines += [f'    ROW_{code}' for code in sorted(codes, key=lambda code: (code != 'en', code))]
    lines += ['};']
    with open(output, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
