"""The comm transport: requests are comm messages on a kernel's iopub channel, and responses use its control channel.

This transport works for every kernel that the server can reach, even while a cell runs. Pages ignore its messages.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any, Final

import zmq
from jupyter_client.session import Session
from zmq.eventloop.zmqstream import ZMQStream

from ...wire.protocol import COMM_PREFIX, IOPUB_TOPIC, NESTED_TOO_DEEP, REPLY_TYPE, error_response, responses_message
from .conversation import Conversation


class Outbox:
    """The queue of responses to one kernel. It sends several responses in one message if they are ready together.

    While further responses are expected, a response is queued, and ``loop`` sends the queue. The last expected response
    is sent at once, with all queued ones, in the thread that calls `put`. ``send`` sends a list of responses as one
    message; it is called from any thread, but never from two at the same time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[list[dict[str, Any]]], None]) -> None:
        self._loop = loop
        self._send = send
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._owed = 0

    def expect(self, responses: int) -> None:
        """Increase the number of responses that are expected, by the number of requests that have just arrived."""
        with self._lock:
            self._owed += responses

    def put(self, response: dict[str, Any]) -> None:
        """Queue a response to be sent, at once or together with further responses. Any thread may call this."""
        with self._lock:
            self._waiting.append(response)
            self._owed = max(0, self._owed - 1)
            last, first = self._owed == 0, len(self._waiting) == 1
        if last:
            self._flush()
        elif first:
            try:
                self._loop.call_soon_threadsafe(self._flush)
            except RuntimeError:
                # The loop is closed: the server has stopped, so no response can be sent.
                with self._lock:
                    self._waiting.clear()

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                responses, self._waiting = self._waiting, []
            if responses:
                self._send(responses)


_MAX_BYTES: Final = 4 * 1024 * 1024
"""The size of the largest message that is parsed, in bytes. A thousand requests with the longest texts are smaller."""
_DELIMITER: Final = b"<IDS|MSG>"


class CommTransport:
    """The comm transport to one kernel. It passes the kernel's requests to ``conversation``, and sends the responses.

    ``kernel_manager`` is the manager of this one kernel, which must have been started and have ports. `open` and
    `close` are called on the server's loop; any thread may send responses.
    """

    def __init__(
        self, kernel_manager: Any, conversation: Conversation, *, loop: asyncio.AbstractEventLoop, log: logging.Logger
    ) -> None:
        self._kernel_manager = kernel_manager
        self._conversation = conversation
        self._log = log
        self._outbox = Outbox(loop, self._send)
        # This is not the manager's session, which keeps a history of the messages that it has read, and would refuse
        # this transport's copy of a message as a replay.
        session = kernel_manager.session
        self._session = Session(config=session.config, key=session.key, signature_scheme=session.signature_scheme)
        self._iopub: ZMQStream | None = None
        self._lock = threading.Lock()
        self._control: ZMQStream | None = None

    def open(self) -> None:
        iopub = self._kernel_manager.connect_iopub()
        # The manager subscribes to all topics; with this topic alone, a kernel's output is not received here.
        iopub.setsockopt(zmq.UNSUBSCRIBE, b"")
        iopub.setsockopt(zmq.SUBSCRIBE, IOPUB_TOPIC)
        control = self._kernel_manager.connect_control(identity=b"aumos-gov-" + secrets.token_hex(8).encode())
        # A stream would send only when the loop is free. No message is received on this socket, so it is taken from the
        # loop, and the thread that has a response sends it.
        control.io_loop.remove_handler(control.socket)
        iopub.setsockopt(zmq.LINGER, 0)
        control.setsockopt(zmq.LINGER, 0)
        control.setsockopt(zmq.SNDTIMEO, 0)
        self._iopub, self._control = iopub, control
        iopub.on_recv(self._on_frames)

    def close(self) -> None:
        iopub, self._iopub = self._iopub, None
        if iopub is not None and not iopub.closed():
            iopub.stop_on_recv()
            iopub.close()
        with self._lock:
            control, self._control = self._control, None
            if control is not None and not control.closed():
                control.close()

    def _on_frames(self, frames: list[bytes]) -> None:
        # An exception that leaves this callback would silence the stream for good.
        try:
            self._receive(frames)
        except RecursionError:
            self._refuse(NESTED_TOO_DEEP)
        except Exception as error:  # noqa: BLE001 - see above
            self._log.warning("A governance message of a kernel was ignored, since it could not be parsed: %s", error)
            self._refuse("The governance message could not be parsed.")

    def _receive(self, frames: list[bytes]) -> None:
        if not frames[0].startswith(IOPUB_TOPIC):
            return
        if sum(len(frame) for frame in frames) > _MAX_BYTES:
            self._refuse(f"A governance message must have at most {_MAX_BYTES} bytes.")
            return
        message_type, content = self._parsed(frames)
        if message_type != "comm_msg" or not str(content.get("comm_id")).startswith(COMM_PREFIX):
            return
        self._conversation.receive(content.get("data"), self._outbox.put, expect=self._outbox.expect)

    def _parsed(self, frames: list[bytes]) -> tuple[object, Mapping[str, Any]]:
        """Return the type and the content of a message, given its ZeroMQ frames.

        Raises ValueError if the message is not signed with the kernel's key or is malformed. `Session.deserialize` is
        not used, since it also parses six dates, which takes longer than a response. Its check for replays is not
        needed either: a request that is sent again gets its stored response again.
        """
        start = frames.index(_DELIMITER) + 1
        signature, *signed = frames[start : start + 5]
        if len(signed) != 4 or not compare_digest(signature, self._session.sign(signed)):
            raise ValueError("it is not signed with the kernel's key")
        header, content = self._session.unpack(signed[0]), self._session.unpack(signed[3])
        if not isinstance(header, dict) or not isinstance(content, dict):
            raise ValueError("its header or content is not an object")
        return header.get("msg_type"), content

    def _refuse(self, why: str) -> None:
        self._outbox.expect(1)
        self._outbox.put(error_response(None, "INVALID_REQUEST", why))

    def _send(self, responses: list[dict[str, Any]]) -> None:
        with self._lock:
            if self._control is None:
                return
            try:
                self._session.send(self._control.socket, REPLY_TYPE, responses_message(responses))
            except Exception as error:  # noqa: BLE001 - a kernel that is going away must not stop the server
                self._log.warning(
                    "Governance responses could not be sent to a kernel, which must send its requests again: %s", error
                )
