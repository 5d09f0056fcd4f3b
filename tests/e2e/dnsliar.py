# SPDX-License-Identifier: ISC
"""A server of the DNS that says whatever a test likes, octet by octet, by UDP and TCP.

liar = Liar(say); say(Query) returns a list of messages, each octets or (octets, False) to send it
from another port; for TCP the octets go out as they are, `framed` puts a length before them.
"""
import os
import socket
import struct
import threading

A, NS, CNAME, SOA, MX, DNAME, OPT, RRSIG, NSEC, DNSKEY, NSEC3, TLSA = \
    1, 2, 5, 6, 15, 39, 41, 46, 47, 48, 50, 52
ANSWER, TRUNCATED, AUTHENTIC = 0x8180, 0x8380, 0x81A0


def wire(name):
    """A name's labels, without compression."""
    return b''.join(bytes([len(label)]) + label.encode()
                    for label in name.rstrip('.').split('.') if label) + b'\0'


def record(name, kind, data, ttl=300):
    """`name`: text, or octets as they are to stand there."""
    owner = name if isinstance(name, bytes) else wire(name)
    return owner + struct.pack('>HHIH', kind, 1, ttl, len(data)) + data


def framed(message):
    return struct.pack('>H', len(message)) + message


def read_name(message, at):
    """(labels as a text, where it ends)"""
    labels, end = [], None
    while True:
        n = message[at]
        if n >= 0xC0:
            end = end or at + 2
            at = struct.unpack('>H', message[at:at + 2])[0] & 0x3FFF
            continue
        if n == 0:
            return '.'.join(labels), end or at + 1
        labels.append(message[at + 1:at + 1 + n].decode())
        at += n + 1


class Query:
    def __init__(self, octets, tcp=False):
        self.octets, self.tcp = octets, tcp
        self.id = octets[:2]
        self.name, end = read_name(octets, 12)
        self.kind = struct.unpack('>H', octets[end:end + 2])[0]
        self.question = octets[12:end + 4]
        self.name = self.name.lower()

    def reply(self, *records, flags=ANSWER, before=b'', counts=None, number=None, question=None,
              behind=b''):
        """`records`: the answer section; counts: what the header says of the sections."""
        counts = counts or (len(records), 0, 0)
        return (number or self.id) + struct.pack('>HHHHH', flags, 1, *counts) \
            + (question or self.question) + before + b''.join(records) + behind


def sections(message):
    """[answer, authority, additional], each of (name, type, ttl, data)."""
    counts = struct.unpack('>HHHH', message[4:12])
    at = 12
    for _ in range(counts[0]):
        _, at = read_name(message, at)
        at += 4
    found = []
    for count in counts[1:]:
        found.append([])
        for _ in range(count):
            name, at = read_name(message, at)
            kind, _, ttl, n = struct.unpack('>HHIH', message[at:at + 10])
            found[-1].append((name, kind, ttl, message[at + 10:at + 10 + n]))
            at += 10 + n
    return found


class Liar:
    def __init__(self, say):
        self.say, self.ends, self.asked = say, False, []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', 0))
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(('127.0.0.1', 0))
        self.port = self.udp.getsockname()[1]
        self.tcp = socket.create_server(('127.0.0.1', self.port))
        self.address = f'127.0.0.1:{self.port}'
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def serve_udp(self):
        while not self.ends:
            try:
                octets, who = self.udp.recvfrom(65536)
                if not octets:
                    continue            # it is being stopped
                query = Query(octets)
                self.asked.append((query.name, query.kind))
                for said in self.say(query) or []:
                    octets, ours = said if isinstance(said, tuple) else (said, True)
                    (self.udp if ours else self.other).sendto(octets, who)
            except OSError:
                if self.ends:
                    return

    def serve_tcp(self):
        while not self.ends:
            try:
                client, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        """What is said goes out in the pieces that it comes in; b'' hangs up by a reset."""
        try:
            with client:
                while True:
                    head = client.recv(2, socket.MSG_WAITALL)
                    if len(head) < 2:
                        return
                    octets = client.recv(struct.unpack('>H', head)[0], socket.MSG_WAITALL)
                    for piece in self.say(Query(octets, True)) or []:
                        if piece == b'':
                            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              struct.pack('ii', 1, 0))
                            return
                        client.sendall(piece)
        except OSError:
            pass

    def stop(self):
        self.ends = True
        for sock in (self.udp, self.other, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def ask_truth(lab, octets, tcp=False):
    """What the lab's own server says to that."""
    if tcp:
        with socket.create_connection((lab.ip, lab.port), 10) as sock:
            sock.sendall(framed(octets))
            n = struct.unpack('>H', sock.recv(2, socket.MSG_WAITALL))[0]
            return sock.recv(n, socket.MSG_WAITALL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.sendto(octets, (lab.ip, lab.port))
        return sock.recv(65536)


def hands_on(lab, change):
    """A liar between us and the lab: change(query, truth) is what is said, None: the truth."""
    def say(query):
        truth = ask_truth(lab, query.octets, query.tcp)
        said = change(query, truth)
        said = truth if said is None else said
        return [framed(said)] if query.tcp else [said]
    return Liar(say)


def random_octets(n):
    return os.urandom(n)
