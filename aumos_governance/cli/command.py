"""The commands of ``jupyter governance``, one function for each, and the choice of the servers or the ledger to read.

Each function gets the parsed command line, prints its result and returns the exit code.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any, Final

from ..errors import AumOSGovernanceError, InvalidRequestError, NotFoundError
from ..integrations.pricing import price_data
from . import output, reports
from .keys import key
from .options import FILTERS, parse_arguments
from .rest_client import NotGovernedError
from .run import run
from .server_source import ServerSource, find_servers, server_at
from .sources import Source

GOOD: Final = 0
FOUND: Final = 1
DAMAGED: Final = 3
FAILED: Final = 2
_INTERRUPTED: Final = 130
_PIPE_CLOSED: Final = 141


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code, which ``--help`` explains. Errors are printed to stderr.

    ``argv`` are the arguments without the program's name; None for those of this process.
    """
    try:
        options = parse_arguments(argv)
        return _COMMANDS[options.command](options)
    except AumOSGovernanceError as error:
        output.notify(error.message)
        return FAILED
    except BrokenPipeError:
        output.detach_stdout()
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _status(options: Namespace) -> int:
    body: dict[str, Any] = {"places": []}
    failures: list[AumOSGovernanceError] = []
    for source in _sources(options, failures.append):
        with closing(source):
            try:
                body["places"] += [{"name": source.name, **place} for place in source.places()]
            except AumOSGovernanceError as error:
                failures.append(error)
    if failures and not body["places"]:
        raise failures[0]
    problems = reports.problems(body)
    if options.json:
        output.print_json({**body, "needs_a_person": problems})
    else:
        output.print_lines(reports.status_lines(body, output.terminal_width()) or ["No notebook was ever governed."])
        output.print_lines(["", *problems] if problems else [])
    for failure in failures:
        output.notify(failure.message)
    return FAILED if failures else FOUND if problems else GOOD


def _audit(options: Namespace) -> int:
    with closing(_source(options)) as source:
        records = source.audit(_given(options, FILTERS), options.last)
    if options.json:
        output.print_json({"records": records})
    else:
        output.print_lines(reports.audit_lines(records, output.terminal_width()))
    return GOOD


def _verify(options: Namespace) -> int:
    with closing(_source(options)) as source:
        result = source.verify(_given(options, ("path", "session_id", "known_head")))
    if options.json:
        output.print_json(result)
    else:
        output.print_lines(reports.verify_lines(result, options.known_head, output.terminal_width()))
    if result["ok"]:
        return GOOD
    return DAMAGED if reports.is_damaged(result) else FOUND


def _export(options: Namespace) -> int:
    file_format = options.format or "jsonl"
    to_file = options.output not in (None, "-")
    if options.json and not to_file and file_format != "jsonl":
        raise InvalidRequestError("With --json the records go to stdout as jsonl; leave --format csv out, or add -o.")
    with closing(_source(options)) as source:
        length = output.write_file(source.export(_given(options, FILTERS), file_format), options.output)
    if to_file and options.json:
        output.print_json({"file": options.output, "format": file_format, "bytes": length})
    elif to_file:
        output.print_lines([f"Wrote {length:,} bytes to {options.output}"])
    return GOOD


def _prices(options: Namespace) -> int:
    if options.url is not None and not options.update:
        raise InvalidRequestError("The option --url is only for --update; add --update, or leave --url out.")
    found = price_data.update(options.url) if options.update else price_data.describe()
    if found is None:
        raise NotFoundError(
            "No models' prices whose date is known are installed in this environment; run pip install genai-prices in"
            " the kernels' environment."
        )
    if options.json:
        output.print_json(found.body())
    else:
        output.print_lines(reports.price_lines(found.body(), output.terminal_width()))
    return FOUND if found.old else GOOD


def _ceiling(options: Namespace) -> int:
    # Imported here, since it imports a database library, which commands that read a server do not need.
    from .ceilings import ceiling
    from .configured_ledger import configured_url

    ceiling(options, options.database_url or configured_url())
    return GOOD


