"""The lines of `%governance_status` about the gateway, and about providers' keys with which calls bypass it."""

from __future__ import annotations

from aumos_governance.kernel.text.gateway_notes import gateway_notes

ADDRESS = "http://127.0.0.1:4321/llm"


def test_where_there_is_neither_nothing_is_shown() -> None:
    assert gateway_notes({"PATH": "/bin", "GITHUB_TOKEN": "secret"}) == []


def test_the_gateway_is_named() -> None:
    environment = {"AUMOS_GOVERNANCE_GATEWAY": ADDRESS, "OPENAI_API_KEY": "sk-aumos-1"}
    assert gateway_notes(environment) == [f"Gateway: {ADDRESS} charges what libraries call through it"]


def test_keys_are_pointed_out_by_the_names_of_their_variables_alone() -> None:
    (note,) = gateway_notes({"OPENAI_API_KEY": "sk-secret"})
    assert note == (
        "Not governed: OPENAI_API_KEY is a provider's own key; calls with it that do not use govern() are neither"
        " limited nor recorded"
    )
    (note,) = gateway_notes({"OPENAI_API_KEY": "sk-secret", "ANTHROPIC_API_KEY": "sk-secret"})
    assert note.startswith("Not governed: ANTHROPIC_API_KEY, OPENAI_API_KEY are providers' own keys; calls with them")
    assert "secret" not in note
