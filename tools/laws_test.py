#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A law that cannot fail keeps nothing: each is shown a tree that breaks it, and the tree mended.

usage: laws_test.py COMPILER [OPTIONS ...]      TAP
"""
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE = '/* SPDX-License-Identifier: ISC'
LAYERS = 'base:\nmail: base\nsmtp: base mail\nhost: base\n'
HEAD = LICENCE + ' */\n'


def load(name):
    """A program without .py in its name, as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace('-', '_'), os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
tidy, nm_law, headers_alone = load('tidy'), load('nm-law'), load('headers-alone')


def function(lines):
    return HEAD + 'int f(int a)\n{\n' + '    a++;\n' * (lines - 3) + '}\n'


def header(path, name):
    return {path: f'{LICENCE}\n *\n * {name}: what it is.\n */\n'}


COLOURS = {**header('core/base/colour.h', 'base/colour.h')}
COLOURS['core/base/colour.h'] += 'enum colour { RED, GREEN };\n#define X(n) SHADE_##n,\n'
COLOURS['core/base/shade.h'] = (header('s', 'base/shade.h')['s']
                                + '#define S(name) SHADE_##name,\nenum shade { SHADES(S) };\n')


def switch(label, default):
    return (HEAD + 'int f(int c)\n{\n    switch (c) {\n    case ' + label + ': return 1;\n'
            + ('    default: return 2;\n' if default else '') + '    }\n    return 0;\n}\n')


# name, a tree that breaks the law, a word of the finding, the same tree mended
TEXTS = [
    ('file of 601 lines', {'host/a.c': HEAD + 'int a;\n' * 600}, 'at most 600',
     {'host/a.c': HEAD + 'int a;\n' * 599}),
    ('script of 601 lines', {'a.py': '# SPDX-License-Identifier: ISC\n' + 'a = 1\n' * 600},
     'at most 600', {'a.py': '# SPDX-License-Identifier: ISC\n' + 'a = 1\n' * 599}),
    ('function of 71 lines', {'host/a.c': function(71)}, 'f has 71', {'host/a.c': function(70)}),
    ('function whose head is two lines',
     {'host/a.c': HEAD + 'static int\nf(int a,\n  int b)\n{\n' + '    a++;\n' * 66 + '}\n'},
     'f has 71', {'host/a.c': HEAD + 'static int\nf(int a,\n  int b)\n{\n    a++;\n}\n'}),
    ('python function of 71 lines',
     {'a.py': '# SPDX-License-Identifier: ISC\ndef f():\n' + '    a = 1\n' * 70}, 'f has 71',
     {'a.py': '# SPDX-License-Identifier: ISC\ndef f():\n' + '    a = 1\n' * 69}),
    ('line of 101 columns', {'host/a.c': HEAD + '/' * 2 + 'x' * 99 + '\n'}, '100 columns',
     {'host/a.c': HEAD + '/' * 2 + 'x' * 98 + '\n'}),
    ('trailing blank', {'host/a.c': HEAD + 'int a; \n'}, 'blanks', {'host/a.c': HEAD + 'int a;\n'}),
    ('tab', {'host/a.c': HEAD + '\tint a;\n'}, 'a tab', {'host/a.c': HEAD + '    int a;\n'}),
    ('last line open', {'host/a.c': HEAD + 'int a;'}, 'no end', {'host/a.c': HEAD + 'int a;\n'}),
    ('no licence', {'host/a.c': 'int a;\n'}, 'SPDX', {'host/a.c': HEAD + 'int a;\n'}),
    ('script without licence', {'go': '#!/bin/sh\ntrue\n'}, 'SPDX',
     {'go': '#!/bin/sh\n# SPDX-License-Identifier: ISC\ntrue\n'}),
    ('header that does not say where it stands', {'core/base/a.h': HEAD + 'int a;\n'},
     'where it stands', header('core/base/a.h', 'base/a.h')),
    ('file in core/', {'core/mail/a.c': HEAD + '#include <fcntl.h>\n'}, 'not for core',
     {'core/mail/a_test.c': HEAD + '#include <fcntl.h>\n'}),
    ('stdlib beside arena.c', {'core/base/b.c': HEAD + '#include <stdlib.h>\n'}, 'not for core',
     {'core/base/arena.c': HEAD + '#include <stdlib.h>\n'}),
    ('idn2 outside mail', {'core/smtp/a.c': HEAD + '#include <idn2.h>\n'}, 'not for core',
     {'core/mail/a.c': HEAD + '#include <idn2.h>\n'}),
    ('include upwards', {'core/base/a.c': HEAD + '#include "mail/b.h"\n'}, 'may not include',
     {'core/mail/a.c': HEAD + '#include "base/b.h"\n'}),
    ('private header', {'core/mail/a.c': HEAD + '#include "base/b_int.h"\n'}, 'is private',
     {'core/mail/a.c': HEAD + '#include "mail/b_int.h"\n'}),
    ('folder without a layer', {'core/odd/a.c': HEAD}, 'no line in', {'core/mail/a.c': HEAD}),
    ('default over our enum', {**COLOURS, 'host/a.c': switch('RED', True)}, 'default:',
     {**COLOURS, 'host/a.c': switch('RED', False)}),
    ('default over a pasted enum', {**COLOURS, 'host/a.c': switch('SHADE_DARK', True)}, 'default:',
     {**COLOURS, 'host/a.c': switch("'x'", True)}),
    ('table that no test walks',
     {**header('core/base/a.def', 'base/a.def'), 'core/base/a_test.c': HEAD}, 'no test',
     {**header('core/base/a.def', 'base/a.def'), 'core/base/a_test.c': HEAD + '// a.def\n'}),
    ('path of one machine', {'README.md': 'see /wor' + 'k/x\n'}, 'one machine',
     {'README.md': 'see ./work/x\n'}),
]


