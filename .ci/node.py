"""The check whether the machine's Node.js can build and test the JupyterLab extension.

Run as a command, the exit status is 0 if it can, and 1 otherwise.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys


def node_is_good(version: str) -> bool:
    """Return whether the front-end tools run on a version of Node.js, such as ``v22.12.0``.

    They need 20.19 or a later 20, or else 22.12 or later.
    """
    if (match := re.match(r"v(\d+)\.(\d+)\.", version)) is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def has_good_node() -> bool:
    """Return whether ``node`` and ``npm`` are on PATH, in a version of Node.js that `node_is_good` accepts."""
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
