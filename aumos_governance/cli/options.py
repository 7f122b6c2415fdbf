"""The command line of ``jupyter governance``: its commands, options and help texts, and how it is parsed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from ..errors import InvalidRequestError

FILTERS: Final = {
    "path": ("PATH", "records of this notebook; a path below its server's root"),
    "session_id": ("ID", "records of this session; 'ledger' for the ledger's own chain"),
    "agent_id": ("ID", "records of this agent"),
    "outcome": ("WORD", "records with this outcome: allow, deny or allow_with_caveat"),
    "event": ("WORD", "records of this event: open, change, close, spend, hold, settle, release, void, ..."),
    "tool": ("NAME", "records of this tool"),
    "action_type": ("WORD", "records of this type of action"),
    "resource": ("NAME", "records of this resource"),
    "text": ("TEXT", "records with this text in tool, agent, actor, notebook, reasons or detail"),
    "since": ("TIME", "records from this time on; ISO 8601, in UTC if it has no time zone"),
    "until": ("TIME", "records before this time"),
}
"""The filters of audit records, by the names of their parameters of ``GET audit``. Each has an option, e.g.
``--session-id``; the values are the option's placeholder and its help text."""

_PROGRAM: Final = "jupyter governance"
_RAW: Final = argparse.RawDescriptionHelpFormatter
_DESCRIPTION: Final = """\
Show the governance sessions, budgets and audit records of the notebooks on this machine's Jupyter servers. Only
"prices --update", "ceiling set", "ceiling lift", "key" and "run" change anything.

Without --server and --database-url, the command reads the running governed servers of this user. If none runs, it reads
the ledger that the configuration files name, and prints that on stderr. A ledger can be read while a server uses it;
reading neither creates nor upgrades a ledger, and records nothing.
"""
_PRICES: Final = """\
Show how old the models' prices are that governed calls in this environment use. With --update, fetch the prices that
genai-prices publishes and store them in Jupyter's data folder, for all programs of this user that start afterwards.
"""
_CEILING: Final = """\
Show the ceilings that all servers with the same ledger share (envelopes of kind team or user). The first server that is
configured with a ceiling creates it. Later changes of a server's configuration do not change it; only "set" and "lift"
do, and each change is recorded. They open the ledger directly, while servers may be using it.
"""
_KEY: Final = """\
Show and change the keys of a server's gateway. "create" issues a key for a program of your own, such as a script or an
editor. The key has its own trust level and budget, within all ceilings that limit yours. It is printed only this once,
as variables for a shell: eval "$(jupyter governance key create NAME)".
"""
_RUN: Final = """\
Run a command whose calls of models count against a notebook's trust level and budget. The command's environment has
the gateway's address and a new key, and does not have the providers' own keys. The key is revoked when the command
ends. The exit code is the command's. Governance must have been enabled in the notebook before.
"""
_CODES: Final = """\
exit codes:
  0    success, and no problem was found
  1    a problem was found: a record or a figure that does not match (verify); a hold of unknown outcome, a session over
       its budget, or a kernel that cannot be governed (status); prices that are older than 90 days (prices)
  2    wrong usage, or neither a server nor a ledger could be read, or no prices are installed or could be fetched
  3    the ledger is damaged: some records cannot be read (verify)
  141  the program that read the output closed the pipe, as with other programs
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises InvalidRequestError for wrong usage, where argparse prints the usage and exits."""

    def error(self, message: str) -> NoReturn:
        raise InvalidRequestError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Parse the arguments of a command line; None stands for those of this process.

    Raises InvalidRequestError for wrong usage, and SystemExit after printing the text of ``--help``.
    """
    return parser().parse_args(argv)


def parser() -> argparse.ArgumentParser:
    """Return a new parser of all commands and their options. The reference of the commands is made from it, too."""
    governance = _Parser(_PROGRAM, description=_DESCRIPTION, epilog=_CODES, formatter_class=_RAW)
    commands = governance.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        made = _add(commands, name, summary)
        _add_server(made)
        made.add_argument(
            "--database-url", metavar="URL", help="read this ledger: sqlite:////path/to/file or postgresql://..."
        )
        made.add_argument("--json", action="store_true", help="print JSON, with the bodies of the REST interface")
        return made

    command("status", "List notebooks with their sessions, kernels and open holds.")

    summary = "Show how old the models' prices in this environment are, or fetch newer ones."
    prices = _add(commands, "prices", summary, _PRICES)
    prices.add_argument("--update", action="store_true", help="fetch the newest prices and store them for this user")
    prices.add_argument("--url", help="with --update: fetch the prices from this https, http or file URL")
    prices.add_argument("--json", action="store_true", help="print JSON, like price_data in the response of GET config")

    _add_ceiling(commands)
    _add_key(commands)
    _add_run(commands)

    audit = command("audit", "List the newest audit records, newest last.")
    audit.add_argument(
        "-n", "--last", type=_positive, default=20, metavar="N", help="number of records to list (default: 20)"
    )
    _add_filters(audit)

    verify = command("verify", "Verify the hash chains, and that balances and states match them; list what is wrong.")
    session = verify.add_mutually_exclusive_group()
    session.add_argument("--path", help="verify only the open or last session of this notebook")
    session.add_argument("--session-id", metavar="ID", help="verify only this session")
    verify.add_argument(
        "--known-head",
        metavar="HASH",
        help="also verify that a chain still has the record with this hash, the head that an earlier verify printed",
    )

    export = command("export", "Write all audit records that match, oldest first, as a stream.")
    export.add_argument(
        "--format",
        choices=("jsonl", "csv"),
        help="jsonl (default): each record's text as it was hashed; csv: for spreadsheets",
    )
    export.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to this file, which is replaced only once all is written (default: stdout)",
    )
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
    for name, (placeholder, text) in FILTERS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=placeholder, help=text)


def _actions(
    commands: argparse._SubParsersAction[_Parser],
    command: str,
    summary: str,
    description: str,
    actions: Iterable[tuple[str, str]],
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Add a command whose first argument is an action, such as ``key`` with ``create``, ``list`` and ``revoke``.

    ``actions`` are the actions' names and help texts. Yields each name with the new parser of this action, to which the
    caller adds the action's arguments.
    """
    parser = _add(commands, command, summary, description)
    subparsers = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in actions:
        yield name, subparsers.add_parser(name, prog=f"{parser.prog} {name}", help=text, description=text)


