#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Refuse an include that layers.txt does not allow.

usage: layers.py [ROOT]      one line per finding and exit 1, or silence

A line of layers.txt is `folder: folder folder ...`. A folder may include its own headers and those
of the folders on its line, all of which had their line before; so the graph has no cycle. A header
whose name ends in _int.h stays in its folder. Folders are core/NAME, or NAME at the root.
"""
import os
import re
import sys

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


class Broken(Exception):
    """layers.txt itself cannot be used."""


def read_layers(text):
    below = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split('#')[0].strip()
        if not line:
            continue
        name, colon, rest = line.partition(':')
        name = name.strip()
        if not colon or name in below:
            raise Broken(f'layers.txt:{number}: want one "folder: folders below it" per folder')
        for other in rest.split():
            if other not in below:
                raise Broken(f'layers.txt:{number}: {name} stands on {other}, which is not above')
        below[name] = set(rest.split())
    return below


def folder_of(path):
    """'core/smtp/a/b.c' -> 'smtp', 'host/a.c' -> 'host', 'a.c' -> ''."""
    parts = path.split('/')[:-1]
    if parts[:1] == ['core']:
        parts = parts[1:]
    return parts[0] if parts else ''


def check_include(name, target, below):
    other = target.split('/')[0] if '/' in target else name
    if other == name:
        return None
    if other not in below[name]:
        return f'{name} may not include {target}'
    if target.endswith('_int.h'):
        return f'{target} is private to {other}'
    return None


def findings(sources, below):
    """sources: {path from the root: text}. Yields (path, line, what is wrong)."""
    for path, text in sorted(sources.items()):
        name = folder_of(path)
        if name not in below or not path.endswith(('.c', '.h', '.def')):
            continue
        for match in INCLUDE.finditer(text):
            flaw = check_include(name, match.group(1), below)
            if flaw:
                yield path, text.count('\n', 0, match.start()) + 1, flaw
    homes = {folder_of(path) for path in sources if path.startswith('core/')}
    for name in sorted(homes - set(below) - {''}):
        yield f'core/{name}', 1, 'has no line in layers.txt'


def read_tree(root):
    sources = {}
    for top in ('core', 'host', 'sim', 'bench', 'lib'):
        for place, _, files in os.walk(os.path.join(root, top)):
            for file in files:
                if file.endswith(('.c', '.h', '.def')):
                    full = os.path.join(place, file)
                    with open(full, encoding='utf-8', errors='replace') as source:
                        sources[os.path.relpath(full, root)] = source.read()
    return sources


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '..')
    try:
        with open(os.path.join(root, 'layers.txt'), encoding='utf-8') as layers:
            below = read_layers(layers.read())
    except Broken as broken:
        sys.exit(str(broken))
    found = [f'{path}:{line}: {flaw}' for path, line, flaw in findings(read_tree(root), below)]
    if found:
        sys.exit('\n'.join(found))


if __name__ == '__main__':
    main()
