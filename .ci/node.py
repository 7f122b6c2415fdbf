"""Whether the machine's node can build and test the JupyterLab extension; as a command, exit status 0 means yes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys


def node_is_good(version: str) -> bool:
    """Return whether the front-end tools run on this version of node: 20.19 and newer of 20, or 22.12 and newer."""
    if (match := re.match(r"v(\d+)\.(\d+)\.", version)) is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def has_good_node() -> bool:
    """Return whether ``node`` and ``npm`` are on PATH, and `node_is_good` for the node's version."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return node_is_good(done.stdout)


if __name__ == "__main__":
    sys.exit(0 if has_good_node() else 1)
