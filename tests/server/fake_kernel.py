"""A fake kernel's channels, with both ends in the test's process."""

from __future__ import annotations

from typing import Any

import zmq
from jupyter_client.session import Session
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from aumos_governance.wire.protocol import IOPUB_TOPIC, REPLY_TYPE

TOPIC = IOPUB_TOPIC + b"1"


class FakeKernel:
    """A kernel's ZeroMQ channels, with both ends in this process."""

    def __init__(self, context: zmq.Context[Any]) -> None:
        self.context = context
        self.session = Session(key=b"the key", config=Config())
        self.iopub, self.control = context.socket(zmq.XPUB), context.socket(zmq.ROUTER)
        self.iopub_port = self.iopub.bind_to_random_port("tcp://127.0.0.1")
        self.control_port = self.control.bind_to_random_port("tcp://127.0.0.1")
        self.opened: list[ZMQStream] = []

    def _connect(self, kind: int, port: int, identity: bytes | None = None) -> ZMQStream:
        socket = self.context.socket(kind)
        if identity:
            socket.identity = identity
        if kind == zmq.SUB:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.connect(f"tcp://127.0.0.1:{port}")
        self.opened.append(ZMQStream(socket))
        return self.opened[-1]

    def connect_iopub(self) -> ZMQStream:
        return self._connect(zmq.SUB, self.iopub_port)

    def connect_control(self, identity: bytes) -> ZMQStream:
        return self._connect(zmq.DEALER, self.control_port, identity)

    def publish(self, message_type: str, content: dict[str, Any], topic: bytes = TOPIC) -> None:
        self.session.send(self.iopub, message_type, content, ident=topic)

    def send(self, requests: list[str]) -> None:
        self.publish("comm_msg", {"comm_id": "aumos-gov-1", "data": {"asks": requests}})

    def responded(self) -> dict[str, Any]:
        """Return the next message on the control channel."""
        identity, *frames = self.control.recv_multipart()
        assert identity.startswith(b"aumos-gov-")
        _, parts = self.session.feed_identities(frames)
        message = self.session.deserialize(parts)
        assert message["header"]["msg_type"] == REPLY_TYPE
        return message["content"]
