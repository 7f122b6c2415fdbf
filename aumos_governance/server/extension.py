"""The server extension: reads the configuration, puts the parts together, and starts and stops them.

A server on which governance is enabled never runs ungoverned: where the extension cannot start, the server
does not start either.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Enum, TraitError, Unicode, default
from traitlets.config import Config

from ..errors import AumOSGovernanceError
from ..gateway.configuration.providers import read_providers
from ..ledger import open_ledger
from ..ledger.contract.budgets import ConfigureEnvelopes
from ..ledger.contract.charges import KernelsPresent
from ..ledger.contract.facts import Origin
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListCeilings, ListNotebooks
from ..ledger.contract.requests import JoinNotebooks
from ..owner import owner
from ..service.service import NotebookService
from ..wire.protocol import REPLY_TYPE, STRICT_ENV
from .gateway.port_memory import PortMemory
from .gateway.served_gateway import ServedGateway
from .identity.contents_moves import ContentsMoves
from .identity.documents import Documents
from .identity.rooms import Rooms
from .kernels.bridge import KERNEL_EVENTS, Bridge
from .kernels.kernel_environment import mark_children, mark_kernels
from .kernels.kernel_sessions import close_left
from .kernels.local_socket import LocalSocket
from .kernels.readers import Readers
from .live.metrics import commit_done
from .live.state_events import STREAM, EventStream, OpenHolds, OwnEvents, StateEvents
from .rest.ceilings import difference_sentence, differences
from .rest.context import Context
from .rest.table import handlers
from .settings.envelope_traits import Envelopes, read_envelopes
from .settings.provider_traits import Port, Providers
from .settings.settings import Settings, default_database_url, read_settings
from .settings.traits import Autostart, Dollars, Fractions, Level, Seconds

__all__ = ["GovernanceExtension"]

_WORKERS: Final = 4
_READERS: Final = 2
_LONG_READS: Final = 1
"""Threads for what may read the whole record. One alone: Python runs one at a time in any case, and each one more makes
all others wait longer for their turn."""


class GovernanceExtension(ExtensionApp):
    """Governs what notebooks and their agents may do and spend."""

    name = "aumos_governance"
    description = "Trust levels, budgets and an audit record for what notebooks and their agents may do and spend."
    load_other_extensions = True

    default_budget = Dollars(
        "10",
        help="""What a governance session may spend, in US dollars, where the notebook names no budget. At most
        `max_budget`.""",
    ).tag(config=True)
    default_trust_level = Level(
        2,
        help="""The trust level of a governance session where the notebook names none: 0 Observer, 1 Monitor,
        2 Suggest, 3 Act (Approval Required), 4 Act (Report After), 5 Autonomous. At most `max_trust_level`.""",
    ).tag(config=True)
    max_budget = Dollars(
        None,
        allow_none=True,
        help="""The most that any governance session may be given, in US dollars, by a notebook or by a user;
        None for no limit.""",
    ).tag(config=True)
    max_trust_level = Level(
        5, help="The highest trust level that any governance session may be given, by a notebook or by a user."
    ).tag(config=True)
    warn_at = Fractions(
        ["0.5", "0.8"],
        help="""The fractions of a budget, above 0 and at most 1 and rising, at which the display of what is spent
        changes colour.""",
    ).tag(config=True)
    strict = Bool(
        False,
        help="""Whether a notebook opens its first session at most at the defaults and from then on only tightens:
        then only a user in the browser can raise a limit, close a session and open a new one.""",
    ).tag(config=True)
    autostart = Autostart(
        False,
        help="""Whether every notebook that was never governed gets a governance session as soon as its kernel runs:
        True for one at the defaults, or a dict with its `trust_level`, its `budget` in US dollars, or both. A session
        that exists is never changed by it.""",
    ).tag(config=True)
    approval_timeout = Seconds(
        600.0,
        help="""The seconds that a user has to approve an action at trust level L3, where the notebook sets no
        time-out; after that it is denied.""",
    ).tag(config=True)
    at_limit = Enum(
        ("deny", "ask"),
        "deny",
        help="""What happens to a call that only a limit on money refuses, where its notebook does not choose: with
        `deny` it fails at once, with `ask` it waits in the governance panel for a user, who raises the limit or
        denies it, for at most `approval_timeout` seconds.""",
    ).tag(config=True)
    envelopes = Envelopes(
        [],
        help="""Ceilings over several sessions: a list of dicts with a `name` of its own; a `kind`, which says what
        shares it: `notebook` (each notebook, over all its sessions), `owner` or `user` (all notebooks of the user, on
        all servers with the same database), `server` (all notebooks of this server), `team` (all servers with the same
        database and an envelope of this name); a `ceiling` in US dollars; and a `period` in calendar terms of UTC:
        `daily`, `weekly`, `monthly`, `yearly`, or `lifetime`, which is the default.""",
    ).tag(config=True)
    load_in_kernels = Bool(
        True,
        help="""Whether Python kernels that this server starts load the magics and the notebook's engine by themselves
        when a cell first uses them. Such a kernel finds a start-up hook in PYTHONSTARTUP, which imports nothing and
        then runs the user's own. Without it, `%load_ext aumos_governance.jupyter_extension` loads them.""",
    ).tag(config=True)
    local_socket = Bool(
        True,
        help="""Whether kernels on this machine may use a local socket, which is faster and sends no frames to browsers.
        Without it, and for all other kernels, their own channels carry the requests.""",
    ).tag(config=True)
    providers = Providers(
        {},
        help="""The providers whose APIs the gateway offers to kernels, terminals and programs with a key of ours, by
        name: for each a dict with its key (`key_file`, `key_env` or `key_command`) and what differs from what is known
        of it, such as `base_url`, `models`, `prices`, `output_limit`. Empty: there is no gateway, and nothing is
        intercepted.""",
    ).tag(config=True)
    gateway = Bool(
        True, help="Whether the gateway runs; where no provider is configured, it does not in any case."
    ).tag(config=True)
    gateway_port = Port(
        0,
        help="""The port on this machine's loopback interface at which the gateway listens; 0 for the port of the last
        start, or else any free one.""",
    ).tag(config=True)
    database_url = Unicode(
        help="""Where the ledger is: `sqlite:////absolute/path/to/file.sqlite` (on a local disk),
        `postgresql://user:password@host:port/database` (which several servers may share), or `memory://`, which
        forgets everything when the server stops. By default a file in Jupyter's data folder.""",
    ).tag(config=True)

    _gateway: ServedGateway | None = None

    @default("database_url")
    def _database_url(self) -> str:
        return default_database_url(Path(self.data_dir))

    # ---- the life of an extension

    def _link_jupyter_server_extension(self, serverapp: Any) -> None:
        # The server logs an exception here as a warning, and goes on without the extension.
        try:
            super()._link_jupyter_server_extension(serverapp)
            self._check_names(serverapp.config)
        except TraitError as error:
            self._refuse(str(error))

    def initialize(self) -> None:  # type: ignore[override] # as the base class, which the server calls
        """Open the ledger and put the parts together; ends the server where that is not possible."""
        try:
            super().initialize()  # type: ignore[no-untyped-call]
        except (AumOSGovernanceError, TraitError) as error:
            self._refuse(str(error))
        except Exception as error:
            if isinstance(error, OSError) and _is_in_data_folder(error.filename):
                self._refuse(
                    f"AumOS Governance cannot make {error.filename} ({error.strerror}), so the server does not start;"
                    " set the environment variable JUPYTER_DATA_DIR to a folder that can be written to."
                )
            self.log.exception("AumOS Governance could not start.")
            self._refuse(f"AumOS Governance could not start ({type(error).__name__}), so the server does not either.")

    def initialize_settings(self) -> None:
        serverapp: Any = self.serverapp
        settings = read_settings(
            default_budget=self.default_budget,
            default_trust_level=self.default_trust_level,
            max_budget=self.max_budget,
            max_trust_level=self.max_trust_level,
            warn_at=self.warn_at,
            # A server that a strict server's child process starts is inside of it.
            strict=self.strict or bool(os.environ.get(STRICT_ENV)),
            autostart=self.autostart,
            database_url=self.database_url,
            envelopes=read_envelopes(self.envelopes),
            at_limit=self.at_limit,
        )
        # Before the ledger is opened: a provider that cannot work leaves nothing behind.
        upstreams = read_providers(self.providers) if self.gateway else {}
        self._name = f"{secrets.randbits(31):08x}"
        self._ledger = self._open_ledger(settings)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="aumos-governance")
        self._readers = Readers(_READERS)
        self._long_reads = ThreadPoolExecutor(_LONG_READS, thread_name_prefix="aumos-governance-long")
        loop = serverapp.io_loop.asyncio_loop
        documents = Documents(serverapp.contents_manager, serverapp.contents_manager.root_dir or serverapp.root_dir)
        self._rooms = rooms = Rooms(owner(), documents.root, documents.locate)
        _rename_known(self._ledger, documents, rooms.owner)
        if not self._ledger.attending() - {self._name}:
            close_left(self._ledger, rooms)
        # Also where there are none: those of an earlier configuration end then.
        self._ledger.execute(
            ConfigureEnvelopes(
                key="", origin=Origin("server"), owner=rooms.owner, root=rooms.root, envelopes=settings.envelopes
            )
        )
        ceilings = self._ledger.read(ListCeilings(owner=rooms.owner))
        for difference in differences(settings.envelopes, ceilings):
            self.log.warning("AumOS Governance: %s", difference_sentence(difference))
        # Before any kernel sends a request: what kernels of an earlier server held is left to a user. Another server
        # of this root that still runs knows its own.
        self._ledger.execute(
            KernelsPresent(
                key="",
                origin=Origin("server"),
                owner=rooms.owner,
                root=rooms.root,
                servers=tuple(sorted(self._ledger.attending() - {self._name})),
            )
        )
        self._service = service = NotebookService(
            self._ledger,
            settings.terms,
            approval_seconds=self.approval_timeout,
            at_limit=settings.at_limit,
            log=self.log,
        )
        events = StateEvents(OwnEvents(serverapp.event_logger, self.log), rooms, loop, self.log)
        self._events = events
        self._holds = OpenHolds(self._ledger, rooms.owner, rooms.root, loop=loop, workers=self._workers, log=self.log)
        self._unsubscribe = [self._ledger.subscribe(hear) for hear in (events.offer, self._holds.offer)]

        def announce(paths: set[str]) -> None:
            self._workers.submit(events.reread, self._ledger, paths)

        moves = ContentsMoves(documents, self._ledger, rooms, self.log, announce)
        moves.follow(serverapp.contents_manager)
        if upstreams:
            ports = PortMemory(Path(self.data_dir) / "aumos_governance", rooms.root, self.gateway_port)
            self._gateway = ServedGateway(upstreams, service, rooms, ports, server=self._name, log=self.log)
            self._gateway.start()
        kernel_keys = None if self._gateway is None else self._gateway.issuing.kernels
        self._bridge = Bridge(
            serverapp.kernel_manager,
            serverapp.session_manager,
            service,
            rooms,
            loop=loop,
            readers=self._readers,
            settle=rooms.settle,
            at_once=_never if settings.shared else rooms.settled,
            announce=announce,
            autostart=settings.autostart,
            autostart_terms=settings.autostart_terms,
            look=partial(moves.look, self._workers),
            log=self.log,
            server=self._name,
            local_socket=LocalSocket(Path(serverapp.runtime_dir), self.log) if self.local_socket else None,
            keys=kernel_keys,
        )
        self._context = Context(
            service,
            rooms,
            settings,
            rooms.settle,
            self._bridge.kernels,
            serverapp.contents_manager,
            loop,
            None if self._gateway is None else self._gateway.issuing.requests,
            None if self._gateway is None else self._gateway.body(),
        )
        self._bridge.follow_sessions()
        self._unmark = mark_children(strict=settings.terms.strict)
        mark_kernels(
            serverapp.kernel_manager,
            strict=settings.terms.strict,
            documents=documents,
            name=rooms.name,
            load_in_kernels=self.load_in_kernels,
            keys=kernel_keys,
            note_foreign_keys=self._bridge.note_foreign_keys,
        )
        _leave_untracked(serverapp)
        serverapp.event_logger.add_listener(schema_id=KERNEL_EVENTS, listener=self._bridge.on_kernel_event)
        self.log.info("AumOS Governance keeps its ledger in %s", _without_password(settings.database_url))

    def initialize_handlers(self) -> None:
        self.handlers.extend([*handlers(self._context, self._workers, self._long_reads), (STREAM, EventStream)])

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        self._bridge.start()
        if self._gateway is not None:
            self._gateway.issuing.follow_terminals(serverapp)
        # What a server has loaded stays until it ends. Without this, each full garbage collection walks over all of it
        # with every thread stopped (75 ms, twice a second under load), and no kernel gets its response meanwhile.
        gc.freeze()

    async def stop_extension(self) -> None:
        """Shut down the kernels, end their connections, and close the ledger once what was queued is durable."""
        serverapp: Any = self.serverapp
        try:
            # The server does this next. Done first, a kernel that settles at its exit is still heard.
            await serverapp.cleanup_kernels()
        except Exception:
            self.log.exception("The kernels could not be shut down for governance.")
        await self._bridge.stop()
        loop = asyncio.get_running_loop()
        if self._gateway is not None:
            await loop.run_in_executor(None, self._gateway.stop)
        gc.unfreeze()
        self._unmark()
        self._service.stop_waiting()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._holds.counts.close()
        for threads in (self._readers, self._long_reads, self._workers):
            await loop.run_in_executor(None, threads.shutdown)
        await loop.run_in_executor(None, self._ledger.close)

    # ---- refusing to start

    def _open_ledger(self, settings: Settings) -> Any:
        try:
            return open_ledger(settings.database_url, on_commit=commit_done, server=self._name)
        except AumOSGovernanceError as error:
            self._refuse(f"GovernanceExtension.database_url cannot be used: {error.message}")

    def _check_names(self, config: Config) -> None:
        """A misspelt limit must not pass for a limit."""
        known = set(self.class_trait_names(config=True))
        for name in config.get(type(self).__name__, {}):
            if name not in known:
                own = ", ".join(sorted(set(self.class_own_traits(config=True))))
                raise TraitError(f"{type(self).__name__}.{name} is not a setting; the settings are {own}.")

    def _refuse(self, sentence: str) -> NoReturn:
        serverapp: Any = self.serverapp
        ledger = getattr(self, "_ledger", None)
        if ledger is not None:
            # Its thread would keep the process from ending.
            ledger.close()
        serverapp.log.critical(sentence)
        serverapp.exit(1)
        raise SystemExit(1)


