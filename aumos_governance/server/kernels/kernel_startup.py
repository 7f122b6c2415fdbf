"""The start-up hook of Python kernels: a file that IPython runs first, so that no cell has to load the magics.

This module sets the hook in the environment of a kernel; the hook itself is ``startup_hook.py``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Final

from ...wire.protocol import STARTUP_ENV

HOOK: Final = Path(__file__).parents[2] / "startup_hook.py"
_PYTHON: Final = "PYTHONSTARTUP"
_LOCAL: Final = "local-provisioner"


def with_hook(kernel: Any, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with which a kernel is started: ``environment`` and, if it can run the hook, its variable.

    ``kernel`` is the kernel's manager. The variable is ``PYTHONSTARTUP``. Only Python kernels that this machine starts
    get it: a kernel of another language would pass it on to Python programs that are not kernels, and another machine
    does not have the hook's file. The user's own ``PYTHONSTARTUP`` is passed in another variable, and the hook runs it.
    """
    plain = dict(environment)
    if plain.get(_PYTHON) == str(HOOK):
        # This server was started inside a kernel that had the hook's variable, but had not run the hook.
        del plain[_PYTHON]
        if users := plain.pop(STARTUP_ENV, ""):
            plain[_PYTHON] = users
    spec = getattr(kernel, "kernel_spec", None)
    if spec is None or spec.language.lower() != "python" or _provisioner(spec) != _LOCAL:
        return plain
    users = plain.get(_PYTHON, "")
    if _PYTHON in spec.env:
        # Jupyter applies the kernelspec's variables last, so this one would replace the hook.
        users = Template(spec.env[_PYTHON]).safe_substitute(plain)
        spec.env = {name: value for name, value in spec.env.items() if name != _PYTHON}
    return {**plain, _PYTHON: str(HOOK), **({STARTUP_ENV: users} if users else {})}


def _provisioner(spec: Any) -> str:
    # https://jupyter-client.readthedocs.io/en/stable/provisioning.html
    named = spec.metadata.get("kernel_provisioner", {}).get("provisioner_name")
    return str(named or os.environ.get("JUPYTER_DEFAULT_PROVISIONER_NAME") or _LOCAL)
