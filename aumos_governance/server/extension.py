"""The server extension: it validates the configuration, assembles its parts, and starts and stops them.

A server with governance enabled never runs ungoverned: if the extension cannot start, the server does not start
either.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from collections.abc import Mapping
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
from ..gateway.contract import Upstream
from ..ledger import open_ledger
from ..owner import owner
from ..service.service import NotebookService
from ..wire.protocol import REPLY_TYPE, STRICT_ENV
from .gateway.port_memory import PortMemory
from .gateway.served_gateway import ServedGateway
from .identity.contents_moves import ContentsMoves
from .identity.documents import Documents
from .identity.notebook_map import NotebookMap
from .kernels.autostart import FirstSessions
from .kernels.bridge import KERNEL_EVENTS, Bridge
from .kernels.conversation import never
from .kernels.kernel_environment import mark_children, mark_kernels
from .kernels.local_socket import LocalSocket
from .kernels.readers import Readers
from .live.metrics import commit_done
from .live.state_events import STREAM, EventStream, OpenHolds, OwnEvents, StateEvents
from .prepared_ledger import prepare_ledger
from .rest.context import Context
from .rest.table import handlers
from .settings.envelope_traits import Envelopes, read_envelopes
from .settings.provider_traits import Port, Providers
from .settings.settings import Settings, default_database_url, read_settings
from .settings.traits import Autostart, Dollars, Fractions, Level, Seconds

_WORKERS: Final = 4
_READERS: Final = 2
_LONG_READS: Final = 1
"""The number of threads for REST requests that may read the whole audit record, such as an export.

