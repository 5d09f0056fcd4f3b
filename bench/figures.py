# SPDX-License-Identifier: ISC
"""What is measured, and what it should be: the cells that are run and the figures read off them."""
from dataclasses import dataclass, field


@dataclass
class Cell:
    """One dialogue of mailstorm: its options, and how many letters make a run of about a second."""

    options: str
    letters: dict = field(default_factory=dict)
    warm: int = 300

    def letters_for(self, server):
        return self.letters.get(server, self.letters['postern'])


def many(ours, postfix, reference=None):
    return {'postern': ours, 'postfix': postfix, 'reference': reference or ours}


CELLS = {
    '1k-50x1': Cell('-c 50 -p 1 -s 1k', many(12000, 2000)),
    '1k-50x1-starttls': Cell('-S -c 50 -p 1 -s 1k', many(3000, 600)),
    '1k-50x20': Cell('-c 50 -p 20 -s 1k', many(24000, 3000)),
    '1k-50x20-pipelined': Cell('-c 50 -p 20 -s 1k -P', many(60000, 3000)),
    '1k-50x20-bdat': Cell('-c 50 -p 20 -s 1k -P -B', many(150000, 3000), warm=2000),
    '100k-50x20': Cell('-c 50 -p 20 -s 100k', many(6000, 1500)),
    '50m-4x5': Cell('-c 4 -p 5 -s 50M --declare-size', many(20, 20), warm=4),
    '1k-1x1': Cell('-c 1 -p 1 -s 1k', many(3000, 800)),
}


@dataclass
class Figure:
    """A figure and its goal: on the ratio to the peer's, or on ours alone."""

    name: str
    cell: str           # of CELLS, or a measurement of its own: idle, loris, start, maildir, lmtp,
                        # relay-...
    metric: str
    unit: str
    goal: float
    on: str
    better: str
    share: float = 0    # of the reference in the same run: enough, whatever the ratio is; 0: none

    def met(self, ours, ratio, share=None):
        if self.share > 0 and share is not None and share >= self.share:
            return True
        value = ours if self.on == 'ours' else ratio
        if value is None:
            return False
        return value >= self.goal if self.better == 'higher' else value <= self.goal


def accept(name, cell, goal, metric='msgs_per_s', unit='letters/s'):
    return Figure(name, cell, metric, unit, goal, 'ratio', 'higher')


FIGURES = [
    accept('accept-1k-one-a-session', '1k-50x1', 7),
    Figure('accept-1k-starttls', '1k-50x1-starttls', 'msgs_per_s', 'letters/s', 4, 'ratio',
           'higher', share=0.6),
    accept('accept-1k-lock-step', '1k-50x20', 10),
    accept('accept-1k-pipelined', '1k-50x20-pipelined', 25),
    accept('accept-1k-bdat', '1k-50x20-bdat', 40),
    accept('accept-100k', '100k-50x20', 5),
    accept('accept-50m', '50m-4x5', 3, 'MB_per_s', 'MB/s'),
    Figure('latency-p50', '1k-1x1', 'p50_ms', 'ms', 0.3, 'ours', 'lower'),
    Figure('cpu-per-letter', '1k-50x20', 'cpu_us', 'us', 0.1, 'ratio', 'lower'),
    Figure('flushes-per-letter', '1k-50x20', 'flushes', 'flushes', 0.1, 'ours', 'lower'),
    Figure('idle-connection', 'idle', 'kib', 'KiB PSS', 16, 'ours', 'lower'),
    Figure('idle-tls-connection', 'idle-tls', 'kib', 'KiB PSS', 64, 'ours', 'lower'),
    Figure('slow-loris', 'loris', 'p99_ms', 'ms', 250, 'ours', 'lower'),
    Figure('start-100k-queued', 'start', 'seconds', 's', 0.3, 'ours', 'lower'),
    Figure('maildir-delivery', 'maildir', 'delivered_per_s', 'letters/s', 3, 'ratio', 'higher'),
    Figure('lmtp-delivery', 'lmtp', 'delivered_per_s', 'letters/s', 5, 'ratio', 'higher'),
    Figure('relay-1k', 'relay-1k', 'relayed_per_s', 'letters/s', 8, 'ratio', 'higher'),
    Figure('relay-100k', 'relay-100k', 'relayed_per_s', 'letters/s', 4, 'ratio', 'higher'),
    Figure('relay-cpu', 'relay-1k', 'cpu_us', 'us', 0.2, 'ratio', 'lower'),
    Figure('relay-tls', 'relay-tls', 'relayed_per_s', 'letters/s', 1, 'ratio', 'higher'),
    Figure('relay-tls-resumed', 'relay-tls-resumed', 'relayed_per_s', 'letters/s', 1, 'ratio',
           'higher'),
    Figure('relay-dead', 'relay-dead', 'part', 'of the rate without', 0.9, 'ours', 'higher'),
    Figure('explain-corpus', 'explain-corpus', 'per_s', 'bounces/s', 100000, 'ours', 'higher'),
    Figure('explain-texts', 'explain-texts', 'per_s', 'replies/s', 2000000, 'ours', 'higher'),
    Figure('explain-memory', 'explain-texts', 'peak_mib', 'MiB', 16, 'ours', 'lower'),
    Figure('explain-mbox', 'explain-mbox', 'MB_per_s', 'MB/s', 300, 'ours', 'higher'),
    Figure('memory-queued-letter', 'start', 'octets', 'octets', 200, 'ours', 'lower'),
]
