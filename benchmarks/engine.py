"""The time of an evaluation, i.e. a check of an action, by the SDK's engine with a ledger in memory."""

from __future__ import annotations

import asyncio
import statistics
import time

from aumos_governance.engine import GovernanceAction, GovernanceEngine

from .results import Results


def evaluations(results: Results, rounds: int) -> None:
    """Measure the time of `evaluate_sync` and of `evaluate`, both called while an event loop runs in the thread."""
    engine = GovernanceEngine()
    engine.trust.set_level("agent", 3)
    engine.budget.create_budget("research", 1_000_000)
    action = GovernanceAction(
        agent_id="agent", required_trust_level=2, budget_category="research", budget_amount=0.01, action_type="call"
    )

    async def measure() -> tuple[float, float]:
        sync, awaited = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in range(100):
                engine.evaluate_sync(action)
            middle = time.perf_counter()
            for _ in range(100):
                await engine.evaluate(action)
            sync.append((middle - start) * 1e4)
            awaited.append((time.perf_counter() - middle) * 1e4)
        return statistics.median(sync), statistics.median(awaited)

    sync, awaited = asyncio.run(measure())
    engine.close()
    results.add("evaluate_sync inside a running loop, in memory", sync, "us", 20)
    results.add("evaluate, in memory", awaited, "us")
