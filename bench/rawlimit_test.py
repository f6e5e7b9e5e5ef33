#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that rawlimit serves, so that what is compared with it is compared with something.

Usage: rawlimit_test.py RAWLIMIT
"""

import re
import socket
import subprocess
import sys
import unittest

RAWLIMIT = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bench/rawlimit"
WAIT_MAX_S = 20  # for an answer; only a failing test waits as long
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n"
PUBLISHED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def receive(peer, count):
    """Returns the next `count` bytes of a socket, or all up to its end."""
    received = b""
    while len(received) < count:
        chunk = peer.recv(count - len(received))
        if not chunk:
            break
        received += chunk
    return received


class RawLimit(unittest.TestCase):
    def start(self, *arguments):
        """Starts one at a free port, which it stops after the test."""
        process = subprocess.Popen(
            [RAWLIMIT, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])

    def connect(self, request=b""):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_MAX_S)
        self.addCleanup(peer.close)
        peer.sendall(request)
        return peer

    def reader(self):
        peer = self.connect(b"GET /sub HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(receive(peer, len(HEAD)), HEAD)
        return peer

    def publish(self, peer, body):
        peer.sendall(b"POST /pub HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        self.assertEqual(receive(peer, len(PUBLISHED)), PUBLISHED)

    def test_each_reader_gets_each_event_once_and_in_order(self):
        for threads in ("1", "2"):
            with self.subTest(threads=threads):
                self.start("--threads", threads)
                readers = [self.reader() for _ in range(8)]
                publisher = self.connect()
                self.publish(publisher, b"a")
                self.publish(publisher, b"bc")
                expected = b"id: 1\ndata: a\n\nid: 2\ndata: bc\n\n"
                for reader in readers:
                    self.assertEqual(receive(reader, len(expected)), expected)

    def test_a_reader_that_stalls_gets_all_when_it_reads_again(self):
        self.start()
        reader = self.reader()
        publisher = self.connect()
        body = b"x" * 1_000_000  # more in all than socket buffers hold
        for _ in range(16):
            self.publish(publisher, body)
        for event in range(1, 17):
            expected = b"id: %d\ndata: %s\n\n" % (event, body)
            self.assertTrue(receive(reader, len(expected)) == expected, f"event {event}")

    def test_requests_that_come_together_or_in_pieces_are_all_answered(self):
        self.start()
        reader = self.reader()
        request = b"POST /pub HTTP/1.1\r\nContent-Length: 1\r\n\r\n"
        publisher = self.connect(request + b"a" + request)
        self.assertEqual(receive(publisher, len(PUBLISHED)), PUBLISHED)
        publisher.sendall(b"b")
        self.assertEqual(receive(publisher, len(PUBLISHED)), PUBLISHED)
        expected = b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n"
        self.assertEqual(receive(reader, len(expected)), expected)

    def test_a_reader_that_goes_is_forgotten(self):
        self.start()
        leaving, staying = self.reader(), self.reader()
        leaving.close()
        publisher = self.connect()
        for _ in range(3):
            self.publish(publisher, b"a")
        expected = b"".join(b"id: %d\ndata: a\n\n" % event for event in (1, 2, 3))
        self.assertEqual(receive(staying, len(expected)), expected)


if __name__ == "__main__":
    unittest.main()
