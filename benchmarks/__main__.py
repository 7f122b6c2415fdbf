"""Run all benchmarks, or those named: durable, engine, audit, postgres, bridge, footprint, calls, gateway, start, and
page.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from . import audit, bridge, calls, durable, engine, footprint, gateway, gateway_busy, page, postgres, start
from .results import Results

SUITES = ("durable", "engine", "audit", "postgres", "bridge", "footprint", "calls", "gateway", "start", "page")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help="the benchmarks to run; all by default")
    parser.add_argument("--quick", action="store_true", help="run them small and short, to see that they work")
    parser.add_argument("--folder", type=Path, help="the folder for the databases, on a disk and not in memory")
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"), help="the folder for the results")
    parser.add_argument("--litellm", type=Path, help="the program of an installed litellm[proxy], to compare with")
    options = parser.parse_args()
    chosen = options.suites or SUITES
    results = Results()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="benchmarks-") as name:
        folder = Path(name)
        if "durable" in chosen:
            durable.one_caller(results, folder, 200 if options.quick else 2000)
            durable.own_cost(results, folder, 20 if options.quick else 200)
            durable.callers(results, folder, (1, 8, 32, 100), 0.5 if options.quick else 5)
        if "engine" in chosen:
            engine.evaluations(results, 20 if options.quick else 200)
        if "audit" in chosen:
            audit.reading(results, folder, 20_000 if options.quick else 1_000_000)
        if "postgres" in chosen:
            postgres.connections(results, (1, 8, 32), 0.5 if options.quick else 5)
        if "bridge" in chosen:
            bridge.requests(results, folder, 100 if options.quick else 3000)
        if "footprint" in chosen:
            footprint.printing(
                results, folder / "printing", 5_000 if options.quick else 100_000, 2 if options.quick else 6
            )
            footprint.idle(results, folder / "idle", 3 if options.quick else 50, 5 if options.quick else 60)
        if "calls" in chosen:
            calls.overhead(results, folder, 50 if options.quick else 1000)
        if "gateway" in chosen:
            calls_made, streams = (200, 20) if options.quick else (4_000, 500)
            gateway.gateway(results, folder, calls_made, streams, options.litellm)
            gateway_busy.first_bytes(results, folder, 10 if options.quick else 100)
        if "start" in chosen:
            start.start(results, folder / "start", 2 if options.quick else 16)
        if "page" in chosen:
            page.page(results, folder / "page", 5 if options.quick else 40)
    results.write(options.output)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
