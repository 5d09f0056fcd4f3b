#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Other servers' dialogues and tables, played on the server machine.

usage: suites.py PLAYER EXCEPTIONS [SUITES]

PLAYER is player_test. SUITES defaults to $POSTERN_SHARED/suites/smtp; without it the test says
so and is skipped. A dialogue agrees when the class (first digit) of every reply does: the words
and the finer codes are each server's own. EXCEPTIONS lists the rows that we answer otherwise, and
why; a row in it that agrees after all is an error, so the list cannot grow stale.
"""
import json
import os
import re
import subprocess
import sys

SIZE = 1000000
EHLO = b'EHLO c.example\r\n'
MAIL, RCPT = b'MAIL FROM:<a@c.example>\r\n', b'RCPT TO:<b@d.example>\r\n'
OPEN = EHLO + MAIL + RCPT


class Player:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def play(self, octets, size=SIZE):
        """(reply lines, letters, closed)"""
        pipe = self.process
        pipe.stdin.write(b'%d %d\n' % (len(octets), size) + octets)
        pipe.stdin.flush()
        head = pipe.stdout.readline().split()
        if len(head) != 3:
            raise SystemExit(f'the player died of {octets!r}')
        replies, letters, closed = map(int, head)
        return (pipe.stdout.read(replies).split(b'\r\n')[:-1], pipe.stdout.read(letters), closed)

    def classes(self, octets, size=SIZE):
        lines = self.play(octets, size)[0]
        for line in lines:
            assert re.match(rb'[2345]\d\d[ -][ -~]*\Z', line) and len(line) <= 510, line
        return ''.join(chr(line[0]) for line in lines if line[3:4] == b' ')


def rows_of(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file if line.strip()]


def octets_of(value):
    return bytes.fromhex(value['hex']) if isinstance(value, dict) else value.encode()


def bracketed(line):
    """Those suites leave out the brackets that the grammar asks for; that is not what they test."""
    return re.sub(rb'(?i)^(mail from|rcpt to):\s*([^<\s][^\s]*)', rb'\1:<\2>', line)


# Each of these yields (id, agrees, what was seen).

def ghsmtp(player, suites):
    """The client's octets, and what ghsmtp printed."""
    for name in sorted(os.listdir(f'{suites}/ghsmtp/in')):
        with open(f'{suites}/ghsmtp/in/{name}', 'rb') as file:
            got = player.classes(file.read())
        with open(f'{suites}/ghsmtp/out/{name}', 'rb') as file:
            wanted = ''.join(chr(line[0]) for line in file.read().split(b'\r\n')
                             if line[3:4] == b' ')
        yield f'ghsmtp/{name}', got == wanted, f'{got}, not {wanted}'


def unescape(text):
    text = re.sub(r'\\x([0-9a-fA-F]{2})', lambda m: chr(int(m.group(1), 16)), text)
    return text.replace('\\r', '\r').replace('\\n', '\n').encode('latin-1', 'replace')


def exim(player, suites):
    """"??? 250" is wanted; other lines are sent; +++ waits; >>> sends without a line end."""
    for row in rows_of(f'{suites}/exim/client-dialogs.jsonl'):
        sent, wanted = b'', ''
        for line in row['dialog']:
            if line.startswith('???'):
                final = re.match(r'\?\?\? (\d)\d*(?!\d|-)', line)
                wanted += final[1] if final else ''
            elif line.startswith('>>> '):
                sent += unescape(line[4:])
            elif not line.startswith(('+++', '<<<')):
                sent += bracketed(unescape(line) + b'\r\n')
        got = player.classes(sent)
        quits = sent.lower().endswith(b'quit\r\n')        # some rows do not look at its answer
        agrees = got == wanted or (quits and got == wanted + '2')
        yield row['id'], agrees, f'{got}, not {wanted}'


def exim_inputs(player, suites):
    """Sessions without verdicts: every reply is well formed, no letter comes from nowhere."""
    for row in rows_of(f'{suites}/exim/bh-sessions.jsonl'):
        sent = b''.join(bracketed(unescape(line) + b'\r\n') for line in row['input'])
        got = player.classes(sent)
        ends = sum(line == '.' or line.lower().startswith('bdat') for line in row['input'])
        lines = player.play(sent)[0]
        kept = sum(b'on disk as' in line for line in lines)
        yield row['id'], kept <= ends and got[:1] == '2', got


