"""The command line of ``jupyter governance``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from ..errors import InvalidRequestError

__all__ = ["FILTERS", "arguments", "parser"]

FILTERS: Final = {
    "path": ("PATH", "of the notebook, below its server's root"),
    "session_id": ("ID", "of one session; 'ledger' is the ledger's own chain"),
    "agent_id": ("ID", "of one agent"),
    "outcome": ("WORD", "allow, deny or allow_with_caveat"),
    "event": ("WORD", "open, change, close, spend, hold, settle, release, void, ..."),
    "tool": ("NAME", "of one tool"),
    "action_type": ("WORD", "of one type of action"),
    "resource": ("NAME", "of one resource"),
    "text": ("TEXT", "found anywhere in tool, agent, actor, notebook, reasons or detail"),
    "since": ("TIME", "from then on, in ISO 8601; UTC unless it says otherwise"),
    "until": ("TIME", "before then"),
}
"""The filters of ``GET audit``: what stands for each value, and what it is."""

_PROGRAM: Final = "jupyter governance"
_RAW: Final = argparse.RawDescriptionHelpFormatter
_DESCRIPTION: Final = """\
Show what AumOS Governance keeps of the notebooks on this machine's Jupyter servers. It only reads, except for
"prices --update", "ceiling set", "ceiling lift", "key" and "run".

Without --server and --database-url the running governed servers of this user are used. Where none runs, the ledger is
read that the configuration files name, and a line on stderr says so. A ledger may be read while a server uses it;
reading makes no ledger, upgrades none, and records nothing.
"""
_PRICES: Final = """\
Show how old the models' prices are that governed calls in this environment use. With --update, fetch what genai-prices
publishes and keep it in Jupyter's data folder, for all programs of this user that start afterwards.
"""
_CEILING: Final = """\
Show the ceilings that servers with one ledger share (envelopes of the kinds team and user). The first server that is
configured with one creates it; from then on it stands whatever servers are configured with, and only "set" and "lift"
change it, on record. They open the ledger itself, which servers may be using meanwhile.
"""
_KEY: Final = """\
Show and change the keys of a server's gateway. "create" issues a key for a program of your own, such as a script or an
editor: it has a trust level and a budget of its own, within all ceilings around yours. It is printed this once, as
variables that a shell reads: eval "$(jupyter governance key create NAME)".
"""
_RUN: Final = """\
Run a command whose calls of models count against a notebook's trust level and budget. It finds the gateway and a key of
its own in its environment, and the providers' own keys are taken out. The key is revoked when the command ends, whose
exit code is passed on. Governance must have been on in the notebook.
"""
_CODES: Final = """\
exit codes:
  0    all is well
  1    something was found: a record or a figure that is not as it was written (verify); an unresolved hold, a session
       over its budget, or a kernel that cannot be governed (status); prices that are older than 90 days (prices)
  2    wrong usage, or neither a server nor a ledger could be read, or no prices are installed or could be fetched
  3    the ledger is damaged: something in it cannot be read (verify)
  141  the program that read the output closed the pipe, as with other programs
"""


class _Parser(argparse.ArgumentParser):
    """One sentence in place of the usage."""

    def error(self, message: str) -> NoReturn:
        raise InvalidRequestError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read a command line. Raises InvalidRequestError in one sentence; help is printed, and SystemExit raised."""
    return parser().parse_args(argv)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    governance = _Parser(_PROGRAM, description=_DESCRIPTION, epilog=_CODES, formatter_class=_RAW)
    commands = governance.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        made = _add(commands, name, summary)
        made.add_argument("--server", metavar="URL", help="send the request to this Jupyter server")
        made.add_argument("--token", help="of the server; better in the variable JUPYTER_TOKEN, which is private")
        made.add_argument(
            "--database-url", metavar="URL", help="read this ledger: sqlite:////path/to/file or postgresql://..."
        )
        made.add_argument("--json", action="store_true", help="print JSON, with the bodies of the REST interface")
        return made

    command("status", "List notebooks with their sessions, kernels and open holds.")

    summary = "Show how old the models' prices in this environment are, or fetch newer ones."
    prices = _add(commands, "prices", summary, _PRICES)
    prices.add_argument("--update", action="store_true", help="fetch the newest prices and keep them for this user")
    prices.add_argument("--url", help="with --update: fetch them from there; https, http or file")
    prices.add_argument("--json", action="store_true", help="print JSON, as price_data of GET config")

    _add_ceiling(commands)
    _add_key(commands)
    _add_run(commands)

    audit = command("audit", "List the newest audit records, newest last.")
    audit.add_argument("-n", "--last", type=_positive, default=20, metavar="N", help="how many (default: 20)")
    _add_filters(audit)

    verify = command(
        "verify", "Verify the hash chains, and the figures by them, all or one session's; names what is wrong."
    )
    of = verify.add_mutually_exclusive_group()
    of.add_argument("--path", help="of the notebook whose open or last session is verified")
    of.add_argument("--session-id", metavar="ID", help="of the session that is verified")
    verify.add_argument(
        "--known-head", metavar="HASH", help="a head kept from an earlier verification, to be found again"
    )

    export = command("export", "Write out all audit records that match, oldest first, as a stream.")
    export.add_argument("--format", choices=("jsonl", "csv"), help="jsonl (default): as hashed; csv: for spreadsheets")
    export.add_argument("-o", "--output", metavar="FILE", help="written as a whole or not at all (default: stdout)")
    _add_filters(export)
    return governance


