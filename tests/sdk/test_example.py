from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "engine_without_jupyter.py"


def run(folder: Path) -> list[str]:
    # The example must not need Jupyter, so its packages cannot be imported here.
    program = (
        "import runpy, sys\n"
        "for name in ('IPython', 'jupyter_server', 'tornado', 'traitlets', 'zmq', 'pydantic'):\n"
        "    sys.modules[name] = None\n"
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, cwd=folder, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_engine_without_jupyter_in_twenty_lines(tmp_path: Path) -> None:
    code = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith('"""')]
    assert len(code) <= 20
    assert run(tmp_path) == [
        "Question: What is a ledger?",
        "Question: What is a hash chain?",
        (
            "DENIED: Would exceed budget 'llm' ($0.10 > $0.09); $0.04 for gpt-4o-mini was requested and $0.03 is left;"
            " a user can raise the limit with engine.budget.set_limit('llm', limit)."
        ),
        "Spent: $0.06, records intact: True",
    ]
    assert run(tmp_path)[-1] == "Spent: $0.06, records intact: True"
