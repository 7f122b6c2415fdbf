"""One connection of the local socket, from a kernel's process or one of its child processes.

The client's first line is its greeting, with the token from the response to ``hello``. All further lines are messages
of the wire protocol, one JSON object each.
"""

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
from ...wire.fields import shown
from ...wire.line_channel import LineChannel
from ...wire.protocol import MAX_LINE, NESTED_TOO_DEEP, PROTOCOL_VERSION, error_response, responses_message
from .conversation import Conversation

TOO_MANY_CONNECTIONS: Final = "TOO_MANY_CONNECTIONS"
"""The error code with which a connection is refused because there are too many."""
Admit = Callable[["SocketConnection", object, socket.socket], Conversation]
"""Returns the conversation for a connection, given the token that the client sent on it.

Raises AumOSGovernanceError if the token is invalid or its process is not served.
"""
Prove = Callable[[object, object], str | None]
"""Returns the server's proof that it issued the client's token, given the token and the client's challenge.

The challenge is random text in the greeting. Returns None if the client sent none.
"""
_GREETING_SECONDS: Final = 5.0
"""The seconds within which a client must have sent its whole greeting."""
_GREETING_BYTES: Final = 8192
_LEAST_SECONDS: Final = 0.001
"""The shortest time-out: a time-out of 0 would make the socket non-blocking, which raises another error."""


class SocketConnection:
    """An open connection of the local socket. A thread of its own calls `run`, which serves it until it is closed.

    ``admit`` checks the token in the client's greeting, and ``prove`` makes the proof in the server's response.
    """

    def __init__(self, connection: socket.socket, admit: Admit, prove: Prove, log: logging.Logger) -> None:
        self._connection = connection
        self._admit = admit
        self._prove = prove
        self._log = log
        self._channel: LineChannel | None = None
        self._conversation: Conversation | None = None
        self._closed = False

    def run(self) -> None:
        """Serve the connection until the client or the server closes it. Raises nothing."""
        try:
            with self._connection:
                if self._greet() and self._channel is not None and not self._closed:
                    self._channel.run()
        except Exception:  # noqa: BLE001 - this thread has no other handler
            self._log.exception(
                "A local connection of a kernel failed and was closed; the kernel uses its Jupyter channels instead."
            )

    def refuse(self, why: str) -> None:
        """Close the connection without serving it, because there are too many.

        The client is sent ``why``, the reason as a sentence, unless sending it would block.
        """
        refusal = {"v": PROTOCOL_VERSION, "ok": False, "code": TOO_MANY_CONNECTIONS, "message": why}
        with self._connection as connection, suppress(OSError):
            connection.setblocking(False)
            connection.send(_line(refusal))

    def close(self) -> None:
        """Close the connection. Any thread may call this."""
        self._closed = True
        channel = self._channel
        if channel is not None:
            channel.close()
        else:
            # Its thread still waits for the greeting.
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def _greet(self) -> bool:
        """Read the client's greeting and respond to it; return whether the connection may be served."""
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
                refusal = {"v": PROTOCOL_VERSION, "ok": False, "code": error.code, "message": error.message}
                connection.sendall(_line(refusal))
                return False
            self._channel = LineChannel(
                connection, self._receive, self._refuse_length, longest=MAX_LINE, received=received
            )
            proof = self._prove(token, greeting.get("challenge"))
            proven = {} if proof is None else {"proof": proof}
            self._channel.send(_line({"v": PROTOCOL_VERSION, "ok": True, **proven}))
        except OSError:
            # The client has closed the connection, or sent no greeting in time.
            return False
        return True

    def _receive(self, line: bytes) -> None:
        try:
            message = _parsed(line)
        except RecursionError:
            self._refuse_message(NESTED_TOO_DEEP)
            return
        except ValueError:
            self._refuse_message("A governance message must be a line of JSON in UTF-8.")
            return
        assert self._conversation is not None
        assert self._channel is not None
        self._conversation.receive(message, self._reply, may_block=self._channel.alone)

    def _refuse_length(self) -> None:
        self._refuse_message(f"A governance message must have at most {MAX_LINE} bytes.")

    def _refuse_message(self, why: str) -> None:
        self._reply(error_response(None, InvalidRequestError.default_code, why))

    def _reply(self, response: dict[str, Any]) -> None:
        # Also called in the ledger's thread, which must not wait for a kernel; `LineChannel.send` does not block.
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
            f"The governance protocol version is {shown(version)}, but this server's is {PROTOCOL_VERSION}; install the"
            " same version of aumos-governance for the kernel and the server."
        )
    return greeting


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        # The standard library's parser decides, since it accepts more than orjson, such as NaN and longer numbers.
        return json.loads(line)


_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def _line(message: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # orjson writes no integers above 64 bits and no lone surrogates; the standard library does.
        return _encode(message).encode() + b"\n"