def _add_ceiling(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "List the ceilings that servers share, or change or lift one."
    actions = (
        ("list", "List the ceilings, with what is spent and held in the current period."),
        ("set", "Change a ceiling's amount and, with --period, its period; a lifted ceiling applies again."),
        ("lift", "Lift a ceiling: it limits nothing until it is set again."),
    )
    for name, made in _actions(commands, "ceiling", summary, _CEILING, actions):
        if name != "list":
            made.add_argument("name", metavar="NAME", help="name of the ceiling")
        if name == "set":
            made.add_argument("amount", metavar="AMOUNT", help="the new ceiling, in US dollars")
            made.add_argument(
                "--period",
                choices=("daily", "weekly", "monthly", "yearly", "lifetime"),
                help="the new period that the ceiling is for (default: as before)",
            )
        if name != "list":
            made.add_argument(
                "--kind", choices=("team", "owner", "user"), help="kind of the ceiling, if several have this name"
            )
            made.add_argument("--user", metavar="NAME", help="user whose ceiling it is, if several have one")
            made.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        made.add_argument(
            "--database-url", metavar="URL", help="the ledger: sqlite:////path/to/file or postgresql://..."
        )
        made.add_argument("--json", action="store_true", help="print the ceilings as JSON")


def _add_key(commands: argparse._SubParsersAction[_Parser]) -> None:
    summary = "Issue, list and revoke keys of the gateway."
    actions = (
        ("create", "Issue a key for a program of your own, and print it, only this once."),
        ("list", "List the valid keys of kernels, terminals, commands and your own programs."),
        ("revoke", "Revoke a key permanently, and end the calls that are running with it."),
    )
    for name, made in _actions(commands, "key", summary, _KEY, actions):
        if name != "list":
            made.add_argument("name", metavar="NAME", help=f"name {'' if name == 'create' else 'or id '}of the key")
        if name == "create":
            made.add_argument("--level", type=int, choices=range(6), help="trust level (default: 1)")
            made.add_argument("--budget", metavar="USD", help="budget (default: the server's default budget)")
        _add_server(made)
        made.add_argument("--json", action="store_true", help="print JSON, with the bodies of the REST interface")


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    made = _add(commands, "run", "Run a command with a notebook's key.", _RUN, epilog=None)
    made.add_argument(
        "--notebook", required=True, metavar="PATH", help="notebook whose key is used; a path below the server's root"
    )
    _add_server(made)
    made.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND ...", help="the command and its arguments")


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="use this Jupyter server, if several run")
    parser.add_argument(
        "--token", help="the server's token; other users of the machine can see it, so prefer JUPYTER_TOKEN"
    )


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text[:40]!r}")
    return int(text)
