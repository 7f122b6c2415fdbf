"""Requests as comm messages on a kernel's iopub channel, responses on its control channel.

This way works for every kernel the server reaches, while a cell runs, and without any page taking notice.
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

__all__ = ["CommTransport", "Outbox"]


class Outbox:
    """Takes responses in any thread, and sends those that are there in as few messages as it can.

    The last response that is owed goes out at once, in the thread that has it, with all that wait for it. While others
    are still to come the loop sends, so that responses of about the same time travel together. ``send`` is
    called from any thread, and from one at a time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[list[dict[str, Any]]], None]) -> None:
        self._loop = loop
        self._send = send
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._owed = 0

    def expect(self, responses: int) -> None:
        """Announce so many responses, beside those announced before."""
        with self._lock:
            self._owed += responses

    def put(self, response: dict[str, Any]) -> None:
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
                # The loop is closed: the server is gone, and nothing can carry the response.
                with self._lock:
                    self._waiting.clear()

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                responses, self._waiting = self._waiting, []
            if responses:
                self._send(responses)


_MAX_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of one message that are unpacked: far above a thousand requests of the longest texts in use."""
_DELIMITER: Final = b"<IDS|MSG>"


class CommTransport:
    """The comm channel to one kernel; lives on the server's loop, and takes responses from any thread.

    ``kernel_manager`` is the one kernel's manager, started and with ports.
    """

    def __init__(
        self, kernel_manager: Any, conversation: Conversation, *, loop: asyncio.AbstractEventLoop, log: logging.Logger
    ) -> None:
        self._kernel_manager = kernel_manager
        self._conversation = conversation
        self._log = log
        self._outbox = Outbox(loop, self._send)
        # A session of our own: the manager's keeps a history of what it has seen, and would take our copy of a
        # message for a replay.
        session = kernel_manager.session
        self._session = Session(config=session.config, key=session.key, signature_scheme=session.signature_scheme)
        self._iopub: ZMQStream | None = None
        self._lock = threading.Lock()
        self._control: ZMQStream | None = None

    def open(self) -> None:
        iopub = self._kernel_manager.connect_iopub()
        # The manager subscribes to everything; with our topic alone, what the kernel prints never gets here.
        iopub.setsockopt(zmq.UNSUBSCRIBE, b"")
        iopub.setsockopt(zmq.SUBSCRIBE, IOPUB_TOPIC)
        control = self._kernel_manager.connect_control(identity=b"aumos-gov-" + secrets.token_hex(8).encode())
        # A stream sends when the loop has time. Nothing comes back on this one, so the thread with a response sends it.
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
            self._log.warning("A governance message of a kernel could not be read: %s", error)
            self._refuse("The governance message could not be read.")

    def _receive(self, frames: list[bytes]) -> None:
        if not frames[0].startswith(IOPUB_TOPIC):
            return
        if sum(len(frame) for frame in frames) > _MAX_BYTES:
            self._refuse(f"A governance message must have at most {_MAX_BYTES} bytes.")
            return
        message_type, content = self._opened(frames)
        if message_type != "comm_msg" or not str(content.get("comm_id")).startswith(COMM_PREFIX):
            return
        self._conversation.receive(content.get("data"), self._outbox.put, expect=self._outbox.expect)

    def _opened(self, frames: list[bytes]) -> tuple[object, Mapping[str, Any]]:
        """The type and content of a message that this kernel signed; raises ValueError for any other.

        `Session.deserialize` also reads six dates, which are not needed here and take longer than a response. Its
        memory of seen messages is not needed either: a request that is sent again gets its stored response again.
        """
        start = frames.index(_DELIMITER) + 1
        signature, *signed = frames[start : start + 5]
        if len(signed) != 4 or not compare_digest(signature, self._session.sign(signed)):
            raise ValueError("it is not signed with the kernel's key")
        header, content = self._session.unpack(signed[0]), self._session.unpack(signed[3])
        if not isinstance(header, dict) or not isinstance(content, dict):
            raise ValueError("it is no message")
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
                self._log.warning("Governance responses could not be sent to a kernel: %s", error)
