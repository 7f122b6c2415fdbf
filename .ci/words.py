"""Reports words that the glossary replaced, in the files that were rewritten with it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

REPLACED = {
    "the client, the caller or the user": "whoever whomever nobody somebody someone anybody anyone everybody",
    "user": "person persons people",
    "state, return, show, send or notify": "tell tells told telling said",
    "client or caller": "asker askers",
}
USE = {word: better for better, words in REPLACED.items() for word in words.split()}
WORD = re.compile(rf"\b(?:{'|'.join(USE)})\b", re.IGNORECASE)

# Names and nouns that "request", "response" and "action" replaced. Not the verb of "ask its administrator". Not what is
# stored or public: the names ``asks``, ``answer``, ``answered`` and ``asked_at``, the request `AskApproval`, whose name
# is in its stored digest, ``at_limit="ask"``, and the kind of action ``act``.
NAMED = {
    "request": r"\b(?:[Aa]n|[Tt]he|[Ee]ach|[Oo]ne|[Tt]his) asks?\b|\bask_id\b|\bask_async\b|\bAskRow\b|\b[A-Z]+_ASKS\b"
    r"|\bparse_asks?\b|\b(?:Person|)Asked\b|\basked for\b|\basks_bare\b|\b_asks?\b|\baskToRun\b|\bASKS? OVER\b",
    "response": r"\b(?:[Aa]n|[Tt]he|[Ee]ach|[Ii]ts|[Tt]heir|no) answers?\b|\banswer_of\b|\berror_answer\b"
    r"|\b_?AnswerT(?:_co)?\b|\bparse_answers\b|\b\w+Answer\b"
    r"|\b(?:does|did|do) not answer\b|\b(?:what|who|that) answer(?:s|ed)\b"
    r"|\banswer(?:s|ed) (?:with|it|again)\b|\b(?:is|are|was|were) answered\b|\bunanswered\b",
    "posted request": r"\bTold\b|\b_?[Tt]ellings\b",
    "action": r"\b_Act\b|\bActing\b|\bActAsk\b|\bact_(?:steps|body|lines|voided)\b|\b[Gg]overned acts?\b",
}
# Pages and examples in which a model gives an answer to a question.
_QUESTIONS = ("docs/", "examples/")

# Parts of names, such as ``_said`` and ``nobody_waits``, in the package and in what tests it. Not public names.
_PARTS = "whoever|nobody|somebody|someone|anybody|persons?|people|tells?|told|said"
PART = re.compile(rf"\b\w*_(?:{_PARTS})(?:_\w+)?\b|\b(?:{_PARTS})_\w+")
_PUBLIC_PARTS = re.compile(r"by_person|needs_a_person|tell_model")

# Names that tests define. A class `Answer` is what a model responds with, and ``on_ask`` no name of ours.
DEFINED = re.compile(
    rf"\b(?:def|class) (?!Answer\(\w*\.?BaseModel)"
    rf"((?:\w*_)?(?:{_PARTS}|asks?|asked|asking|askers?|answers?|answered|Asker|Answers?|Person|Somebody|Nobody)(?:_\w+)?)\b"
)

# Names of fields that are stored, hashed or public, and so cannot change.
NAMES = re.compile(r"\b\w*\.person\b|\bperson=|\bperson: bool\b|\bby_person\b|content\.tell\b")

CHECKED = (
    "*.md",
    "docs/*.md",
    "docs/frameworks/*.md",
    "aumos_governance/**/*.py",
    "aumos_governance/**/*.yaml",
    # The JupyterLab extension and the examples.
    "labextension/src/**/*.ts",
    "labextension/src/**/*.tsx",
    "labextension/style/*.css",
    "labextension/schema/*.json",
    "labextension/scripts/*.mjs",
    "labextension/*.mjs",
    "labextension/*.mts",
    "examples/*.ipynb",
    "examples/*.py",
    "docs/*.py",
    "docs/_extensions/*.py",
    "benchmarks/*.py",
    "ui-tests/**/*.py",
    ".ci/*.py",
)

# Only the names that these define are checked: their texts quote what a user, a model or an earlier version wrote.
NAMES_CHECKED = ("tests/**/*.py", "ui-tests/**/*.py", "benchmarks/*.py")

# Not checked, each with the reason.
NOT_YET: dict[str, str] = {
    ".ci/words.py": "the words themselves",
}


def files(patterns: tuple[str, ...]) -> Iterator[Path]:
    """The files to check."""
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if not any(name == part or name.startswith(f"{part}/") for part in NOT_YET):
                yield path


def findings(text: str) -> Iterator[tuple[int, str]]:
    """Each replaced word in a text, with the number of its line."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in WORD.finditer(NAMES.sub("", line)):
            yield number, found[0]


def names(text: str) -> Iterator[tuple[int, str, str]]:
    """Each replaced name or noun in code, with the number of its line and what to write."""
    for number, line in enumerate(text.splitlines(), 1):
        for better, pattern in NAMED.items():
            for found in re.finditer(pattern, line):
                yield number, found[0], better


def parts(text: str) -> Iterator[tuple[int, str, str]]:
    """Each name in code that has a replaced word as a part, with the number of its line and what to write."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in PART.finditer(line):
            if not _PUBLIC_PARTS.search(found[0]):
                yield number, found[0], "a name by the glossary"


def defined(text: str) -> Iterator[tuple[int, str, str]]:
    """Each function or class of the tests with a replaced word in its name, as `parts`."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in DEFINED.finditer(line):
            if not _PUBLIC_PARTS.search(found[1]):
                yield number, found[1], "a name by the glossary"


def main() -> int:
    """Print each finding, and return 1 where there is one."""
    status = 0
    for part in NOT_YET:
        if not (ROOT / part).exists():
            print(f".ci/words.py: {part} in NOT_YET does not exist")
            status = 1
    reports: dict[str, list[tuple[int, str, str]]] = {}
    for path in files(CHECKED):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        found = [(number, word, USE[word.lower()]) for number, word in findings(text)]
        if not name.startswith(_QUESTIONS):
            found += names(text)
        if name.startswith("aumos_governance/") and path.suffix == ".py":
            found += parts(text)
        reports[name] = found
    for path in files(NAMES_CHECKED):
        name = path.relative_to(ROOT).as_posix()
        reports[name] = [*reports.get(name, ()), *defined(path.read_text("utf-8"))]
    for name, found in reports.items():
        for number, word, better in found:
            print(f"{name}:{number}: {word!r}: write {better}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
