"""One file under several names is one notebook; ledgers of the first version are brought to that without changing a record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from aumos_governance.audit_chain import *  # noqa: F403
