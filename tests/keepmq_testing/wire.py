"""Sockets to a broker, and what may come of them."""

import socket
import ssl
import time

from keepmq_testing.broker import Broker
from keepmq_testing.waiting import PATIENCE


class Closed(Exception):
    """The broker ended the connection."""


class Wire:
    """A connection: bytes out, bytes in with a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unread = bytearray()

    @classmethod
    def open(cls, broker: Broker, protocol: str, tls: bool = True) -> "Wire":
        """Connects to a listener of a broker."""
        sock = socket.create_connection(("127.0.0.1", broker.port(protocol, tls)), PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not tls:
            return cls(sock)
        return cls(broker.tls_context().wrap_socket(sock, server_hostname="localhost"))

    def send(self, data: bytes) -> None:
        """Sends all of it."""
        try:
            self.sock.sendall(data)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error

    def fill(self, deadline: float) -> None:
        """Reads once; `TimeoutError` when nothing comes until the deadline (of the monotonic clock)."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing more came in time")
        self.sock.settimeout(left)
        try:
            read = self.sock.recv(262_144)
        except TimeoutError:
            raise TimeoutError("nothing more came in time") from None
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        finally:
            self.sock.settimeout(PATIENCE)
        if not read:
            raise Closed("the broker closed the connection")
        self.unread += read

    def wait_closed(self, within: float = PATIENCE) -> bytes:
        """Waits until the broker ends the connection; returns what it said before."""
        deadline = time.monotonic() + within
        try:
            while True:
                self.fill(deadline)
        except Closed:
            return bytes(self.unread)

    def close(self) -> None:
        """Ends it without a word."""
        self.sock.close()
