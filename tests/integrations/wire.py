"""What depends on the installed version of OpenAI's or Anthropic's library: how it sends, and what it has.

Users may have older versions than those that are locked. What a version has is looked up in the library, never in a
list of versions: where the library has a thing, the test of it runs.
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
    """What stands at ``path``, names with dots between, from ``root``; skips the test where the library has none."""
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
