"""A proxy in front of a PostgreSQL server, which can cut connections at the worst moments."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from pathlib import Path

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""The message by which the server confirms a commit."""


class PostgresProxy(threading.Thread):
    """Listens on a socket in ``folder`` for a server whose socket is elsewhere; one thread serves all connections."""

    def __init__(self, folder: Path, server: Path) -> None:
        super().__init__(name="proxy")
        self._server = str(server / ".s.PGSQL.5432")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._wake, self._woken = socket.socketpair()
        self._ended = False
        self.cut_response = False
        """Whether to cut a connection when the server confirms a commit, so that the client misses the message."""
        self.cut_question = False
        """Whether to cut a connection at the client's next message, which the server does not get."""
        self.cut_at = b""
        """The text of the client at which to cut a connection; the server does not get it."""
        self.refuses = False
        """Whether to cut new connections at once."""
        self.refuse_after_cut = False
        """Whether to start refusing with the next cut."""
        self.cuts = 0

    def run(self) -> None:
        while not self._ended:
            for ready in select.select([self._listener, self._woken, *self._peers], [], [])[0]:
                if ready is self._listener:
                    self._accept()
                elif ready in self._peers:
                    self._forward(ready)
        for end in [*self._peers, self._listener, self._wake, self._woken]:
            end.close()

    def end(self) -> None:
        self._ended = True
        self._wake.send(b".")
        self.join()

    def _accept(self) -> None:
        client, server = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
        if self.refuses:
            client.close()
            server.close()
            return
        server.connect(self._server)
        self._peers |= {client: server, server: client}
        self._clients.add(client)

    def _forward(self, source: socket.socket) -> None:
        data = b""
        with contextlib.suppress(ConnectionError):
            data = source.recv(65536)
        if source in self._clients:
            cut = self.cut_question or bool(self.cut_at and self.cut_at in data)
            self.cut_question = False
        else:
            cut = self.cut_response and COMMITTED in data
            self.cut_response = self.cut_response and not cut
        self.cuts += cut
        if cut and self.refuse_after_cut:
            self.refuses = True
        if data and not cut:
            self._peers[source].sendall(data)
            return
        peer = self._peers.pop(source)
        del self._peers[peer]
        source.close()
        peer.close()