def _add(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    summary: str,
    description: str | None = None,
    epilog: str | None = _CODES,
) -> _Parser:
    prog = f"{_PROGRAM} {name}"
    description = summary if description is None else description
    return commands.add_parser(
        name, prog=prog, help=summary, description=description, epilog=epilog, formatter_class=_RAW
    )


def _add_filters(parser: argparse.ArgumentParser) -> None:
    for name, (stands_for, summary) in FILTERS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=stands_for, help=summary)


def _actions(
    commands: argparse._SubParsersAction[_Parser],
    command: str,
    summary: str,
    description: str,
    actions: Iterable[tuple[str, str]],
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Add a command whose first word is an action; gives each action's name and its own parser."""
    parser = _add(commands, command, summary, description)
    found = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, of in actions:
        yield name, found.add_parser(name, prog=f"{parser.prog} {name}", help=of, description=of)


def _add_ceiling(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Show the ceilings that servers share, or change or lift one, on record."
    actions = (
        ("list", "List the ceilings with their figures in the current period."),
        ("set", "Give a ceiling another amount, and another period where one is named; a lifted one stands again."),
        ("lift", "Lift a ceiling: it encloses nothing until it is set again."),
    )
    for name, made in _actions(commands, "ceiling", summary, _CEILING, actions):
        if name != "list":
            made.add_argument("name", metavar="NAME", help="of the ceiling")
        if name == "set":
            made.add_argument("amount", metavar="AMOUNT", help="in US dollars")
            made.add_argument("--period", choices=("daily", "weekly", "monthly", "yearly", "lifetime"))
        if name != "list":
            made.add_argument("--kind", choices=("team", "owner", "user"), help="where several ceilings have this name")
            made.add_argument("--user", metavar="NAME", help="whose ceiling it is, where several users have one")
            made.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        made.add_argument(
            "--database-url", metavar="URL", help="the ledger: sqlite:////path/to/file or postgresql://..."
        )
        made.add_argument("--json", action="store_true", help="print the ceilings as JSON")


def _add_key(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Issue, list and revoke keys of the gateway."
    actions = (
        ("create", "Issue a key for a program of your own, and print it this once."),
        ("list", "List the valid keys of kernels, terminals, commands and your own programs."),
        ("revoke", "Revoke a key for good, which ends what is under way with it."),
    )
    for name, made in _actions(commands, "key", summary, _KEY, actions):
        if name != "list":
            made.add_argument("name", metavar="NAME", help=f"of the key{'' if name == 'create' else ', or its id'}")
        if name == "create":
            made.add_argument("--level", type=int, choices=range(6), help="trust level (default: 1)")
            made.add_argument("--budget", metavar="USD", help="what it may spend (default: as the server's)")
        _add_server(made)
        made.add_argument("--json", action="store_true", help="print JSON, with the bodies of the REST interface")


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    made = _add(commands, "run", "Run a command with a notebook's key.", _RUN, epilog=None)
    made.add_argument(
        "--notebook", required=True, metavar="PATH", help="whose trust level and budget count, below the server's root"
    )
    _add_server(made)
    made.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND ...", help="the command and its arguments")


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="of the Jupyter server, where several run")
    parser.add_argument("--token", help="of the server; better in the variable JUPYTER_TOKEN, which is private")


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text[:40]!r}")
    return int(text)
