"""Check whether the machine's node can build and test the JupyterLab extension; as a command, by the exit status."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys


def node_is_good(version: str) -> bool:
    """Return whether the front-end tools run on a node of this ``version``: 20.19 and up, 22.12 and up."""
    if (match := re.match(r"v(\d+)\.(\d+)\.", version)) is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def has_good_node() -> bool:
    """Return whether both ``node`` and ``npm`` are on PATH and the node is good."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return node_is_good(answer.stdout)


if __name__ == "__main__":
    sys.exit(0 if has_good_node() else 1)
