"""The entry point of ``python -m aumos_governance.cli``, which does the same as ``jupyter governance``."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
