"""The paths of Anthropic's API whose requests cost nothing according to the published price list.

https://platform.claude.com/docs/en/about-claude/pricing names what is billed: the tokens of messages and of batches
(reading a batch's results costs no more), the tools of a message, and the tokens and running time of Managed Agents'
sessions.
https://platform.claude.com/docs/en/build-with-claude/files and .../token-counting say that files and counting are free.
"""

from __future__ import annotations

import re
from typing import Final

FREE_POSTS: Final = re.compile(
    r"/v1/(?:"
    # Counting, files, skills, models: no price, or documented as free.
    r"messages/count_tokens|files|skills(?:/.+)?"
    # Ending a batch, whose completed requests are charged with its submission.
    r"|messages/batches/[^/]+/cancel"
    # Definitions that Managed Agents' sessions use. A session is billed, and only while it runs.
    r"|agents(?:/.+)?|environments(?:/.+)?|memory_stores(?:/.+)?|vaults(?:/.+)?|tunnels(?:/.+)?"
    # Ending and changing running sessions, deployments and dreams; pausing a schedule.
    r"|(?:sessions|deployments|dreams)/[^/]+/(?:archive|cancel|pause)|sessions/[^/]+/threads/[^/]+/archive"
    r"|sessions/[^/]+|sessions/[^/]+/resources(?:/[^/]+)?"
    # The administration of an organization and of its users.
    r"|organizations/.+|user_profiles(?:/.+)?|compliance/.+"
    r")"
)
"""Matches the paths of free POST, PUT and PATCH requests. Reading and deleting are free at any path."""
