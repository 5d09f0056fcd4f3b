#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""SPL-017: kill -9 of every process in turn, KILLS times (environment; 300), while clients send;
the two lists of checker.py are then compared."""
import os
import random
import signal
import time

import harness
from checker import Crowd, check_history, wait_for_more
from harness import equal, wait_until

KILLS = int(os.environ.get('KILLS', '300'))
MASTER_EVERY = 31       # no multiple of the roles' number: what was killed before it differs
# master lets a role rest that dies six times running before it is a second old: one death in four
# is that of a grown-up.
GROWN_UP, YOUNG_DEATHS = 1.1, 3
USERS = ('you', 'ann', 'bob')


class Lives:
    """Since when each role's process is there, and how many died young before it."""

    def __init__(self, server):
        self.server, self.since = server, {}
        self.young = dict.fromkeys(server.roles(), 0)

    def look(self):
        now, roles = time.monotonic(), self.server.roles()
        self.since = {(role, pid): self.since.get((role, pid), now) for role, pid in roles.items()}
        return roles

    def may_die(self, role):
        """Its pid; None before it is there, and old enough."""
        pid = self.look().get(role)
        old = pid is not None and time.monotonic() - self.since[role, pid] > GROWN_UP
        if pid is None or (not old and self.young[role] >= YOUNG_DEATHS):
            return None
        self.young[role] = 0 if old else self.young[role] + 1
        return pid


def kill_role(lives, crowd, role):
    pid = wait_until(lambda: lives.may_die(role), f'{role} to run')
    time.sleep(random.uniform(0, 0.03))
    crowd.hit()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: lives.look().get(role) not in (None, pid), f'{role} to be started again')


def kill_master(server, crowd):
    crowd.hit()
    server.kill()
    server.start()


def each_in_turn(bench):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    print(f'# seed {seed}')
    server = bench.server(more='retry 1s\nfronts 2\nsegment-size 1M')
    for user in USERS:
        server.mailbox(user)
    server.start()
    roles = sorted(server.roles())
    lives, count = Lives(server), dict.fromkeys((*roles, 'master'), 0)
    sizes = (10, 300, 5000) * 9 + (300000,)
    with Crowd(server, sizes=sizes, users=USERS, rest=0.004) as crowd:
        for number in range(KILLS):
            wait_for_more(crowd, 4, f'letters to be taken after kill {number}')
            role = 'master' if number % MASTER_EVERY == MASTER_EVERY - 1 \
                else roles[number % len(roles)]
            if role == 'master':
                kill_master(server, crowd)
            else:
                kill_role(lives, crowd, role)
            count[role] += 1
    verdict = check_history(server, crowd)
    print(f'# {KILLS} kills {count}; {verdict.words()}')
    equal(server.stop(), 0, 'status at the end')


if __name__ == '__main__':
    harness.main([each_in_turn])
