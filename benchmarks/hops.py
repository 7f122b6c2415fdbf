"""Through which of our files a spend passes on its way into the status bar: `python -m benchmarks.hops`.

Counted are distinct files with lines executed, imports excluded, by the engine's own counters of calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

_LABEXTENSION = Path(__file__).parents[1] / "labextension"


def page() -> list[str]:
    """The files under `labextension/src` from the server's event to the status bar.

    Raises:
        subprocess.CalledProcessError: The test that counts them fails; its output was printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "files.json")
        subprocess.run(
            ["npx", "vitest", "run", "src/__tests__/hops.spec.ts"],
            cwd=_LABEXTENSION,
            env={**os.environ, "AUMOS_HOPS": str(found)},
            check=True,
        )
        files: list[str] = json.loads(found.read_text(encoding="utf-8"))
        return files


def main() -> None:
    files = page()
    print(f"event to status bar: {len(files)} TypeScript files")
    for file in files:
        print(f"  {file}")


if __name__ == "__main__":
    main()
