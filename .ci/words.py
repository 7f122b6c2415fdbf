"""Check that code, documentation and interface use the project's glossary: report words that it replaced with others.

Run without arguments; the exit status is 1 if there is any such word.
"""

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

# Names and nouns that "request", "response" and "action" replaced. Allowed are the verb in "ask its administrator", and
# names that are stored or public: ``asks``, ``answer``, ``answered`` and ``asked_at``, the request `AskApproval`, whose
# name is in its stored digest, ``at_limit="ask"``, and the kind of action ``act``.
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
# Folders in which a model answers a question, so that these names are not checked.
_QUESTIONS = ("docs/", "examples/")

# Replaced words that are parts of names, such as ``_said`` and ``nobody_waits``, in the package and its tests.
_PARTS = "whoever|nobody|somebody|someone|anybody|persons?|people|tells?|told|said"
PART = re.compile(rf"\b\w*_(?:{_PARTS})(?:_\w+)?\b|\b(?:{_PARTS})_\w+")
_PUBLIC_PARTS = re.compile(r"by_person|needs_a_person|tell_model")

# Replaced words in names that tests define. A pydantic class `Answer` is allowed, since it is a model's response.
DEFINED = re.compile(
    rf"\b(?:def|class) (?!Answer\(\w*\.?BaseModel)"
    rf"((?:\w*_)?(?:{_PARTS}|asks?|asked|asking|askers?|answers?|answered|Asker|Answers?|Person|Somebody|Nobody)(?:_\w+)?)\b"
)

# Names of fields that cannot change, since they are stored, hashed or public.
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

# Files in which only defined names are checked, since their texts quote users, models and earlier versions.
NAMES_CHECKED = ("tests/**/*.py", "ui-tests/**/*.py", "benchmarks/*.py")

# Files that are not checked, each with the reason.
NOT_YET: dict[str, str] = {
    ".ci/words.py": "it lists the words",
}


def files(patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield the project's files that match one of the glob patterns, except those in `NOT_YET`."""
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if not any(name == part or name.startswith(f"{part}/") for part in NOT_YET):
                yield path


def findings(text: str) -> Iterator[tuple[int, str]]:
    """Yield each word in a text that the glossary replaced, such as "person", with the number of its line."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in WORD.finditer(NAMES.sub("", line)):
            yield number, found[0]


def names(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each phrase or name in a file that `NAMED` replaced, with the number of its line and the word to use."""
    for number, line in enumerate(text.splitlines(), 1):
        for better, pattern in NAMED.items():
            for found in re.finditer(pattern, line):
                yield number, found[0], better


def parts(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each name in code with a replaced word as one of its parts, such as ``_was_told``.

    Each comes with the number of its line and the advice to print.
    """
    for number, line in enumerate(text.splitlines(), 1):
        for found in PART.finditer(line):
            if not _PUBLIC_PARTS.search(found[0]):
                yield number, found[0], "a name by the glossary"


def defined(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the name of each function or class that a test defines, if a replaced word is one of its parts.

    Each comes with the number of its line and the advice to print.
    """
    for number, line in enumerate(text.splitlines(), 1):
        for found in DEFINED.finditer(line):
            if not _PUBLIC_PARTS.search(found[1]):
                yield number, found[1], "a name by the glossary"


def main() -> int:
    """Check all files and print a line for each replaced word; return 1 if there is any, else 0."""
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