def _key(options: Namespace) -> int:
    key(options, _server(options))
    return GOOD


def _run(options: Namespace) -> int:
    return run(options, _server(options))


_COMMANDS: Final[dict[str, Callable[[Namespace], int]]] = {
    "status": _status,
    "audit": _audit,
    "verify": _verify,
    "export": _export,
    "prices": _prices,
    "ceiling": _ceiling,
    "key": _key,
    "run": _run,
}


def _given(options: Namespace, names: Iterable[str]) -> dict[str, str]:
    """Return the values of those options in ``names`` that the command line sets; the keys are the options' names."""
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


# ---- the servers and the ledger to read


def _source(options: Namespace) -> Source:
    """Return the one server or ledger that a command reads, as its options select it.

    Raises AumOSGovernanceError if they select several servers, or if neither a server nor a ledger can be read.
    """
    failures: list[AumOSGovernanceError] = []
    sources = list(_sources(options, failures.append))
    if len(sources) > 1:
        names = ", ".join(source.name.removeprefix("server ") for source in sources)
        raise InvalidRequestError(
            f"Several governed servers run here ({names}); name one with --server, or a ledger with --database-url."
        )
    for error in failures:
        output.notify(error.message)
    return sources[0]


def _server(options: Namespace) -> ServerSource:
    """Return the server that ``--server`` names, or without this option the only governed server that runs.

    Raises AumOSGovernanceError if several governed servers run and the option is missing, or if no governed server
    responds.
    """
    if options.server is not None:
        server = server_at(options.server, options.token)
        server.config()
        return server
    failures: list[AumOSGovernanceError] = []
    governed = [server for server in find_servers(options.token) if _is_governed(server, failures.append)]
    if len(governed) > 1:
        names = ", ".join(server.url for server in governed)
        raise InvalidRequestError(f"Several governed servers run here ({names}); name one with --server.")
    if not governed:
        if failures:
            raise failures[0]
        raise NotFoundError("No governed server of this user runs here; start one, or name one with --server.")
    return governed[0]


def _sources(options: Namespace, fail: Callable[[AumOSGovernanceError], None]) -> Iterator[Source]:
    """Yield the servers or the ledger that the options select.

    Without ``--server`` and ``--database-url``, these are all governed servers of this user that run or, if there are
    none, the ledger that the user's configuration files name. ``fail`` is called with the error of each server that
    runs but cannot be read.
    """
    if options.server is not None and options.database_url is not None:
        raise InvalidRequestError("Use either --server or --database-url, not both.")
    if options.token is not None and options.database_url is not None:
        raise InvalidRequestError("The option --token is for a server; leave it out with --database-url.")
    if options.database_url is not None:
        yield _ledger_source(options.database_url)
    elif options.server is not None:
        server = server_at(options.server, options.token)
        server.config()
        yield server
    else:
        governed: list[Source] = [server for server in find_servers(options.token) if _is_governed(server, fail)]
        yield from governed or [_configured_ledger()]


def _is_governed(server: ServerSource, fail: Callable[[AumOSGovernanceError], None]) -> bool:
    try:
        server.config()
    except NotGovernedError:
        return False
    except AumOSGovernanceError as error:
        fail(error)
        return False
    return True


def _configured_ledger() -> Source:
    from .configured_ledger import configured_url

    try:
        ledger = _ledger_source(configured_url())
    except NotFoundError as error:
        raise NotFoundError(
            f"No governed server of this user runs here, and its ledger was not found: {error.message} Set"
            " JUPYTER_DATA_DIR to the data folder of the server, or name the ledger with --database-url."
        ) from error
    output.notify(f"No governed server of this user runs here, so this is read from the {ledger.name}.")
    return ledger


def _ledger_source(url: str) -> Source:
    # Imported here, since it imports a database library, which commands that read a server do not need.
    from .ledger_source import LedgerSource

    return LedgerSource(url)
