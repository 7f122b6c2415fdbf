"""The rate of durable decisions on PostgreSQL, if several servers charge one budget at the same time."""

from __future__ import annotations

from tests.ledger import postgres_server

from .durable import opened, rate_of
from .results import Results


def connections(results: Results, counts: tuple[int, ...], seconds: float) -> None:
    """Measure how many decisions a second are made in all, for each number of connections in ``counts``.

    Each connection stands for a server. Each measurement takes ``seconds``.
    """
    # The tests turn it off for speed; without it a decision is not durable.
    postgres_server.SETTINGS["fsync"] = "on"
    points = []
    with postgres_server.running_server() as server:
        for count in counts:
            url = server.url(server.create())
            ledgers = [opened(url) for _ in range(count)]
            rate = rate_of(ledgers, seconds)
            for ledger in ledgers:
                ledger.close()
            points.append((count, rate))
            results.add(f"PostgreSQL, {count} connections on one hot budget", 1e6 / rate, "us", None, f"{rate:,.0f}/s")
    results.series["PostgreSQL, a connection each"] = points
