"""The age of the models' prices is read, shown and reported once; fetched prices replace old ones."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from genai_prices import data_snapshot
from genai_prices.data import providers
from genai_prices.types import StartDateConstraint

from aumos_governance import ConfigurationError, InvalidRequestError
from aumos_governance.integrations.pricing import price_data
from aumos_governance.integrations.pricing.price_data import PriceDataError
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.pricing.price_days import TODAY, days_on, published


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give this process Jupyter folders of its own, and let it choose its prices as if it had just started."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    price_data._chosen.current = None
    price_data._warn_of_age.cache_clear()
    yield tmp_path / "aumos_governance"
    price_data._chosen.current = None
    price_data._warn_of_age.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "published.json"
    path.write_text(json.dumps(published()))
    return path


def cost() -> Decimal:
    return Prices().rates("gpt-next", provider="openai").cost({"input_tokens": 1_000_000})


def start_days(value: Any) -> Iterator[date]:
    """Yield each day from which a price applies, however its condition is nested."""
    if isinstance(value, StartDateConstraint):
        yield value.start_date
    elif isinstance(value, (list, tuple, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from start_days(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from start_days(getattr(value, field.name, None))


def test_installed_prices_are_as_old_as_their_newest_price() -> None:
    days = set(start_days(providers))
    found = price_data.describe()
    assert found is not None
    assert found.source == "installed"
    assert found.as_of == max(day for day in days if day <= TODAY)
    assert found.age_days == (TODAY - found.as_of).days


def test_without_genai_prices_there_is_no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_data, "version", _missing)
    assert price_data.describe() is None


def _missing(name: str) -> str:
    raise price_data.PackageNotFoundError(name)


def test_fetched_prices_count_at_once_and_in_later_programs(file: Path, folder: Path) -> None:
    with pytest.raises(ConfigurationError):
        Prices().rates("gpt-next", provider="openai")
    found = price_data.update(file.as_uri())
    assert (found.source, found.as_of, found.age_days, found.old) == ("fetched", TODAY, 0, False)
    assert cost() == 3
    assert [path.name for path in folder.iterdir()] == ["prices.json"]
    price_data._chosen.current = None  # as in a program that starts now
    assert cost() == 3


def test_what_was_held_keeps_its_price(file: Path) -> None:
    price_data.update(file.as_uri())
    held = Prices().rates("gpt-next", provider="openai")
    file.write_text(json.dumps(published(price="5")))
    price_data.update(file.as_uri())
    assert held.cost({"input_tokens": 1_000_000}) == 3
    assert cost() == 5


def test_a_running_client_uses_them_from_its_next_call_on(file: Path) -> None:
    prices = Prices()
    price_data.update(file.as_uri())
    assert prices.rates("gpt-next", provider="openai").cost({"input_tokens": 1_000_000}) == 3
    file.write_text(json.dumps(published(price="5")))
    price_data.update(file.as_uri())
    assert prices.rates("gpt-next", provider="openai").cost({"input_tokens": 1_000_000}) == 5


def test_what_the_program_itself_has_set_counts_before_all(file: Path) -> None:
    price_data.update(file.as_uri())
    own = data_snapshot.DataSnapshot(providers=[], from_auto_update=True)
    data_snapshot.set_custom_snapshot(own)
    try:
        assert price_data.snapshot(data_snapshot) is own
    finally:
        data_snapshot.set_custom_snapshot(None)
    assert cost() == 3


def test_installed_prices_that_are_newer_than_the_fetched_ones_count(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    price_data.update(file.as_uri())
    monkeypatch.setattr(price_data, "_installed_as_of", lambda: TODAY)
    found = price_data.describe()
    assert found is not None
    assert found.source == "installed"


class _Silent(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def unavailable() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Silent)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/data.json"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_address_that_does_not_respond_changes_nothing(unavailable: str, folder: Path) -> None:
    with pytest.raises(PriceDataError, match=r"Service Unavailable.*stay in use"):
        price_data.update(unavailable)
    assert not folder.exists()


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "[1]", '{"providers": []}', "<html>", '[{"id": "openai"}]', "null"]
)
def test_what_is_no_price_data_changes_nothing(content: str, file: Path, folder: Path) -> None:
    file.write_text(content)
    with pytest.raises(PriceDataError, match="is not price data that genai-prices"):
        price_data.update(file.as_uri())
    assert not folder.exists()


def test_older_prices_than_the_installed_ones_are_not_taken(file: Path, folder: Path) -> None:
    file.write_text(json.dumps(published(since=date(2024, 1, 1))))
    with pytest.raises(PriceDataError, match="older than the installed"):
        price_data.update(file.as_uri())
    assert not folder.exists()


@pytest.mark.parametrize("url", ["ftp://example.invalid/x", "prices.json", ""])
def test_another_kind_of_address_is_refused(url: str) -> None:
    with pytest.raises((InvalidRequestError, PriceDataError)) as refused:
        price_data.update(url or "data:text/json,[]")
    assert "https, http or file" in refused.value.message


def test_a_folder_that_cannot_be_written_is_named(file: Path, folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.raises(PriceDataError, match=re.escape(str(folder / "prices.json"))):
        price_data.update(file.as_uri())


def test_damaged_fetched_prices_are_reported_and_the_installed_ones_apply(file: Path, folder: Path) -> None:
    price_data.update(file.as_uri())
    stored = folder / "prices.json"
    stored.write_bytes(stored.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="cannot be read .* so the installed ones apply"):
        assert Prices().rates("gpt-4o", provider="openai").found


def test_old_prices_are_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    days_on(monkeypatch, 400)
    with pytest.warns(UserWarning, match=r"prices are \d+ days old.*governance prices --update"):
        Prices().rates("gpt-4o", provider="openai")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Prices().rates("gpt-4o", provider="openai")
        Prices().rates("gpt-4o-mini", provider="openai")
        price_data._chosen.current = None
        Prices().rates("gpt-4o", provider="openai")


@pytest.mark.parametrize(("days", "old"), [(90, False), (91, True)])
def test_prices_are_old_after_ninety_days(days: int, old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = price_data.PriceData("installed", "1", TODAY)
    days_on(monkeypatch, days)
    assert (found.age_days, found.old) == (days, old)