def _rename_known(ledger: Ledger, documents: Documents, owner: str) -> None:
    """Have notebooks that were known by a link, before links were resolved, known by their files."""
    renamed = ((known, documents.renamed(known)) for known in ledger.read(ListNotebooks(owner=owner)))
    pairs = tuple((known, new) for known, new in renamed if new is not None)
    if pairs:
        ledger.execute(JoinNotebooks(key="", origin=Origin("server"), pairs=pairs))


def _never() -> bool:
    return False


def _leave_untracked(serverapp: Any) -> None:
    """Keep our responses from counting as the kernel's activity.

    Otherwise each makes a page show the kernel idle in the middle of a cell, and a busy kernel may be culled.
    JupyterLab copies the list for its pages when it is loaded, so it is put there too, whichever came first.
    """
    kernel_manager = serverapp.kernel_manager
    untracked = [*kernel_manager.untracked_message_types, REPLY_TYPE]
    kernel_manager.untracked_message_types = untracked
    serverapp.web_app.settings.setdefault("page_config_data", {})["untracked_message_types"] = list(untracked)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    # In the URL of a database the options may hold one too.
    return f"{scheme}{separator}{rest.partition('?')[0].rpartition('@')[2]}"


def _is_in_data_folder(filename: object) -> bool:
    folder = Path(jupyter_data_dir())
    return isinstance(filename, str) and (Path(filename) in folder.parents or Path(filename).is_relative_to(folder))
