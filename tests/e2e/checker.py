# SPDX-License-Identifier: ISC
"""The offline history checker: two lists, what clients were told and what lies in the mailboxes.

A Sender writes the first list while anything may happen to the server; found_in() makes the second
from the files; judge() compares them, and knows nothing else of the server than when it was hit.

  lost       a letter was answered 250 and lies nowhere
  corrupted  a letter lies there whose octets are not those that were sent
  phantom    a letter lies there that nobody sent, or that was refused for good
  doubled    a letter lies there twice: inside the window when the server was hit between the
             writing of one copy and of the next, so that the note of the first could get lost;
             else outside, and that is never right
"""
import os
import re
import threading
import time
from collections import Counter, namedtuple

from harness import Client, Refused, below_the_fields, digest, equal, true, wait_until

HEAD = b'From: <a@example.com>\r\nSubject: promise\r\n'
TAKEN, REFUSED, UNKNOWN = 'taken', 'refused', 'unknown'
SIZES = (10, 300, 5000, 300000)
MARK = re.compile(rb'X-Mark: (\S+)')

Told = namedtuple('Told', 'mark digest outcome')
Found = namedtuple('Found', 'mark digest written path')


class Verdict:
    """What judge() found: lists of marks."""

    def __init__(self):
        self.lost, self.corrupted, self.phantom = [], [], []
        self.inside, self.outside = [], []
        self.taken = self.files = 0

    def words(self):
        return f'{self.taken} letters acknowledged, {self.files} in the mailboxes: ' \
               f'{len(self.lost)} lost, {len(self.corrupted)} corrupted, ' \
               f'{len(self.phantom)} phantom, {len(self.inside)} doubled inside the window, ' \
               f'{len(self.outside)} outside'

    def must_be_well(self):
        for name in ('lost', 'corrupted', 'phantom', 'outside'):
            equal(getattr(self, name)[:10], [], f'{name}; {self.words()}')


def letter(mark, size):
    return HEAD + f'X-Mark: {mark}\r\n\r\n'.encode() + (b'%s.' % mark.encode() * size)[:size] \
        + b'\r\n'


def as_kept(text):
    """The digest of a letter as a mailbox keeps it, below the fields that are put on top."""
    return digest(text.replace(b'\r\n', b'\n'))


class Sender(threading.Thread):
    """Sends letters one after another, whatever happens to the server; each mark once."""

    def __init__(self, server, name, sizes=SIZES, users=('you',), rest=0.0):
        super().__init__(daemon=True)
        self.server, self.letter_name, self.sizes = server, name, sizes
        self.users, self.rest = users, rest
        self.silent = []        # letters, and when a whole minute passed without an answer
        self.sent, self.taken, self.told, self.over = 0, 0, [], threading.Event()

    def one_letter(self, client):
        mark = f'{self.letter_name}-{self.sent:06d}'
        text = letter(mark, self.sizes[self.sent % len(self.sizes)])
        user = self.users[self.sent % len(self.users)]
        self.sent += 1
        at = len(self.told)
        self.told.append(Told(mark, as_kept(text), UNKNOWN))    # now it may come to lie there
        try:
            client.envelope('a@example.com', [f'{user}@example.org'], ' BODY=8BITMIME')
            if self.sent % 2 == 0:
                client.data(text)
            else:
                client.bdat(text)
        except Refused as answer:
            if str(answer).startswith('5'):
                self.told[at] = self.told[at]._replace(outcome=REFUSED)
            raise
        self.told[at] = self.told[at]._replace(outcome=TAKEN)
        self.taken += 1

    def one_session(self):
        with Client(self.server.port) as client:
            for _ in range(10):
                if self.over.is_set():
                    return
                self.one_letter(client)
                time.sleep(self.rest)

    def run(self):
        while not self.over.is_set():
            try:
                self.one_session()
            except TimeoutError:
                self.silent.append(f'{self.letter_name}-{self.sent} {time.strftime("%T")}')
            except (OSError, Refused):
                time.sleep(0.02)


class Crowd:
    """Several senders, and what they were told; `with` ends them."""

    def __init__(self, server, count=4, name='sender', **more):
        self.server, self.hits = server, []
        self.senders = [Sender(server, f'{name}{number}', **more) for number in range(count)]

    def __enter__(self):
        for sender in self.senders:
            sender.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for sender in self.senders:
            sender.over.set()
        for sender in self.senders:
            sender.join(60)

    def taken(self):
        return sum(sender.taken for sender in self.senders)

    def hit(self):
        """The server is hit now."""
        self.hits.append(time.time())

    def told(self):
        return [row for sender in self.senders for row in sender.told]


