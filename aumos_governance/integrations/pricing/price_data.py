"""The age of the models' prices, and newer prices that a user fetches between releases of genai-prices.

Prices are installed with genai-prices. `update` fetches the data that genai-prices' own `UpdatePrices` fetches, and
keeps it in Jupyter's data folder for all programs of the user that start afterwards. Nothing is fetched unless a user
calls `update`.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from ...errors import AumOSGovernanceError, ConfigurationError, InvalidRequestError

OLD_DAYS: Final = 90
"""Prices older than this many days are reported as old."""
_FETCH_SECONDS: Final = 30
_MOST_BYTES: Final = 64 << 20
# The first day of a price, as written in genai-prices' data.py and in the fetched JSON.
_START_IN_PYTHON: Final = re.compile(rb"start_date=datetime\.date\((\d+), (\d+), (\d+)\)")
_START_IN_JSON: Final = re.compile(rb'"start_date": ?"(\d+)-(\d+)-(\d+)"')
_HEADER: Final = re.compile(rb'\{"fetched_at": "([^"]{1,40})", "providers": ')


class PriceDataError(AumOSGovernanceError):
    """Raised when newer prices cannot be fetched or used; the earlier prices still apply."""

    default_code = "PRICES_NOT_UPDATED"


@dataclass(frozen=True, slots=True)
class PriceData:
    """The source and the age of the prices that governed calls in this environment use."""

    source: str
    """``installed`` with genai-prices, or ``fetched``."""
    version: str
    """The version of the installed genai-prices."""
    as_of: date
    """The day of the newest data: of fetched prices, the day on which they were fetched.

    Of installed prices, it is the latest day, up to today, on which one of the listed prices came into force.
    """

    @property
    def age_days(self) -> int:
        """The number of days since `as_of`, at least 0."""
        return max(0, (_today() - self.as_of).days)

    @property
    def old(self) -> bool:
        """Whether the prices are older than `OLD_DAYS`."""
        return self.age_days > OLD_DAYS

    def body(self) -> dict[str, Any]:
        """Return the JSON object that ``GET config`` and ``jupyter governance prices --json`` show for these prices."""
        return {
            "source": self.source,
            "version": self.version,
            "as_of": self.as_of.isoformat(),
            "age_days": self.age_days,
            "old": self.old,
        }


def describe() -> PriceData | None:
    """Return the source and age of the prices that a program started now would use.

    Return None if genai-prices is not installed, or if none of its prices has a date. The files are read as text,
    because importing genai-prices would take a server half a second.
    """
    try:
        installed_version = version("genai-prices")
    except PackageNotFoundError:
        return None
    installed = _installed_as_of()
    fetched = _fetched_at()
    if fetched is not None and (installed is None or fetched.date() > installed):
        return PriceData("fetched", installed_version, fetched.date())
    return None if installed is None else PriceData("installed", installed_version, installed)


def snapshot(library: Any) -> Any:
    """Return the prices in use: the fetched prices if they are newer, otherwise the installed prices.

    ``library`` is the module ``genai_prices.data_snapshot``; a snapshot that the program itself has set there has
    priority. The first call in a process warns if the prices are old.
    """
    current = library.get_snapshot()
    if _chosen.current is not current:
        with _lock:
            if _chosen.current is not current:
                _chosen.prices = _choose(library, current)
                _chosen.current = current
    return _chosen.prices


def update(url: str | None = None) -> PriceData:
    """Fetch the newest prices, check that the installed genai-prices can read them, and keep them for this user.

    ``url`` is an ``https``, ``http`` or ``file`` URL, None for the URL that genai-prices uses. This process uses the
    prices for its next calls; calls that are held already keep their prices. Raises PriceDataError if the prices cannot
    be fetched or used, ConfigurationError if genai-prices is missing, and InvalidRequestError for another kind of URL.
    """
    try:
        read = import_module("genai_prices.types")._providers_from_raw
        address = url or import_module("genai_prices.update_prices").DEFAULT_UPDATE_URL
    except (ImportError, AttributeError):
        raise ConfigurationError(
            "The prices cannot be updated, as genai-prices is missing or too old: pip install --upgrade genai-prices."
        ) from None
    data = _fetch(address)
    raw: Any = None
    try:
        raw = json.loads(data)
        models = sum(len(provider.models) for provider in read(raw))
    except (ValueError, TypeError, AttributeError, LookupError):
        models = 0
    if models == 0:
        raise PriceDataError(
            f"The data at {address} is not price data that genai-prices {version('genai-prices')} can read, so the"
            " earlier prices stay in use; check the URL, or pip install --upgrade genai-prices."
        )
    newest, installed = _newest(_START_IN_JSON, json.dumps(raw).encode()), _installed_as_of()
    if installed is not None and (newest is None or newest < installed):
        raise PriceDataError(
            f"The prices at {address} are older than the installed prices, which stay in use; for newer prices, use"
            " another URL, or pip install --upgrade genai-prices."
        )
    _keep(raw)
    with _lock:
        _chosen.current = None
    kept = describe()
    assert kept is not None
    return kept


def stored_file() -> Path:
    """Return the path of the file that keeps the fetched prices; the file may not exist."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "aumos_governance" / "prices.json"