There is only one: Python runs one thread at a time in any case, and each further thread makes all others wait longer.
"""


class GovernanceExtension(ExtensionApp):
    """The Jupyter server extension that limits what notebooks and their agents may do and spend."""

    name = "aumos_governance"
    description = "Trust levels, budgets and an audit record for what notebooks and their agents may do and spend."
    load_other_extensions = True

    default_budget = Dollars(
        "10",
        help="""The budget of a governance session, in US dollars, unless the notebook sets one. At most
        `max_budget`.""",
    ).tag(config=True)
    default_trust_level = Level(
        2,
        help="""The trust level of a governance session, unless the notebook sets one: 0 Observer, 1 Monitor,
        2 Suggest, 3 Act (Approval Required), 4 Act (Report After), 5 Autonomous. At most `max_trust_level`.""",
    ).tag(config=True)
    max_budget = Dollars(
        None,
        allow_none=True,
        help="""The highest budget, in US dollars, that a notebook or a user may set for a governance session; None
        for no limit.""",
    ).tag(config=True)
    max_trust_level = Level(
        5, help="The highest trust level that a notebook or a user may set for a governance session."
    ).tag(config=True)
    warn_at = Fractions(
        ["0.5", "0.8"],
        help="""The fractions of a budget at which the display of the amount spent changes colour: a list in rising
        order, each above 0 and at most 1.""",
    ).tag(config=True)
    strict = Bool(
        False,
        help="""Whether only a user in the browser can raise a limit, close a session or open a further one. A notebook
        can then open its first session, with at most the default budget and trust level, and only lower these
        afterwards.""",
    ).tag(config=True)
    autostart = Autostart(
        False,
        help="""Whether every notebook that never had a governance session gets one as soon as its kernel runs: True
        for a session with the defaults, or a dict with its `trust_level`, its `budget` in US dollars, or both. An
        existing session is never changed.""",
    ).tag(config=True)
    approval_timeout = Seconds(
        600.0,
        help="""The seconds that a user has to approve an action at trust level L3, unless the notebook sets a
        time-out. Without an approval by then, the action is denied.""",
    ).tag(config=True)
    at_limit = Enum(
        ("deny", "ask"),
        "deny",
        help="""What happens to a call that exceeds a limit on money, unless its notebook chooses: with `deny` it fails
        at once; with `ask` it waits for at most `approval_timeout` seconds, and a user raises the limit or denies the
        call in the governance panel.""",
    ).tag(config=True)
    envelopes = Envelopes(
        [],
        help="""Ceilings over several sessions: a list of dicts, each with four fields. `name` is unique in the list.
        `kind` states which sessions share the ceiling: `notebook` (all sessions of each notebook), `owner` or `user`
        (all notebooks of the user, on all servers with the same database), `server` (all notebooks of this server),
        `team` (all servers with the same database and an envelope of this name). `ceiling` is in US dollars. `period`
        is a calendar period in UTC, `daily`, `weekly`, `monthly` or `yearly`, or else `lifetime`, the default.""",
    ).tag(config=True)
    load_in_kernels = Bool(
        True,
        help="""Whether Python kernels that this server starts load the magics and the notebook's engine by themselves
        when a cell first uses them. The server then sets PYTHONSTARTUP in their environment to a start-up hook, which
        imports nothing and runs the user's own start-up file. If False, `%load_ext aumos_governance.jupyter_extension`
        loads them.""",
    ).tag(config=True)
    local_socket = Bool(
        True,
        help="""Whether kernels on this machine may send their requests over a local socket, which is faster and sends
        no messages to browsers. If False, and for kernels elsewhere, requests use the kernel's Jupyter channels.""",
    ).tag(config=True)
    providers = Providers(
        {},
        help="""The providers whose APIs the gateway offers to kernels, terminals and programs that have a key of the
        gateway, by name: for each a dict with the provider's key (`key_file`, `key_env` or `key_command`) and the
        fields that differ from the built-in ones, such as `base_url`, `models`, `prices`, `output_limit`. If empty,
        there is no gateway, and no request to a provider is intercepted.""",
    ).tag(config=True)
    gateway = Bool(True, help="Whether the gateway runs. Without a configured provider it never does.").tag(config=True)
    gateway_port = Port(
        0,
        help="""The port of this machine's loopback interface on which the gateway listens; 0 for the port of its last
        start if that is free, else any free one.""",
    ).tag(config=True)
    database_url = Unicode(
        help="""The address of the ledger: `sqlite:////absolute/path/to/file.sqlite` (on a local disk),
        `postgresql://user:password@host:port/database` (which several servers may share), or `memory://`, which
        loses all data when the server stops. By default a file in Jupyter's data folder.""",
    ).tag(config=True)

    _gateway: ServedGateway | None = None

    @default("database_url")
    def _database_url(self) -> str:
        return default_database_url(Path(self.data_dir))

    # ---- the life of an extension

    def _link_jupyter_server_extension(self, serverapp: Any) -> None:
        # The server would only log an exception from here as a warning, and start without the extension.
        try:
            super()._link_jupyter_server_extension(serverapp)
            self._check_names(serverapp.config)
        except TraitError as error:
            self._refuse(str(error))

    def initialize(self) -> None:  # type: ignore[override] # the same parameters as the base class has at run time
        """Open the ledger and assemble the extension, as jupyter_server requires; if this fails, end the server."""
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
            self._refuse(
                f"AumOS Governance could not start ({type(error).__name__}), so the server does not start; the error"
                " above has the details."
            )

    def initialize_settings(self) -> None:
        serverapp: Any = self.serverapp
        settings = read_settings(
            default_budget=self.default_budget,
            default_trust_level=self.default_trust_level,
            max_budget=self.max_budget,
            max_trust_level=self.max_trust_level,
            warn_at=self.warn_at,
            # A server started by a child process of a strict server is strict as well.
            strict=self.strict or bool(os.environ.get(STRICT_ENV)),
            autostart=self.autostart,
            database_url=self.database_url,
            envelopes=read_envelopes(self.envelopes),
            at_limit=self.at_limit,
        )
        # Before the ledger is opened, so that an invalid provider leaves no ledger behind.
        upstreams = read_providers(self.providers) if self.gateway else {}
        self._name = f"{secrets.randbits(31):08x}"
        self._ledger = self._open_ledger(settings)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="aumos-governance")
        self._readers = Readers(_READERS)
        self._long_reads = ThreadPoolExecutor(_LONG_READS, thread_name_prefix="aumos-governance-long")
        self._loop = serverapp.io_loop.asyncio_loop
        documents = Documents(serverapp.contents_manager, serverapp.contents_manager.root_dir or serverapp.root_dir)
        self._notebooks = NotebookMap(owner(), documents.root, documents.locate)
        prepare_ledger(self._ledger, settings.envelopes, documents, self._notebooks, self._name, self.log)
        self._service = NotebookService(
            self._ledger,
            settings.terms,
            approval_seconds=self.approval_timeout,
            at_limit=settings.at_limit,
            log=self.log,
        )
        self._send_events()
        moves = ContentsMoves(documents, self._ledger, self._notebooks, self.log, self._announce)
        moves.follow(serverapp.contents_manager)
        if upstreams:
            self._start_gateway(upstreams)
        self._serve_kernels(settings, documents, moves)
        self._context = Context(
            self._service,
            self._notebooks,
            settings,
            self._notebooks.settle,
            self._bridge.kernels,
            serverapp.contents_manager,
            self._loop,
            None if self._gateway is None else self._gateway.issuers.requests,
            None if self._gateway is None else self._gateway.body(),
        )
        _exclude_from_activity(serverapp)
        self.log.info("AumOS Governance keeps its ledger in %s", _without_password(settings.database_url))

    def _send_events(self) -> None:
        """From now on, send pages and other extensions an event after each change of a notebook's state."""
        serverapp: Any = self.serverapp
        notebooks = self._notebooks
        self._events = StateEvents(OwnEvents(serverapp.event_logger, self.log), notebooks, self._loop, self.log)
        self._holds = OpenHolds(
            self._ledger, notebooks.owner, notebooks.root, loop=self._loop, workers=self._workers, log=self.log
        )
        self._unsubscribe = [self._ledger.subscribe(hear) for hear in (self._events.offer, self._holds.offer)]

    def _announce(self, paths: set[str]) -> None:
        self._workers.submit(self._events.reread, self._ledger, paths)

    def _start_gateway(self, upstreams: Mapping[str, Upstream]) -> None:
        ports = PortMemory(Path(self.data_dir) / "aumos_governance", self._notebooks.root, self.gateway_port)
        self._gateway = ServedGateway(upstreams, self._service, self._notebooks, ports, server=self._name, log=self.log)
        self._gateway.start()

    def _serve_kernels(self, settings: Settings, documents: Documents, moves: ContentsMoves) -> None:
        """Make the bridge, which serves kernels' requests, and mark the child processes that start from now on.

        The marks are variables in the environment of kernels and, on a strict server, of all child processes.
        """
        serverapp: Any = self.serverapp
        notebooks = self._notebooks
        keys = None if self._gateway is None else self._gateway.issuers.kernels
        autostart = FirstSessions(
            self._service, notebooks, self._readers, notebooks.settle, settings.autostart_terms, self.log
        )
        self._bridge = Bridge(
            serverapp.kernel_manager,
            serverapp.session_manager,
            self._service,
            notebooks,
            loop=self._loop,
            readers=self._readers,
            settle=notebooks.settle,
            may_stand_by=never if settings.shared else notebooks.settled,
            announce=self._announce,
            autostart=autostart if settings.autostart else None,
            find_moved=partial(moves.find_moved, self._workers),
            log=self.log,
            server=self._name,
            local_socket=LocalSocket(Path(serverapp.runtime_dir), self.log) if self.local_socket else None,
            keys=keys,
        )
        self._bridge.follow_sessions()
        self._unmark = mark_children(strict=settings.terms.strict)
        mark_kernels(
            serverapp.kernel_manager,
            strict=settings.terms.strict,
            documents=documents,
            name=notebooks.name,
            load_in_kernels=self.load_in_kernels,
            keys=keys,
            note_foreign_keys=self._bridge.note_foreign_keys,
        )
        serverapp.event_logger.add_listener(schema_id=KERNEL_EVENTS, listener=self._bridge.on_kernel_event)

    def initialize_handlers(self) -> None:
        self.handlers.extend([*handlers(self._context, self._workers, self._long_reads), (STREAM, EventStream)])

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        self._bridge.start()
        if self._gateway is not None:
            self._gateway.issuers.follow_terminals(serverapp)
        # The modules that a server has loaded stay until it ends. Without this, each full garbage collection walks
        # over all of them with every thread stopped (75 ms, twice a second under load), and delays all responses.
        gc.freeze()

    async def stop_extension(self) -> None:
        """Shut down the kernels, end their connections, and close the ledger once all queued requests are durable."""
        serverapp: Any = self.serverapp
        try:
            # The server would do this after this method. A kernel that settles a hold at its exit must still be served.
            await serverapp.cleanup_kernels()
        except Exception:
            self.log.exception(
                "Not all kernels could be shut down. Governance stops anyway; kernels that still run cannot spend."
            )
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
        """Raise TraitError if ``config`` has a setting that this extension does not have.

        traitlets would ignore it, so that a misspelt limit would limit nothing.
        """
        known = set(self.class_trait_names(config=True))
        for name in config.get(type(self).__name__, {}):
            if name not in known:
                own = ", ".join(sorted(set(self.class_own_traits(config=True))))
                raise TraitError(f"{type(self).__name__}.{name} is not a setting; the settings are {own}.")

    def _refuse(self, sentence: str) -> NoReturn:
        serverapp: Any = self.serverapp
        ledger = getattr(self, "_ledger", None)
        if ledger is not None:
            # The thread of an open ledger would keep the process from ending.
            ledger.close()
        serverapp.log.critical(sentence)
        serverapp.exit(1)
        raise SystemExit(1)


def _exclude_from_activity(serverapp: Any) -> None:
    """Have jupyter_server ignore governance responses when it derives a kernel's activity from the kernel's messages.

    Otherwise each response makes a page show the kernel as idle in the middle of a cell, and a busy kernel may be
    culled. JupyterLab copies the list of ignored messages into its pages' configuration when it is loaded, which may be
    before this extension, so the list is set there too.
    """
    kernel_manager = serverapp.kernel_manager
    untracked = [*kernel_manager.untracked_message_types, REPLY_TYPE]
    kernel_manager.untracked_message_types = untracked
    serverapp.web_app.settings.setdefault("page_config_data", {})["untracked_message_types"] = list(untracked)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    # The options after the question mark may contain a password too.
    return f"{scheme}{separator}{rest.partition('?')[0].rpartition('@')[2]}"


def _is_in_data_folder(filename: object) -> bool:
    folder = Path(jupyter_data_dir())
    return isinstance(filename, str) and (Path(filename) in folder.parents or Path(filename).is_relative_to(folder))
