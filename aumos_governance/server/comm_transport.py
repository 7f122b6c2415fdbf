"""Asks as comm messages on a kernel's iopub channel, answers on its control channel.

This way works for every kernel the server reaches, while a cell runs, and without any page taking notice.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any, Final

import zmq
from jupyter_client.session import Session
from zmq.eventloop.zmqstream import ZMQStream

from ..protocol import COMM_PREFIX, IOPUB_TOPIC, REPLY_TYPE, answers_message, error_answer
from .conversation import Conversation
from .outbox import Outbox

__all__ = ["CommTransport"]

_MAX_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of one message that are unpacked: far above a thousand asks of the longest texts in use."""


class CommTransport:
    """The comm channel to one kernel; lives on the server's loop.

    ``kernel_manager`` is the one kernel's manager, started and with ports.
    """

    def __init__(
        self,
        kernel_manager: Any,
        conversation: Conversation,
        *,
        loop: asyncio.AbstractEventLoop,
        log: logging.Logger,
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
        self._control: ZMQStream | None = None

    def open(self) -> None:
        iopub = self._kernel_manager.connect_iopub()
        # The manager subscribes to everything; with our topic alone, what the kernel prints never gets here.
        iopub.setsockopt(zmq.UNSUBSCRIBE, b"")
        iopub.setsockopt(zmq.SUBSCRIBE, IOPUB_TOPIC)
        control = self._kernel_manager.connect_control(identity=b"aumos-gov-" + secrets.token_hex(8).encode())
        iopub.setsockopt(zmq.LINGER, 0)
        control.setsockopt(zmq.LINGER, 0)
        self._iopub, self._control = iopub, control
        iopub.on_recv(self._on_frames)

    def close(self) -> None:
        for stream in (self._iopub, self._control):
            if stream is not None and not stream.closed():
                stream.stop_on_recv()
                stream.close()
        self._iopub = self._control = None

    def _on_frames(self, frames: list[bytes]) -> None:
        # An exception that leaves this callback would silence the stream for good.
        try:
            self._receive(frames)
        except Exception as error:  # noqa: BLE001 - see above
            self._log.warning("A governance message of a kernel could not be read: %s", error)
            self._refuse("The governance message could not be read.")

    def _receive(self, frames: list[bytes]) -> None:
        if not frames[0].startswith(IOPUB_TOPIC):
            return
        if sum(len(frame) for frame in frames) > _MAX_BYTES:
            self._refuse(f"A governance message must have at most {_MAX_BYTES} bytes.")
            return
        _, parts = self._session.feed_identities(frames)
        message = self._session.deserialize(parts)
        content = message["content"]
        if message["header"]["msg_type"] == "comm_msg" and str(content.get("comm_id")).startswith(COMM_PREFIX):
            self._conversation.receive(content.get("data"), self._outbox.put)

    def _refuse(self, why: str) -> None:
        self._outbox.put(error_answer(None, "INVALID_REQUEST", why))

    def _send(self, answers: list[dict[str, Any]]) -> None:
        if self._control is None or self._control.closed():
            return
        try:
            self._session.send(self._control, REPLY_TYPE, answers_message(answers))
        except Exception as error:  # noqa: BLE001 - a kernel that is going away must not take the loop down
            self._log.warning("Governance answers could not be sent to a kernel: %s", error)
