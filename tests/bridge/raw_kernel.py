"""Runs in a kernel: a minimal client of the wire protocol, to test the server without the package's kernel side."""

from __future__ import annotations

import threading
import time
import uuid

import comm
from IPython import get_ipython


class Wire:
    """A comm to the server; responses are stored by id, with the number of the message that contained them."""

    def __init__(self):
        self.kernel = get_ipython().kernel
        self.responses = {}
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
            for response in message["content"]["answers"]:
                self.responses.setdefault(response["id"], []).append({**response, "in": len(self.messages)})
            self.arrived.notify_all()

    def request(self, op, *, request_id=None, ttl=30, **body):
        return {"id": request_id or uuid.uuid4().hex, "op": op, "exp": time.time() + ttl, "cell": None, **body}

    def send(self, *requests):
        self.comm.send({"v": 1, "asks": list(requests)})

    def wait(self, *ids, timeout=20):
        with self.arrived:
            if not self.arrived.wait_for(lambda: all(i in self.responses for i in ids), timeout):
                raise TimeoutError(f"no response to {[i for i in ids if i not in self.responses]}")
            return [self.responses[i][0] for i in ids]

    def do(self, op, **body):
        request = self.request(op, **body)
        self.send(request)
        return self.wait(request["id"])[0]

    def hello(self, timeout=15):
        """Send the hello repeatedly, as the real client does, since the server may not have subscribed yet."""
        deadline = time.monotonic() + timeout
        while True:
            request = self.request("hello", version="0", python="3", incarnation=uuid.uuid4().hex)
            self.send(request)
            try:
                return self.wait(request["id"], timeout=0.25)[0]
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise


wire = Wire()
