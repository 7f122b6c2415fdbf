"""The results of benchmarks, which are printed as lines, written to a JSON file and plotted."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Result:
    """One measured value, with its unit and, for some, a limit that it should keep."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    """The highest value that is acceptable; None for none. If more is better, both the value and the limit are
    negative."""
    note: str = ""

    def line(self) -> str:
        limit = "" if self.limit is None else f"at most {self.limit:g}"
        verdict = "" if self.limit is None else ("ok" if self.value <= self.limit else "OVER")
        return f"{self.name:<58} {self.value:>10.2f} {self.unit:<6} {limit:<14} {verdict:<5} {self.note}"


@dataclass
class Results:
    """The results of one run, each of which is printed when it is added."""

    results: list[Result] = field(default_factory=list)
    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """The points of each line in the plot, by the line's label: a number of callers, and their decisions a second."""

    def add(self, name: str, value: float, unit: str, limit: float | None = None, note: str = "") -> None:
        result = Result(name, value, unit, limit, note)
        self.results.append(result)
        print(result.line(), flush=True)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(
            json.dumps(
                {"machine": machine(), "results": [asdict(r) for r in self.results], "series": self.series}, indent=1
            )
        )
        if self.series:
            self._plot(folder / "scaling.png")

    def _plot(self, path: Path) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(7, 4.2))
        for name, points in self.series.items():
            axes.plot([callers for callers, _ in points], [rate for _, rate in points], marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("callers at once")
        axes.set_ylabel("durable decisions a second")
        axes.set_title("Decisions on one hot budget")
        axes.grid(True, which="both", alpha=0.3)
        axes.legend()
        figure.tight_layout()
        figure.savefig(path, dpi=120)


def machine() -> dict[str, Any]:
    return {
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
    }