def chasquid_steps(text):
    """(octets sent, classes wanted) of each connection of a .cmy file."""
    sent, wanted, parts = b'', '', []
    for line in text.split('\n'):
        match = re.match(r'c (->|~>|<-|<~|<\.\.\.|tcp_connect) ?(.*)', line)
        if not match:
            continue
        what, rest = match.groups()
        if what == 'tcp_connect':
            parts.append((sent, wanted))
            sent, wanted = b'', ''
        elif what == '->':
            sent += bracketed(rest.encode() + b'\r\n')
        elif what == '~>':
            pieces = re.match(r"\(?'(.*?)'(?: \* (\d+))?(?: \+ '(.*?)'\))?(?: \* (\d+))?$", rest)
            one = unescape(pieces[1]) * int(pieces[2] or 1) + unescape(pieces[3] or '')
            sent += one * int(pieces[4] or 1)
        else:
            wanted += rest[0]
    return parts[1:] + [(sent, wanted)]


def chasquid(player, suites):
    folder = f'{suites}/chasquid'
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.cmy'):
            continue
        with open(f'{folder}/{name}', encoding='utf-8') as file:
            steps = chasquid_steps(file.read())
        got = [player.classes(sent, 1 << 20) for sent, _ in steps]
        wanted = [classes for _, classes in steps]
        yield f'chasquid/{name}', got == wanted, f'{got}, not {wanted}'
    for row in rows_of(f'{folder}/fuzz-connection.jsonl'):
        for sent in (row['args'][0].encode(), row['args'][0].replace('\n', '\r\n').encode()):
            got = player.classes(sent)
            yield row['id'], got[:1] == '2', got


def text_row(player, octets, text, size=SIZE):
    """A text by DATA: `text` is what must be kept; False: refused; None: does not end."""
    head = len(player.classes(OPEN + b'DATA\r\n'))
    lines, letters, _ = player.play(OPEN + b'DATA\r\n' + octets, size)
    got = ''.join(chr(line[0]) for line in lines if line[3:4] == b' ')[head:]
    kept = letters.split(b': ', 1)[1][:-1] if letters else None
    if text is None:
        return kept is None and got == '', f'{got} {kept!r}'
    if text is False:
        return kept is None and got[:1] in ('5', ''), f'{got} {kept!r}'
    return kept == text and got[:1] == '2', f'{got} {kept!r}, not {text!r}'


def chasquid_texts(player, suites):
    for row in rows_of(f'{suites}/chasquid/vectors.jsonl'):
        if row['fn'] != 'TestReadUntilDot':
            continue
        given, most, want, error = row['args']
        text = {'nil': want.replace('\n', '\r\n').encode(),
                'io.ErrUnexpectedEOF': None}.get(error, False)
        # its limit counts LF for CRLF and ours does not: the rows were chosen well apart from it
        yield (row['id'], *text_row(player, given.encode(), text, int(most)))


def mox_texts(player, suites):
    for row in rows_of(f'{suites}/mox/vectors.jsonl'):
        if row['fn'] == 'TestDataReader':
            given, want, error = row['args']
            text = want.encode() if error == 'nil' else False
            yield (row['id'], *text_row(player, given.encode(), text))
        elif row['fn'] == 'TestSmuggle':
            yield (row['id'], *smuggled(player, row['args'][0].encode()))


def dovecot_texts(player, suites):
    for row in rows_of(f'{suites}/dovecot/istream-dot.jsonl'):
        kind, given, text, _ = row['args']
        wanted = None if kind == 'NO_EOT' else text.encode()
        yield (row['id'], *text_row(player, given.encode(), wanted))


def smuggled(player, octets):
    """Between two letters: refused, or kept as one, or (a lawful end) one and then nonsense."""
    inner = b'a' + octets + MAIL + RCPT + b'DATA\r\nevil\r\n.\r\n'
    lines, letters, _ = player.play(OPEN + b'DATA\r\n' + inner + b'QUIT\r\n')
    kept = letters.count(b'>b@d.example')
    got = [line[:3].decode() for line in lines if line[3:4] == b' '][5:]
    refused = got == ['550', '221'] and kept == 0
    return refused or kept == 1, f'{got}, {kept} kept'


def smuggling(player, suites):
    for row in rows_of(f'{suites}/smuggling/sequences.jsonl'):
        yield (row['id'], *smuggled(player, bytes.fromhex(row['hex'])))


def command_row(player, command, good):
    """One command where it may stand: taken or refused. What is known but not offered is refused
       without a look at its form, so such a row agrees whatever it wants."""
    before, head = EHLO, 2
    if command[:4].upper() == b'RCPT':
        before, head = EHLO + MAIL, 3
    if command[:4].upper() in (b'DATA', b'BDAT'):
        before, head = OPEN, 4
    lines = [line for line in player.play(before + command)[0] if line[3:4] == b' '][head:]
    if not lines:                       # BDAT waits for its chunk, half a line for its end
        return good == (command[:4] == b'BDAT'), 'no reply'
    refused_unseen = lines[0][:3] in (b'502', b'555')
    return refused_unseen or (lines[0][:1] in b'23') == good, lines[0].decode()


