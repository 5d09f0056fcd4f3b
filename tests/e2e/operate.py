#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""`postern queue VERB`: what an operator does to letters that wait."""
import json
import os

import harness
from harness import Client, equal, id_of, true, wait_until

TEXT = b'Subject: hello\r\n\r\nhello\r\n'
NOTHING = 1


def take(server, recipients, sender='sender@example.com', text=TEXT):
    with Client(server.port) as client:
        client.envelope(sender, recipients)
        letter = id_of(client.data(text))
        client.quit()
    return letter


def waiting(bench, more=''):
    """A server whose mailboxes `you` and `me` cannot be written: their letters wait."""
    server = bench.server(more='retry 1h\n' + more).start()
    for name in ('you', 'me'):
        block(server, name)
    return server


def block(server, name):
    with open(os.path.join(server.mailbox(name), 'tmp'), 'w', encoding='utf-8') as file:
        file.write('in the way')


def unblock(server, name):
    os.unlink(os.path.join(server.mailbox(name), 'tmp'))


def rows(server, *filters):
    done = server.run('queue', '--json', *filters)
    equal(done.returncode, 0, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def wait_for_states(server, want):
    """Every recipient has been tried, or held; and none is being tried now."""
    wait_until(lambda: [(row['state'], row['in_flight']) for row in rows(server)]
               == [(state, False) for state in want], f'states {want}')


def act(server, *words, want=0):
    done = server.run('queue', *words)
    equal(done.returncode, want, f'{words}: {done.stdout}{done.stderr}')
    return done.stdout


def events(server, letter):
    return [json.loads(line) for line in server.run('trace', '--json', letter).stdout.splitlines()]


def wait_for_event(server, letter, what):
    """The history is written a moment after the log, and not synced."""
    wait_until(lambda: what in [event['event'] for event in events(server, letter)], what)


def nothing_without_a_filter(bench):
    server = waiting(bench)
    take(server, ['you@example.org'])
    wait_for_states(server, ['waiting'])
    for words in (['delete'], ['hold', '--reason', 'x'], ['redirect', '--all'],
                  ['redirect', 'no address', '--all'], ['--dry-run', '--all'],
                  ['bounce', '--older-than', 'soon'], ['delete', '--id', 'x'],
                  ['delete', '--from'], ['erase', '--all'], ['delete', '--all', 'more'],
                  ['bounce', '--all', '--reason', 'two\nlines']):
        done = server.run('queue', *words)
        equal((done.returncode, done.stdout), (64, ''), f'{words}: {done.stderr}')
        true(done.stderr, f'{words} is told what is wrong')
    equal(len(rows(server)), 1, 'rows')
    act(server, 'delete', '--from', '', want=NOTHING)
    act(server, 'release', '--all', want=NOTHING)


def filters(bench):
    server = waiting(bench)
    first = take(server, ['you@example.org', 'me@example.org'])
    second = take(server, ['me@example.org'], 'Other@Sub.example.com')
    wait_for_states(server, ['waiting'] * 3)
    for words, want in ((['--all'], 3), (['--id', first], 2), (['--to', 'me@EXAMPLE.org'], 2),
                        (['--to', '<me@example.org>', '--id', second], 1),
                        (['--from', 'Other@sub.example.com'], 1), (['--from', '@example.com'], 2),
                        (['--from', ''], 0), (['--domain', 'Example.Org'], 3),
                        (['--domain', 'example.com'], 0), (['--older-than', '1h'], 0),
                        (['--older-than', '0s'], 3), (['--held'], 0), (['--waiting'], 3)):
        equal(len(rows(server, *words)), want, words)
        out = server.run('queue', 'delete', '--dry-run', '--json', *words).stdout.splitlines()
        equal((len(out) - 1, json.loads(out[-1])['recipients']), (want, want), f'dry run {words}')
    true('2 recipients of 1 letter would be deleted.' in
         act(server, 'delete', '--dry-run', '--id', first), 'the words of a dry run')
    equal(len(rows(server)), 3, 'a dry run changes nothing')


def hold_and_release(bench):
    server = waiting(bench)
    letter = take(server, ['you@example.org', 'me@example.org'])
    wait_for_states(server, ['waiting'] * 2)
    out = act(server, 'hold', '--id', letter, '--to', 'me@example.org', '--reason', 'look at it')
    equal(out, '1 recipient of 1 letter: held.\n', 'hold')
    wait_for_event(server, letter, 'held')
    server.kill()           # it was safe on disk when it was answered
    server.start()
    wait_for_states(server, ['waiting', 'held'])
    true('look at it' in rows(server, '--held')[0]['reason'], rows(server))
    unblock(server, 'me')
    unblock(server, 'you')
    act(server, 'retry', '--all')
    server.wait_for_letters(1)
    equal(server.letters('me'), {}, 'who is held gets nothing')
    act(server, 'retry', '--id', letter, want=NOTHING)
    act(server, 'release', '--held')
    server.wait_for_letters(1, 'me')
    wait_until(lambda: rows(server) == [], 'an empty queue')
    wait_for_event(server, letter, 'released')
    told = events(server, letter)
    held = [event for event in told if event['event'] == 'held']
    equal([(event['recipient'], event['uid'], event['text']) for event in held],
          [('me@example.org', os.getuid(), 'look at it')], 'the history')
    true({'retried', 'released'} <= {event['event'] for event in told}, told)
    true('held for <me@example.org>, by uid' in server.run('trace', letter).stdout, 'in words')


def delete(bench):
    server = waiting(bench)
    letter = take(server, ['you@example.org', 'me@example.org'])
    wait_for_states(server, ['waiting'] * 2)
    act(server, 'delete', '--to', 'you@example.org')
    equal([row['recipient'] for row in rows(server)], ['me@example.org'], 'the other stays')
    out = json.loads(act(server, 'delete', '--all', '--json'))
    equal((out['verb'], out['recipients'], out['letters']), ('delete', 1, 1), out)
    equal(rows(server), [], 'an empty queue')
    wait_until(lambda: len(events(server, letter)) >= 5, 'the history')
    server.kill()
    server.start()
    equal(rows(server), [], 'also after a restart')
    true('Now: 2 recipients: deleted.' in server.run('trace', letter).stdout, 'trace')


def bounce(bench):
    server = waiting(bench)
    server.mailbox('sender')
    letter = take(server, ['you@example.org', 'me@example.org'], 'sender@example.org')
    wait_for_states(server, ['waiting'] * 2)
    act(server, 'bounce', '--to', 'you@example.org', '--reason', 'No such person works here.')
    report = b''.join(server.wait_for_letters(1, 'sender').values())
    for words in (b'Status: 5.7.0', b'No such person works here.', b'Subject: hello',
                  b'Final-Recipient: rfc822; you@example.org', b'Action: failed'):
        true(words in report, f'{words} in the report: {report.decode()}')
    equal([row['recipient'] for row in rows(server)], ['me@example.org'], 'the other stays')
    wait_for_event(server, letter, 'bounced')


def who_has_no_sender_is_not_bounced(bench):
    server = waiting(bench)
    take(server, ['you@example.org'], '')
    wait_for_states(server, ['waiting'])
    true('no sender to tell' in act(server, 'bounce', '--all', want=NOTHING), 'told so')
    wait_for_states(server, ['waiting'])


def redirect(bench):
    server = waiting(bench)
    server.mailbox('new')
    large = b'Subject: large\r\n\r\n' + b'x' * 70 + (b'\r\n' + b'y' * 70) * 6000 + b'\r\n'
    letters = [take(server, ['you@example.org', 'me@example.org'], text=text)
               for text in (TEXT, large)]
    wait_for_states(server, ['waiting'] * 4)
    out = act(server, 'redirect', 'new@example.org', '--to', 'me@example.org')
    equal(out, '2 recipients of 2 letters: redirected.\n', 'redirect')
    found = server.wait_for_letters(2, 'new')
    for letter in letters:
        wait_for_event(server, letter, 'delivered')
    true(any(large[-2000:] in text.replace(b'\n', b'\r\n').replace(b'\r\r', b'\r')
             for text in found.values()), 'the large text')
    equal({row['recipient'] for row in rows(server)}, {'you@example.org'}, 'who waits')
    server.kill()
    server.start()
    wait_for_states(server, ['waiting'] * 2)
    unblock(server, 'you')
    act(server, 'retry', '--all')
    server.wait_for_letters(2)
    wait_until(lambda: rows(server) == [], 'an empty queue')
    equal((len(server.letters('new')), server.letters('me')), (2, {}), 'each once')
    for subject in (letters[0], 'new@example.org'):
        true('redirected to <new@example.org>' in server.run('trace', subject).stdout, subject)


def redirect_before_the_first_try(bench):
    """The text is still in memory, with the old recipients: it is not used."""
    server = bench.server(more='deliver no').start()
    server.mailbox('new')
    take(server, ['you@example.org'])
    act(server, 'redirect', 'new@example.org', '--all')
    equal([(row['recipient'], row['state']) for row in rows(server)],
          [('new@example.org', 'new')], 'who waits')
    server.stop()
    server.configure()
    server.start()
    server.wait_for_letters(1, 'new')
    equal(server.letters(), {}, 'the old one has nothing')


def suspend_a_domain_of_ours(bench):
    server = bench.server(more='retry 1h\n').start()
    act(server, 'suspend', 'example.org', '--reason', 'its disk is full')
    letter = take(server, ['you@example.org'])
    wait_for_states(server, ['waiting'])
    wait_until(lambda: 'its disk is full' in rows(server)[0]['reason'], 'the reason')
    equal(server.letters(), {}, 'nothing was delivered')
    true('1 recipient of 1 letter' in act(server, 'resume', 'example.org'), 'resumed')
    server.wait_for_letters(1)
    wait_for_event(server, letter, 'delivered')
    act(server, 'suspend', 'no domain', want=64)


def many_letters(bench):
    server = bench.server(more='deliver no').start()
    with Client(server.port) as client:
        for _ in range(350):
            client.envelope('sender@example.com', ['you@example.org'])
            client.data(TEXT)
    true('350 recipients of 350 letters: held.' in act(server, 'hold', '--all'), 'hold')
    equal({row['state'] for row in rows(server)}, {'held'}, 'states')
    true('350 recipients of 350 letters: deleted.' in act(server, 'delete', '--held'), 'delete')
    equal(rows(server), [], 'an empty queue')


def without_a_server(bench):
    server = bench.server(more='deliver no').start()
    take(server, ['you@example.org'])
    server.stop()
    equal(server.run('queue', 'delete', '--all').returncode, 69, 'only a server may')
    true('you@example.org' in server.run('queue').stdout, 'the letter is there')


if __name__ == '__main__':
    harness.main([
        nothing_without_a_filter, filters, hold_and_release, delete, bounce,
        who_has_no_sender_is_not_bounced, redirect, redirect_before_the_first_try,
        suspend_a_domain_of_ours, many_letters, without_a_server])
