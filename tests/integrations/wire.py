"""The differences between versions of OpenAI's and Anthropic's libraries: their HTTP library and their features.

Users may have older versions than the locked ones. Whether a version has a feature is looked up in the library, never
in a list of versions; where the library has it, the test of the feature runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import openai
import pytest

__all__ = ["feature", "http", "needs_parameter"]

_KINDS = [kind.__module__.partition(".")[0] for kind in openai.DefaultHttpxClient.__mro__]
http = import_module(next(name for name in _KINDS if name.startswith("httpx")))
"""The HTTP library that the clients send with: httpx, or its successor httpx2.

Both libraries changed it with a major version, and the lowest, the locked and the newest agree in it.
"""


def feature(root: Any, path: str) -> Any:
    """Return the attribute at ``path``, names joined by dots, of ``root``; skip the test where it does not exist."""
    found = root
    for name in path.split("."):
        if not hasattr(found, name):
            pytest.skip(f"the installed library has no {path}")
        found = getattr(found, name)
    return found


def needs_parameter(function: Callable[..., Any], name: str) -> None:
    """Skip the test where ``function`` of the library takes no parameter of this name."""
    if name not in inspect.signature(function).parameters:
        pytest.skip(f"the installed library's {function.__qualname__} has no parameter {name}")