def stalwart(player, suites):
    for row in rows_of(f'{suites}/stalwart-smtp-proto/vectors.jsonl'):
        if row['fn'] == 'parse_request' and len(row['args']) > 1:
            command = row['args'][0].encode() + b'\r\n'
            yield (row['id'], *command_row(player, command, row['args'][1][0] == 'Ok'))
        elif row['fn'] == 'data_receiver' and isinstance(row['args'][0], list):
            text = ''.join(row['args'][0][2]).encode()
            yield (row['id'], *text_row(player, text, row['args'][1].encode()))
        elif row['fn'] == 'request_receiver' and isinstance(row['args'][0], list):
            lines = ''.join(row['args'][0][2]).encode()
            got = player.classes(EHLO + lines)
            yield row['id'], '5' not in got, got


def dovecot(player, suites):
    for row in rows_of(f'{suites}/dovecot/smtp-command-parser.jsonl'):
        if 'command' in row['args']:
            good = row['table'].startswith('valid')
            yield (row['id'], *command_row(player, octets_of(row['args']['command']), good))
    for row in rows_of(f'{suites}/dovecot/smtp-params.jsonl'):
        match = re.match(r'(in)?valid_(mail|rcpt)_params', row['table'])
        if not match or 'extensions' in row['args']:
            continue
        word = b'MAIL FROM:<>' if match[2] == 'mail' else b'RCPT TO:<b@d.example>'
        text = row['args']['input'].encode()
        command = word + (b' ' if text else b'') + text + b'\r\n'
        if 'caps' not in row['args']:   # nothing was offered: that is what HELO is for
            got = player.classes(b'HELO x\r\n' + command)[2:]
            yield row['id'], got == '5', got
        else:
            yield (row['id'], *command_row(player, command, match[1] is None))


def james(player, suites):
    """S: a reply line by regular expression; C: sent."""
    for name in sorted(os.listdir(f'{suites}/james-mpt')):
        if not name.endswith('.test'):
            continue
        with open(f'{suites}/james-mpt/{name}', encoding='utf-8') as file:
            lines = file.read().split('\n')
        sent = b''.join(line[2:].strip().encode() + b'\r\n' for line in lines
                        if line.startswith('C:'))
        # "S: 250.*" stands for the first of several lines
        wanted = ''.join(line[3] for line in lines
                         if re.match(r'S: \d\d\d ', line))
        got = player.classes(sent)
        yield f'james-mpt/{name}', got == wanted, f'{got}, not {wanted}'


def curated(player, suites):
    """Prose: each id stands in the name of a row of our tables."""
    here = os.path.dirname(os.path.abspath(__file__))
    named = ''
    for name in os.listdir(here):
        if name.endswith('_test.c'):
            with open(f'{here}/{name}', encoding='utf-8') as file:
                named += file.read()
    for table in sorted(os.listdir(f'{suites}/curated')):
        with open(f'{suites}/curated/{table}', encoding='utf-8') as file:
            for line in file.read().split('\n')[1:]:
                word = line.split('\t')[0]
                if word:
                    yield word, re.search(rf'\b{word}\b', named) is not None, 'no row is named so'


def exceptions_of(path):
    found = {}
    with open(path, encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                row, reason = line.rstrip('\n').split('\t', 1)
                found[row] = reason
    return found


def judge(rows, exceptions, seen):
    """Complaints about one suite, and how many agreed and differed as listed."""
    complaints, agreed, differed = [], 0, 0
    for row, agrees, what in rows:
        seen.add(row)
        if agrees and row not in exceptions:
            agreed += 1
        elif not agrees and row in exceptions:
            differed += 1
        else:
            complaints.append(f'{row}: {what}' if not agrees else f'{row} is listed, and agrees')
    return complaints, agreed, differed


SUITES = [smuggling, curated, ghsmtp, chasquid, chasquid_texts, mox_texts, dovecot_texts, dovecot,
          stalwart, james, exim, exim_inputs]


def main():
    program, path = sys.argv[1:3]
    suites = sys.argv[3] if len(sys.argv) > 3 else os.path.join(
        os.environ.get('POSTERN_SHARED', ''), 'suites', 'smtp')
    if not os.path.isdir(suites):
        print('1..0 # SKIP the suites are not here')
        return
    player, exceptions, seen = Player(program), exceptions_of(path), set()
    print(f'1..{len(SUITES) + 1}')
    for number, suite in enumerate(SUITES, 1):
        complaints, agreed, differed = judge(suite(player, suites), exceptions, seen)
        for complaint in complaints:
            print(f'# {complaint}')
        print(f'{"not " if complaints else ""}ok {number} - {suite.__name__}: {agreed} agree, '
              f'{differed} differ as listed')
    unknown = sorted(set(exceptions) - seen)
    for row in unknown:
        print(f'# {row} is listed, and is no row')
    print(f'{"not " if unknown else ""}ok {len(SUITES) + 1} - every exception is a row')


main()
