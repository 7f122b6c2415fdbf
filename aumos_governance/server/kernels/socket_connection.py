"""One process of a kernel, connected to the local socket."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import orjson

from ...clock import monotonic
from ...errors import AumOSGovernanceError, InvalidRequestError
from ...wire.line_channel import LineChannel
from ...wire.protocol import MAX_LINE, NESTED_TOO_DEEP, PROTOCOL_VERSION, error_response, responses_message, shown
from .conversation import Conversation

__all__ = ["TOO_MANY_CONNECTIONS", "Admit", "SocketConnection"]

TOO_MANY_CONNECTIONS: Final = "TOO_MANY_CONNECTIONS"
"""The code of the refusal of a connection beyond a limit."""
Admit = Callable[["SocketConnection", object, socket.socket], Conversation]
"""The conversation of the holder of this token on this connection; raises AumOSGovernanceError for an unknown one."""
Prove = Callable[[object, object], str | None]
"""What shows the holder of this token, with this challenge, that it talks to this server."""
_GREETING_SECONDS: Final = 5.0
"""For the whole greeting, however many pieces it comes in."""
_GREETING_BYTES: Final = 8192
_LEAST_SECONDS: Final = 0.001
"""A time-out of 0 would not wait at all, and raise another error."""


class SocketConnection:
    """Served by a thread of its own, so that it blocks no other connection."""

    def __init__(self, connection: socket.socket, admit: Admit, prove: Prove, log: logging.Logger) -> None:
        self._connection = connection
        self._admit = admit
        self._prove = prove
        self._log = log
        self._channel: LineChannel | None = None
        self._conversation: Conversation | None = None
        self._closed = False

    def run(self) -> None:
        """Serve until either side ends the connection; raises nothing."""
        try:
            with self._connection:
                if self._greet() and self._channel is not None and not self._closed:
                    self._channel.run()
        except Exception:  # noqa: BLE001 - in a thread of its own, without another handler
            self._log.exception("A local connection of a kernel failed.")

    def turn_away(self, why: str) -> None:
        """End the connection without serving it; the client gets the reason, unless sending it would block."""
        refusal = {"v": PROTOCOL_VERSION, "ok": False, "code": TOO_MANY_CONNECTIONS, "message": why}
        with self._connection as connection, suppress(OSError):
            connection.setblocking(False)
            connection.send(_line(refusal))

    def close(self) -> None:
        """End the connection, from any thread."""
        self._closed = True
        channel = self._channel
        if channel is not None:
            channel.close()
        else:
            # Its thread still waits for a token.
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def _greet(self) -> bool:
        """Read the first line and respond to it; False where the connection is not to go on."""
        connection = self._connection
        try:
            line, received = _first_line(connection, monotonic() + _GREETING_SECONDS)
            if line is None:
                return False
            try:
                greeting = _greeting(line)
                token = greeting.get("token")
                self._conversation = self._admit(self, token, connection)
            except AumOSGovernanceError as error:
                _say(connection, {"v": PROTOCOL_VERSION, "ok": False, "code": error.code, "message": error.message})
                return False
            self._channel = LineChannel(
                connection, self._take, self._refuse_length, longest=MAX_LINE, received=received
            )
            proof = self._prove(token, greeting.get("challenge"))
            proven = {} if proof is None else {"proof": proof}
            self._channel.send(_line({"v": PROTOCOL_VERSION, "ok": True, **proven}))
        except OSError:
            # Gone again, or silent for too long.
            return False
        return True

    def _take(self, line: bytes) -> None:
        try:
            message = _read(line)
        except RecursionError:
            self._refuse(NESTED_TOO_DEEP)
            return
        except ValueError:
            self._refuse("A governance message must be a line of JSON in UTF-8.")
            return
        assert self._conversation is not None
        assert self._channel is not None
        self._conversation.receive(message, self._reply, may_block=self._channel.alone)

    def _refuse_length(self) -> None:
        self._refuse(f"A governance message must have at most {MAX_LINE} bytes.")

    def _refuse(self, why: str) -> None:
        self._reply(error_response(None, InvalidRequestError.default_code, why))

    def _reply(self, response: dict[str, Any]) -> None:
        # From the ledger's thread as well, which must wait for no kernel.
        assert self._channel is not None
        self._channel.send(_line(responses_message([response])))


def _first_line(connection: socket.socket, until: float) -> tuple[bytes | None, bytes]:
    received = b""
    while b"\n" not in received:
        connection.settimeout(max(until - monotonic(), _LEAST_SECONDS))
        data = connection.recv(_GREETING_BYTES)
        if monotonic() > until:
            raise TimeoutError("the greeting took too long")
        if not data or len(received) + len(data) > _GREETING_BYTES:
            return None, b""
        received += data
    line, _, rest = received.partition(b"\n")
    return line, rest


def _greeting(line: bytes) -> dict[str, Any]:
    try:
        greeting = json.loads(line)
    except (ValueError, RecursionError):
        greeting = None
    if not isinstance(greeting, dict):
        raise InvalidRequestError("The first line of a local connection has to be a JSON object with the token.")
    version = greeting.get("v")
    if version != PROTOCOL_VERSION or isinstance(version, bool):
        raise InvalidRequestError(
            f"The governance protocol version is {shown(version)}, and this server speaks version {PROTOCOL_VERSION}."
        )
    return greeting


def _say(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(_line(message))


def _read(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        # The standard library also takes what no kernel of ours sends; it has the last word.
        return json.loads(line)


_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def _line(message: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # Longer numbers than it knows, or half a character.
        return _encode(message).encode() + b"\n"
