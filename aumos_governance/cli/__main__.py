"""``python -m aumos_governance.cli`` is ``jupyter governance``."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
