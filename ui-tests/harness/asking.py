"""An extension of the test's own server: posts approval requests and reports to the user, as a kernel does.

``POST harness/approval``, ``report``, ``hold`` and ``spend`` take the fields of the ledger's requests as JSON.
``POST harness/leave`` reports that the process with the holds is gone.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from aumos_governance import money
from aumos_governance.ledger.contract.agreements import AskApproval, FileReport
from aumos_governance.ledger.contract.charges import Hold, KernelGone, Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "harness.asking"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    (governance,) = serverapp.extension_manager.extension_apps["aumos_governance"]
    base_url = serverapp.web_app.settings["base_url"]
    route = url_path_join(base_url, "harness", "(approval|report|hold|spend|leave)")
    serverapp.web_app.add_handlers(".*$", [(route, RequestingHandler, {"governance": governance})])


class RequestingHandler(APIHandler):
    def initialize(self, governance: Any) -> None:
        self.governance = governance

    @web.authenticated
    async def post(self, what: str) -> None:
        body = self.get_json_body() or {}
        ledger = self.governance._ledger
        if what == "leave":
            ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation="harness"))
            self.finish({"id": None})
            return
        notebooks = self.governance._notebooks
        common = {
            "key": uuid.uuid4().hex,
            "notebook": NotebookKey(notebooks.owner, notebooks.root, body["notebook"]),
            "origin": Origin(
                "kernel",
                scope="kernel:harness",
                incarnation="harness",
                cell_id=body.get("cell_id"),
                execution_count=body.get("count"),
            ),
            "tool": body.get("tool", "shell"),
            "agent_id": body.get("agent_id"),
        }
        shown = json.dumps(body.get("shown", {}))
        amount = money.parse(body.get("amount", "0.05"))
        if what == "approval":
            request: Any = AskApproval(digest=uuid.uuid4().hex, shown=shown, amount=amount, **common)
        elif what == "report":
            request = FileReport(shown=shown, **common)
        elif what == "spend":
            request = Spend(amount=amount, **common)
        else:
            request = Hold(amount=amount, **common)
        done = ledger.execute(request)
        self.finish({"id": getattr(done, "approval_id", None) or getattr(done, "report_id", None)})
