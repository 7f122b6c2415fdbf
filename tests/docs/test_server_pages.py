"""The pages on the server's settings and REST interface match what the server has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from traitlets.config import Config

from aumos_governance.gateway.configuration.known_providers import KNOWN
from aumos_governance.gateway.configuration.providers import read_providers
from aumos_governance.ledger.contract.budgets import EnvelopeKind
from aumos_governance.server.extension import GovernanceExtension
from aumos_governance.server.live import metrics
from aumos_governance.server.settings.envelope_traits import read_envelopes
from aumos_governance.wire.provider_keys import PROVIDER_KEYS
from tests.docs.pages import ROOT, fences

GATEWAY = ROOT / "docs" / "gateway.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
REST = ROOT / "docs" / "rest.md"
HUB = ROOT / "docs" / "jupyterhub.md"
EXAMPLES = [text for text in fences(CONFIGURATION, "python") if text.startswith("c.")]
HUB_EXAMPLES = [text for text in fences(HUB, "python") if "GovernanceExtension" in text]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    text = (ROOT / "aumos_governance" / "server" / "openapi.yaml").read_text("utf-8")
    paths: dict[str, Any] = yaml.safe_load(text)["paths"]
    return paths


def configured(example: str) -> GovernanceExtension:
    c = Config()
    exec(example, {"c": c})
    return GovernanceExtension(config=c)


@pytest.mark.parametrize("example", [*EXAMPLES, *HUB_EXAMPLES])
def test_the_examples_of_the_configuration_are_taken(example: str) -> None:
    extension = configured(example)
    known = extension.class_trait_names(config=True)
    assert set(re.findall(r"^c\.GovernanceExtension\.(\w+)", example, re.MULTILINE)) <= set(known)


def test_the_example_of_envelopes_means_what_it_says() -> None:
    (example,) = (text for text in EXAMPLES if "envelopes" in text)
    specs = read_envelopes(configured(example).envelopes)
    assert [(spec.name, spec.encloses, spec.period.value) for spec in specs] == [
        ("each notebook", EnvelopeKind.NOTEBOOK, "lifetime"),
        ("each student", EnvelopeKind.OWNER, "daily"),
        ("class-5", EnvelopeKind.TEAM, "monthly"),
    ]


def test_the_class_of_the_hubs_page_is_governed_and_gets_the_key_that_its_file_has(tmp_path: Path) -> None:
    (example,) = HUB_EXAMPLES
    key_file = tmp_path / "openai.key"
    key_file.write_text("sk-of-the-class")
    key_file.chmod(0o600)
    extension = configured(example.replace("/etc/aumos/openai.key", str(key_file)))
    assert (extension.strict, extension.autostart, extension.default_budget) == (True, True, "5")
    assert [spec.encloses for spec in read_envelopes(extension.envelopes)] == [EnvelopeKind.OWNER, EnvelopeKind.TEAM]
    openai = read_providers(extension.providers, {})["openai"]
    assert (openai.key(), openai.allows("gpt-5-mini"), openai.allows("gpt-5")) == ("sk-of-the-class", True, False)


def test_the_page_on_the_gateway_names_every_known_provider() -> None:
    sentence = re.search(r"^Known names need.*?\. ", GATEWAY.read_text(), re.MULTILINE | re.DOTALL)
    assert sentence is not None
    named = set(re.findall(r"`(\w+)`", sentence[0]))
    assert named == {name for name, known in KNOWN.items() if known.base_url is not None}
    assert set(PROVIDER_KEYS) == set(KNOWN)


def test_every_setting_is_in_the_table() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", CONFIGURATION.read_text(), re.MULTILINE))
    assert set(GovernanceExtension.class_own_traits(config=True)) <= named


def test_the_page_on_metrics_names_every_metric_with_its_labels() -> None:
    rows = re.findall(
        r"^\| `(aumos_governance_\w+)` \| (\w+) \| (.*?) \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE
    )
    described = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    kept = [value for value in vars(metrics).values() if isinstance(value, (Counter, Gauge, Histogram))]
    reported = {
        (f"{metric._name}_total" if isinstance(metric, Counter) else metric._name, metric._type, metric._labelnames)
        for metric in kept
    }
    assert described == reported


def test_the_page_on_rest_names_every_request_and_no_other(described: dict[str, Any]) -> None:
    named = set(re.findall(r"`(GET|POST|PATCH|DELETE) ([\w/{}-]+)", REST.read_text()))
    served = {
        (method.upper(), path.removeprefix("/"))
        for path, item in described.items()
        for method in item
        if method != "parameters"
    }
    assert named == served
    for path in re.findall(r"aumos-governance/v1/([\w/]+)", "".join(fences(REST, "sh"))):
        assert path.split("/0199")[0] in {name.removesuffix("/{id}") for _, name in served}
