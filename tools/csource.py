# SPDX-License-Identifier: ISC
"""Just enough of C's grammar to keep laws about it: text without comments, functions, switches.

Nothing here compiles. It reads code that the compiler has taken already, so it may assume that the
brackets match; where they do not, it says nothing rather than something wrong.
"""
import re

TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
FUNCTION_NAME = re.compile(r'([A-Za-z_]\w*)\s*\(')
CASE = re.compile(r'\bcase\s+([^:?]+?)\s*(?:\.\.\.[^:]*)?:')
NOT_FUNCTIONS = {'if', 'for', 'while', 'switch', 'return', 'sizeof', '__attribute__', 'alignas',
                 '_Alignas', '_Static_assert', '__asm__', 'typeof'}


def blank(match):
    """Spaces in place of a comment or the inside of a literal, line ends kept."""
    text = match.group(0)
    if text[0] in '"\'':
        return text[0] + re.sub(r'[^\n]', ' ', text[1:-1]) + text[-1]
    return re.sub(r'[^\n]', ' ', text)


def code_of(text):
    """The same text with comments and the inside of literals blanked: same lines, same columns."""
    return TOKEN.sub(blank, text)


def without_directives(code):
    """Blank the preprocessor's lines and their continuations, line ends kept."""
    lines, inside = [], False
    for line in code.split('\n'):
        inside = inside or line.lstrip().startswith('#')
        lines.append('' if inside else line)
        inside = inside and line.endswith('\\')
    return '\n'.join(lines)


def closing(code, at):
    """The place of the bracket that closes the one at `at`, or -1."""
    depth = 0
    for match in re.compile(r'[{}]').finditer(code, at):
        depth += 1 if match.group(0) == '{' else -1
        if depth == 0:
            return match.start()
    return -1


def line_of(code, at):
    return code.count('\n', 0, at) + 1


def blocks(code):
    """Each outermost { }: (start of what stands before it, place of {, place of })."""
    at, begin = 0, 0
    while (at := code.find('{', at)) >= 0:
        end = closing(code, at)
        if end < 0:
            return
        begin = max(code.rfind(';', 0, at), code.rfind('}', 0, at), begin - 1) + 1
        yield begin, at, end
        at = end + 1


def functions(text):
    """Each function defined: (name, first line, last line)."""
    code = without_directives(code_of(text))
    for begin, brace, end in blocks(code):
        head = code[begin:brace]
        names = [name for name in FUNCTION_NAME.findall(head) if name not in NOT_FUNCTIONS]
        if not names or '=' in re.sub(r'[<>=!]=', '', head) or 'enum' in head.split()[:1]:
            continue
        if ')' not in head:
            continue
        first = begin + len(head) - len(head.lstrip())
        yield names[0], line_of(code, first), line_of(code, end)


def enumerators(text):
    """Names that an enum with a tag gives, and prefixes that an X-macro pastes into one."""
    code = code_of(text)
    names, prefixes = set(), set()
    for match in re.finditer(r'\benum\s+(\w+)\s*\{', code):
        body = code[match.end():closing(code, match.end() - 1)]
        body = re.sub(r'\\\n', '\n', body)
        names.update(re.findall(r'^\s*([A-Z][A-Z0-9_]+)\s*(?:=|,|$)', body, re.M))
        names.update(re.findall(r',\s*([A-Z][A-Z0-9_]+)\b', body))
    for line in re.findall(r'^[ \t]*#[ \t]*define\b.*$', code, re.M):
        prefixes.update(re.findall(r'\b([A-Z][A-Z0-9_]*_)##\w+\s*(?:=[^,]*)?,', line))
    return names, prefixes


def own_level(body):
    """A block's text without the blocks inside it that belong to switches further in."""
    while (match := re.search(r'\bswitch\b[^{;]*\{', body)):
        end = closing(body, match.end() - 1)
        if end < 0:
            return body
        gap = re.sub(r'[^\n]', ' ', body[match.start():end + 1])
        body = body[:match.start()] + gap + body[end + 1:]
    return body


def switches(text):
    """Each switch: (line, labels of its own, line of its default or 0)."""
    code = code_of(text)
    for match in re.finditer(r'\bswitch\b[^{;]*\{', code):
        end = closing(code, match.end() - 1)
        if end < 0:
            continue
        body = own_level(code[match.end():end])
        default = re.search(r'\bdefault\s*:', body)
        at = line_of(code, match.end() + default.start()) if default else 0
        yield line_of(code, match.start()), [label.strip() for label in CASE.findall(body)], at
