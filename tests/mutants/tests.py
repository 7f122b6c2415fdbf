"""The listed tests, and which of them are to notice a change: those that execute its line, the quickest first."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from tests.mutants.copies import Copy
from tests.mutants.forks import Forks
from tests.mutants.listed import QUICK, TAIL
from tests.mutants.operators import Mutant
from tests.mutants.reach import Reached

__all__ = ["Tests"]

_MOST_SECONDS = 300
# Each test has this many seconds and ten times those that it took: the first of a module also fills what it shares.
_LEAST_SECONDS = 20


class Tests:
    """Collected in each of some processes, that changes are tried side by side."""

    def __init__(
        self,
        folder: Path,
        files: Sequence[str],
        modules: Sequence[str],
        processes: int,
        pool: Executor,
        most: int,
        *,
        slow: bool,
    ) -> None:
        self._modules = modules
        self._most = most
        self._slow = slow
        self._pool = pool
        self._reached: dict[str, Reached] = {}
        self._idle: queue.SimpleQueue[Forks] = queue.SimpleQueue()
        chosen = "" if slow else QUICK

        def collected(number: int) -> Forks:
            return Forks(Copy(folder / str(number)), files, modules, chosen)

        self._all = list(pool.map(collected, range(processes)))
        for forks in self._all:
            self._idle.put(forks)

    def close(self) -> None:
        for forks in self._all:
            forks.close()

    def trace(self) -> None:
        """Run every test once without a change, to know what it reaches. One that fails is left out."""
        tests = self._all[0].tests
        files = list(dict.fromkeys(_file(test) for test in tests))
        shares = [
            [test for test in tests if _file(test) in files[number :: len(self._all)]]
            for number in range(len(self._all))
        ]
        traced = self._pool.map(lambda forks, share: forks.trace(share, self._modules), self._all, shares)
        self._reached = {name: reached for share in traced for name, reached in share.items()}
        for name, reached in self._reached.items():
            if not reached.passed:
                print(f"fails without any change, and is left out: {name}", flush=True)

    def notices(self, mutant: Mutant, files: Sequence[str]) -> str:
        """The test that fails or "timeout"; "" where the change survives."""
        names = self._chosen(mutant, files)
        forks = self._idle.get()
        try:
            limits = [(name, _LEAST_SECONDS + 10 * self._reached[name].seconds) for name in names[: self._most or None]]
            found = forks.notices(mutant, limits)
            # What no test executes may have run when its module was imported, such as what makes a table of functions.
            if found != "import" and (found or any(_executes(self._reached[name], mutant) for name in names)):
                return found
            forks.copy.write(mutant.module, mutant.text)
            broken = [name for name, reached in self._reached.items() if not reached.passed]
            for chosen in (QUICK, TAIL)[: 1 + self._slow]:
                failed, _, text = forks.copy.failed(files, chosen, broken, _MOST_SECONDS)
                if failed:
                    return "timeout" if text == "timeout" else "new process"
            return ""
        finally:
            forks.copy.restore(mutant.module)
            self._idle.put(forks)

    def _chosen(self, mutant: Mutant, files: Sequence[str]) -> list[str]:
        """First those that execute the changed line, then those that start processes: these may do so there."""

        def order(name: str) -> tuple[bool, bool, float]:
            reached = self._reached[name]
            return not _executes(reached, mutant), "postgresql" in name, reached.seconds

        possible = (name for name, reached in self._reached.items() if _file(name) in files and reached.passed)
        return sorted(
            (n for n in possible if self._reached[n].starts or _executes(self._reached[n], mutant)), key=order
        )


def _executes(reached: Reached, mutant: Mutant) -> bool:
    return not reached.lines.get(mutant.module, set()).isdisjoint(mutant.lines)


def _file(test: str) -> str:
    return test.partition("::")[0]
