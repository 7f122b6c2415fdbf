"""Change one thing at a time in the code that guards money and permission, and see whether its tests notice.

A change that none notices gets a test, or a line with its reason in equivalents.txt, where it changes nothing that
anything depends on.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.mutants.copies import ROOT, path_of
from tests.mutants.listed import LISTED
from tests.mutants.operators import Mutant, mutants_of
from tests.mutants.tests import Tests

GOAL = 0.98
EQUIVALENTS = Path(__file__).with_name("equivalents.txt")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=150, help="how many changes to make (0: all)")
    parser.add_argument("--seed", type=int, default=0, help="which ones: the same seed makes the same")
    parser.add_argument("--minutes", type=float, default=60, help="begin no further change after this time")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--module", action="append", help="only this one, by the end of its dotted name")
    parser.add_argument(
        "--quick", action="store_true", help="do without slow tests and PostgreSQL, and trust that all tests pass"
    )
    parser.add_argument(
        "--tests", type=int, default=0, help="let each change meet only so many tests, the quickest that execute it"
    )
    parser.add_argument("--matching", default="", help="only those whose names hold this text, all of them")
    parser.add_argument("--list", action="store_true", help="only name the changes")
    options = parser.parse_args()
    size = 0 if options.matching else options.sample
    sample = [one for one in chosen(options.module, size, options.seed) if options.matching in one.name]
    print(f"{len(sample)} mutants, seed {options.seed}", flush=True)
    if options.list:
        print(*(mutant.name for mutant in sample), sep="\n")
        return
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        # The tests' database server cannot run as root, and its folder lies in here.
        Path(name).chmod(0o711)
        until = time.monotonic() + 60 * options.minutes
        survivors, tried = run(sample, Path(name), options.processes, until, options.tests, slow=not options.quick)
    found = 1 - len(survivors) / max(tried, 1)
    print(f"{tried - len(survivors)} of {tried} found ({found:.1%}); {len(sample) - tried} not tried for lack of time")
    print(*(f"survived: {name}" for name in survivors), sep="\n")
    sys.exit(0 if found >= GOAL and tried else 1)


def chosen(modules: Sequence[str] | None, size: int, seed: int) -> Iterator[Mutant]:
    """A sample of what the listed modules offer, less what is known to change nothing."""
    unknown = [end for end in modules or () if not any(_ends(name, end) for name in LISTED)]
    if unknown:
        raise SystemExit(f"{unknown[0]} is not one of the modules in tests/mutants/listed.py.")
    found: list[Mutant] = []
    for module in LISTED:
        source = path_of(module).read_text("utf-8")
        if not modules or any(_ends(module, end) for end in modules):
            found += mutants_of(module, source)
    known = equivalents()
    found = [mutant for mutant in found if not known.keys() & {mutant.name, mutant.whole}]
    random.Random(seed).shuffle(found)
    return iter(found[:size] if size else found)


def equivalents() -> dict[str, str]:
    """Mutants that change nothing, with the reason: lines of a name, two spaces, a number sign and the reason.

    An asterisk for the change means all of a function.
    """
    lines = EQUIVALENTS.read_text("utf-8").splitlines()
    parted = (line.rpartition("  # ") for line in lines if line and not line.startswith("#"))
    return {name.strip(): reason for name, _, reason in parted}


def run(
    sample: Sequence[Mutant], folder: Path, processes: int, until: float, most: int = 0, *, slow: bool
) -> tuple[list[str], int]:
    """The names of those that survived, and how many were tried."""
    modules = list(dict.fromkeys(mutant.module for mutant in sample))
    files = list(dict.fromkeys(file for module in modules for file in files_of(module)))
    begun = time.monotonic()
    with (
        ThreadPoolExecutor(processes) as pool,
        closing(Tests(folder, files, modules, processes, pool, most, slow=slow)) as tests,
    ):
        tests.trace()
        print(f"collected and traced {len(files)} files in {time.monotonic() - begun:.0f} s", flush=True)
        begun = time.monotonic()

        def attempt(mutant: Mutant) -> bool | None:
            if time.monotonic() > until:
                return None
            start = time.monotonic()
            noticed = tests.notices(mutant, files_of(mutant.module))
            how = "found" if noticed else "SURVIVED"
            print(f"{how:8} {time.monotonic() - start:5.1f} s  {mutant.name}  ({noticed})", flush=True)
            return bool(noticed)

        attempts = list(zip(sample, pool.map(attempt, sample), strict=True))
    taken = (time.monotonic() - begun) / 60
    print(f"{len(attempts) / taken:.0f} mutants a minute", flush=True)
    survivors = [mutant.name for mutant, noticed in attempts if noticed is False]
    return survivors, sum(noticed is not None for _, noticed in attempts)


def files_of(module: str) -> tuple[str, ...]:
    """Raises SystemExit where a listed file does not exist."""
    for file in LISTED[module]:
        if not (ROOT / file).is_file():
            raise SystemExit(f"There is no {file}, which tests/mutants/listed.py names for {module}.")
    return LISTED[module]


def _ends(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


if __name__ == "__main__":
    main()
