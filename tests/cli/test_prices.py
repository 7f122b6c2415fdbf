"""``jupyter governance prices``: it shows the age of the prices, and updates them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aumos_governance.integrations.pricing import price_data
from tests.cli.conftest import Run, command
from tests.integrations.pricing.price_days import TODAY, days_on, published


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "published.json"
    path.write_text(json.dumps(published()))
    return path


def test_shows_the_age_of_the_installed_prices(run: Run) -> None:
    found = price_data.describe()
    assert found is not None
    shown = run("prices", "--json")
    assert (shown.code, shown.json) == (int(found.old), found.body())
    titles, row, *_ = run("prices").lines
    assert titles.split() == ["SOURCE", "GENAI-PRICES", "AS", "OF", "AGE"]
    assert row.split()[:3] == ["installed", found.version, found.as_of.isoformat()]


def test_old_prices_are_a_finding(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    days_on(monkeypatch, 400)
    shown = run("prices")
    assert shown.code == 1
    assert shown.lines[-1] == "The prices are old. Update them: jupyter governance prices --update"


def test_an_update_is_kept_for_programs_that_start_later(tmp_path: Path, file: Path) -> None:
    done = command(tmp_path, "prices", "--update", "--url", file.as_uri(), "--json")
    assert (done.code, done.json["source"], done.json["as_of"]) == (0, "fetched", TODAY.isoformat())
    assert command(tmp_path, "prices", "--json").json == done.json


def test_an_update_that_fails_is_one_sentence(run: Run, tmp_path: Path) -> None:
    failed = run("prices", "--update", "--url", (tmp_path / "missing.json").as_uri())
    assert failed.code == 2
    assert failed.out == ""
    assert failed.err.startswith("No prices could be fetched from file:")
    assert failed.err.count("\n") == 1


def test_an_address_without_an_update_is_wrong_usage(run: Run) -> None:
    wrong = run("prices", "--url", "file:///x")
    assert (wrong.code, wrong.err) == (2, "The option --url is only for --update; add --update, or leave --url out.\n")