class _Chosen:
    """The last result of `snapshot` in this process, and the snapshot of genai-prices that it was chosen for.

    Once genai-prices has another snapshot, the choice is made again.
    """

    current: Any = None
    prices: Any = None


_chosen = _Chosen()
_lock = threading.Lock()


def _choose(library: Any, current: Any) -> Any:
    if current.providers is not import_module("genai_prices.data").providers:
        return current  # The program itself has set this snapshot.
    found = describe()
    prices = current
    if found is not None and found.source == "fetched":
        try:
            raw = json.loads(stored_file().read_bytes())["providers"]
            providers = import_module("genai_prices.types")._providers_from_raw(raw)
            prices = library.DataSnapshot(providers=providers, from_auto_update=False)
        except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
            warnings.warn(
                f"The fetched prices in {stored_file()} cannot be read ({type(error).__name__}), so the installed ones"
                " apply; fetch them again: jupyter governance prices --update.",
                stacklevel=2,
            )
            as_of = _installed_as_of()
            found = None if as_of is None else PriceData("installed", found.version, as_of)
    if found is not None and found.old:
        _warn_of_age(found)
    return prices


@lru_cache(maxsize=1)
def _warn_of_age(found: PriceData) -> None:
    warnings.warn(
        f"The models' prices are {found.age_days} days old, so newer models may have none and others may have changed;"
        " update them: jupyter governance prices --update, or pip install --upgrade genai-prices.",
        stacklevel=2,
    )


def _today() -> date:
    return datetime.now(timezone.utc).date()


@lru_cache(maxsize=1)
def _installed_as_of() -> date | None:
    spec = find_spec("genai_prices")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        with suppress(OSError):
            return _newest(_START_IN_PYTHON, Path(folder, "data.py").read_bytes())
    return None


def _newest(pattern: re.Pattern[bytes], text: bytes) -> date | None:
    # A price that is announced for a later day does not show how new the data is.
    days = {date(*map(int, found)) for found in set(pattern.findall(text))}
    return max((day for day in days if day <= _today()), default=None)


def _fetched_at() -> datetime | None:
    try:
        with stored_file().open("rb") as file:
            header = _HEADER.match(file.read(100))
        return None if header is None else datetime.fromisoformat(header[1].decode())
    except (OSError, ValueError):
        return None


def _fetch(url: str) -> bytes:
    if urlsplit(url).scheme not in {"https", "http", "file"}:
        raise InvalidRequestError(f"The prices' address must be an https, http or file URL, not {url[:80]!r}.")
    try:
        with urlopen(url, timeout=_FETCH_SECONDS) as response:  # noqa: S310 - the scheme is checked above
            data: bytes = response.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise PriceDataError(
            f"No prices could be fetched from {url}: {reason}. The earlier prices stay in use; check the URL and the"
            " network, and try again."
        ) from error
    if len(data) > _MOST_BYTES:
        raise PriceDataError(
            f"The data at {url} is larger than {_MOST_BYTES >> 20} MiB, so it is not price data; check the URL."
            " The earlier prices stay in use."
        )
    return data


def _keep(raw: Any) -> None:
    """Write fetched prices, as parsed JSON, to `stored_file` in one step, so that no program reads half a file."""
    path = stored_file()
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    made: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(prefix=".prices-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f'{{"fetched_at": "{now}", "providers": {json.dumps(raw)}}}\n')
        Path(made).replace(path)
    except OSError as error:
        if made is not None:
            Path(made).unlink(missing_ok=True)
        cause = error.strerror or error
        raise PriceDataError(
            f"The prices cannot be written to {path} ({cause}), so the earlier prices stay in use; make this file"
            " writable, and fetch them again."
        ) from error
