"""Run inside a kernel: speaks the wire protocol by hand, so that the server is tested without our kernel side."""

from __future__ import annotations

import threading
import time
import uuid

import comm
from IPython import get_ipython


class Wire:
    """One comm to the server; answers are kept by id, with the number of the message they came in."""

    def __init__(self):
        self.kernel = get_ipython().kernel
        self.answers = {}
        self.messages = []
        self.arrived = threading.Condition()
        self.kernel.control_handlers["governance_reply"] = self.on_reply
        self.comm = comm.create_comm(
            target_name="aumos.governance", comm_id="aumos-gov-" + uuid.uuid4().hex, primary=False
        )
        comm.get_comm_manager().register_comm(self.comm)

    def on_reply(self, stream, ident, message):
        with self.arrived:
            self.messages.append(message["content"])
            for answer in message["content"]["answers"]:
                self.answers.setdefault(answer["id"], []).append({**answer, "in": len(self.messages)})
            self.arrived.notify_all()

    def ask(self, op, *, request_id=None, ttl=30, **body):
        return {"id": request_id or uuid.uuid4().hex, "op": op, "exp": time.time() + ttl, "cell": None, **body}

    def send(self, *asks):
        self.comm.send({"v": 1, "asks": list(asks)})

    def wait(self, *ids, timeout=20):
        with self.arrived:
            if not self.arrived.wait_for(lambda: all(i in self.answers for i in ids), timeout):
                raise TimeoutError(f"no answer to {[i for i in ids if i not in self.answers]}")
            return [self.answers[i][0] for i in ids]

    def do(self, op, **body):
        ask = self.ask(op, **body)
        self.send(ask)
        return self.wait(ask["id"])[0]

    def hello(self, timeout=15):
        """As the real client: sent again, since the server may not have subscribed yet."""
        deadline = time.monotonic() + timeout
        while True:
            ask = self.ask("hello", version="0", python="3", incarnation=uuid.uuid4().hex)
            self.send(ask)
            try:
                return self.wait(ask["id"], timeout=0.25)[0]
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise


wire = Wire()
