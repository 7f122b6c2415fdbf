"""`make test-agents` runs these tests alone: they need packages that nothing else needs."""

from __future__ import annotations

import os

FOLDER = "AUMOS_AGENTS"
"""The variable that names the folder with `programs.mjs` and the packages that it imports."""
collect_ignore = [] if os.environ.get(FOLDER) else ["test_typescript.py"]
