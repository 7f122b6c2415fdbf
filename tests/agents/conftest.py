"""These tests run only in `make test-agents`, since they need packages that no other test needs."""

from __future__ import annotations

import os

FOLDER = "AUMOS_AGENTS"
"""The environment variable with the folder of `programs.mjs` and the packages that it imports."""
collect_ignore = [] if os.environ.get(FOLDER) else ["test_typescript.py"]
