# SPDX-License-Identifier: ISC
"""Slow clients (Slowloris): each holds a connection and sends one octet of a command at a time."""
import selectors
import socket
import threading
import time

OCTETS = b'EHLO ' + b'x' * 400 + b'\r\n'


class Loris:
    """`count` connections, each of which sends an octet every `every` seconds, until the end of the
    with statement; one that the server closes is opened again."""

    def __init__(self, port, count, every=10.0):
        self.port, self.count, self.every = port, count, every
        self.sent = self.reopened = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.held = []

    def open(self):
        return [socket.create_connection(('127.0.0.1', self.port), 30), 0]

    def __enter__(self):
        self.held = [self.open() for _ in range(self.count)]
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        for each, _ in self.held:
            each.close()

    def run(self):
        """Round after round, spread evenly over the time between two octets."""
        rest = self.every / self.count
        due = time.monotonic()
        while not self.stopping.is_set():
            for number in range(self.count):
                due += rest
                if self.stopping.wait(max(0.0, due - time.monotonic())):
                    return
                self.send(number)

    def send(self, number):
        connection, at = self.held[number]
        try:
            connection.sendall(OCTETS[at % len(OCTETS):][:1])
            self.held[number][1] = at + 1
            self.sent += 1
        except OSError:
            connection.close()
            self.held[number] = self.open()
            self.reopened += 1

    def alive(self):
        """How many the server has not closed."""
        with selectors.DefaultSelector() as ready:
            for each, _ in self.held:
                each.setblocking(False)
                ready.register(each, selectors.EVENT_READ)
            closed = 0
            for key, _ in ready.select(0):
                try:
                    while True:
                        if key.fileobj.recv(4096) == b'':
                            closed += 1
                            break
                except BlockingIOError:
                    pass
                except OSError:
                    closed += 1
            for each, _ in self.held:
                each.setblocking(True)
        return self.count - closed
