"""PostgreSQL: several servers' ledgers on one hot budget."""

from __future__ import annotations

from tests.ledger import postgres_server

from .durable import opened, rate_of
from .results import Results


def connections(results: Results, counts: tuple[int, ...], seconds: float) -> None:
    # The tests do without it; a decision counts as durable only with it.
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