def files_of(server):
    """The paths of all letters in all mailboxes, read or not."""
    root = os.path.join(server.disk, 'mail')
    for folder, _, names in os.walk(root):
        if os.path.basename(folder) in ('new', 'cur'):
            yield from (os.path.join(folder, name) for name in names)


def found_in(server):
    """The second list, from the files themselves."""
    found = []
    for path in files_of(server):
        with open(path, 'rb') as file:
            octets, written = file.read(), os.fstat(file.fileno()).st_mtime
        mark = MARK.search(octets[:4096])
        try:
            below = digest(below_the_fields(octets))
        except AssertionError:
            below = 'no fields on top'
        found.append(Found(mark.group(1).decode() if mark else '', below, written, path))
    return found


def is_inside(copies, hits):
    """Between every two copies of a letter the server was hit."""
    slack = 0.01        # a file's time is the tick before
    times = sorted(copy.written for copy in copies)
    return all(any(a - slack <= hit <= b + slack for hit in hits)
               for a, b in zip(times, times[1:]))


def judge(told, found, hits):
    """The verdict over the two lists."""
    verdict = Verdict()
    sent = {row.mark: row for row in told}
    there = {}
    for row in found:
        there.setdefault(row.mark, []).append(row)
    verdict.taken = sum(1 for row in told if row.outcome == TAKEN)
    verdict.files = len(found)
    verdict.lost = [row.mark for row in told if row.outcome == TAKEN and row.mark not in there]
    for mark, copies in there.items():
        if mark not in sent or sent[mark].outcome == REFUSED:
            verdict.phantom.append(mark or copies[0].path)
            continue
        if any(copy.digest != sent[mark].digest for copy in copies):
            verdict.corrupted.append(mark)
        if len(copies) > 1:
            (verdict.inside if is_inside(copies, hits) else verdict.outside).append(mark)
    return verdict


def wait_for_delivery(server, crowd, seconds=120):
    """Until what was acknowledged can have been delivered, or the time is over: nothing queued."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if sum(1 for _ in files_of(server)) >= crowd.taken() and queued(server) == 0:
            return
        time.sleep(0.1)


def queued(server):
    """Lines of `postern queue` that speak of a letter; None: it does not answer."""
    done = server.run('queue', '--json')
    return None if done.returncode != 0 else len(done.stdout.splitlines())


def check_history(server, crowd, least=20):
    """All is delivered, and the two lists agree. The verdict."""
    wait_for_delivery(server, crowd)
    verdict = judge(crowd.told(), found_in(server), crowd.hits)
    verdict.must_be_well()
    for sender in crowd.senders:
        for what in sender.silent:
            print(f'# a minute without an answer: {what}')
    true(verdict.taken >= least, f'only {verdict.taken} letters were acknowledged')
    return verdict


def finds_what_is_planted(_):
    """The checker itself: each kind of harm, planted in a history, is found as that, no other."""
    def told(mark, outcome=TAKEN):
        return Told(mark, 'd' + mark, outcome)

    def found(mark, written=0.0, octets=None):
        return Found(mark, octets or 'd' + mark, written, f'new/{mark}.{written}')
    table = [
        ('nothing', [told('a')], [found('a')], [], {}),
        ('an answer that got lost', [told('a', UNKNOWN)], [found('a')], [], {}),
        ('no answer, no letter', [told('a', UNKNOWN)], [], [], {}),
        ('lost', [told('a'), told('b')], [found('b')], [], {'lost': ['a']}),
        ('corrupted', [told('a')], [found('a', octets='x')], [], {'corrupted': ['a']}),
        ('part of one', [told('a', UNKNOWN)], [found('a', octets='x')], [], {'corrupted': ['a']}),
        ('phantom', [told('a')], [found('a'), found('b')], [], {'phantom': ['b']}),
        ('refused', [told('a', REFUSED)], [found('a')], [], {'phantom': ['a']}),
        ('no mark', [], [found('')], [], {'phantom': ['new/.0.0']}),
        ('inside', [told('a')], [found('a', 1), found('a', 3)], [2], {'inside': ['a']}),
        ('outside', [told('a')], [found('a', 1), found('a', 3)], [4], {'outside': ['a']}),
        ('three, one hit', [told('a')], [found('a', 1), found('a', 3), found('a', 5)], [2],
         {'outside': ['a']}),
    ]
    for name, said, files, hits, want in table:
        verdict = judge(said, files, hits)
        for kind in ('lost', 'corrupted', 'phantom', 'inside', 'outside'):
            equal(getattr(verdict, kind), want.get(kind, []), f'{name}: {kind}')


def wait_for_more(crowd, count, what):
    before = crowd.taken()
    wait_until(lambda: crowd.taken() >= before + count, what)
