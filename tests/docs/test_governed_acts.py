"""The cells of the page on governed actions run in a notebook of a governed server, and show what the page states."""

from __future__ import annotations

from pathlib import Path

from tests.bridge.live_server import GOVERNANCE, LiveServer
from tests.docs.pages import FENCE, ROOT
from tests.kernel.governed_kernel import connected
from tests.kernel.real_kernel import Outcome

PAGE = ROOT / "docs" / "governed-acts.md"


def seen(outcome: Outcome) -> list[str]:
    """Return all lines of a cell that a user sees, including those that were replaced later."""
    updates = [update["text/plain"] for update in outcome.updates]
    return [*outcome.printed, *updates, outcome.evalue]


def test_the_cells_do_what_the_page_says(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)

    def approve(line: str) -> None:
        if line.startswith("Waiting"):
            (requested,) = server.json("GET", f"{GOVERNANCE}approvals", params={"path": "page.ipynb"})["approvals"]
            body = {"decision": "approve", "digest": requested["digest"]}
            server.json("POST", f"{GOVERNANCE}approvals/{requested['id']}", json=body)

    try:
        opened = server.start().open_notebook("page.ipynb")
        with connected(server, opened.kernel_id, load=False) as kernel:
            printed: list[str] = []
            reported = 0
            for language, text in FENCE.findall(PAGE.read_text()):
                if language == "ipython":
                    outcome = kernel.run(text, when_shown=approve)
                    assert outcome.status == "ok" or outcome.ename == "GovernanceDeniedError", outcome
                    printed = seen(outcome)
                elif language == "text":
                    for line in text.splitlines():
                        reported += 1
                        assert any(found.startswith(line) for found in printed), (line, printed)
        opened.close()
    finally:
        server.close()
    assert reported >= 9