def found_in(files, layers_text=LAYERS):
    return [words for _, _, words in tidy.check(files, layers_text)]


def text_rows():
    for name, broken, word, mended in TEXTS:
        yield name, any(word in words for words in found_in(broken)), 'finds it'
        yield name, not found_in(mended), f'lets the mended tree pass {found_in(mended)}'
    for name, text in [('cycle', 'a: b\nb: a\n'), ('twice', 'a:\na:\n'), ('no colon', 'a b\n')]:
        yield 'layers.txt: ' + name, found_in({}, text) != [], 'finds it'


def nm_findings(command, source, symbols, folder='base', options=()):
    """What nm-law says of an archive made from that source."""
    with tempfile.TemporaryDirectory() as build:
        place = os.path.join(build, 'core', folder)
        os.makedirs(place)
        with open(os.path.join(place, 'a.c'), 'w', encoding='utf-8') as file:
            file.write(source)
        with open(os.path.join(build, 'symbols'), 'w', encoding='utf-8') as file:
            file.write(symbols)
        subprocess.run([*command, *options, '-c', 'a.c', '-o', 'a.c.o'], cwd=place, check=True)
        subprocess.run(['ar', 'rcs', f'lib{folder}.a', 'a.c.o'], cwd=place, check=True)
        rows = nm_law.read_symbols(os.path.join(build, 'symbols'))
        return list(nm_law.findings(build, *rows))


def nm_rows(command):
    clock = 'long time(long *); long f(void) { return time(0); }'
    yield 'nm-law: time', nm_findings(command, clock, '') != [], 'finds it'
    yield 'nm-law: time', nm_findings(command, clock, 'core/: time\n') == [], 'lets it pass'
    elsewhere = nm_findings(command, clock, 'core/mail/: time\n')
    yield 'nm-law: time elsewhere', elsewhere != [], 'finds it'
    state = 'static int n; int f(void) { return ++n; }'
    yield 'nm-law: state', nm_findings(command, state, '') != [], 'finds it'
    named = nm_findings(command, state, 'data core/base/a.c: n\n')
    yield 'nm-law: state', named == [], 'lets it pass'
    table = 'int a; static int *const t[] = { &a }; int *f(int i) { return t[i]; }'
    wanted = 'data core/base/a.c: a\n'
    yield 'nm-law: constant table', nm_findings(command, table, wanted) == [], 'lets it pass'


def header_rows(command):
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, 'core', 'base'))
        for name, text in [('a.h', 'struct a { uint8_t b; };\n'), ('b.h', '#include <stdint.h>\n'
                           '#ifndef B\n#define B\nstruct b { uint8_t b; };\n#endif\n')]:
            with open(os.path.join(root, 'core', 'base', name), 'w', encoding='utf-8') as file:
                file.write(text)
        said = headers_alone.compile_alone(root, 'core/base/a.h', command)
        yield 'header that stands on others', said != '', 'finds it'
        said = headers_alone.compile_alone(root, 'core/base/b.h', command)
        yield 'header that stands alone', said == '', 'lets it pass'


def main():
    command = sys.argv[1:] or ['cc']
    rows = [*text_rows(), *nm_rows(command), *header_rows(command)]
    print(f'1..{len(rows)}')
    for number, (name, well, what) in enumerate(rows, 1):
        print(f'{"ok" if well else "not ok"} {number} - {name}: {what}')
    sys.exit(0 if all(well for _, well, _ in rows) else 1)


if __name__ == '__main__':
    main()
