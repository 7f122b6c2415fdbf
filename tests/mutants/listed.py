"""The modules that guard money and permission, and the tests that must notice a change of them: the quickest first."""

from __future__ import annotations

__all__ = ["LISTED", "QUICK", "TAIL"]

_CHARGES = (
    "tests/integrations/test_charge.py",
    "tests/integrations/test_failed_calls.py",
    "tests/integrations/test_broken_calls.py",
    "tests/integrations/test_refused_calls.py",
    "tests/integrations/test_resends.py",
    "tests/integrations/test_streams.py",
    "tests/integrations/test_usage_evidence.py",
    "tests/integrations/test_attempts.py",
    "tests/integrations/test_batches.py",
)
_PRICES = (
    "tests/integrations/test_worst_cases.py",
    "tests/integrations/test_pricing.py",
    "tests/integrations/test_usage_evidence.py",
    "tests/integrations/test_openai_costs.py",
    "tests/integrations/test_openai_methods.py",
    "tests/integrations/test_sellers.py",
    "tests/integrations/test_stream_options.py",
)
_BOOKS = (
    "tests/ledger/test_holds.py",
    "tests/ledger/test_spends.py",
    "tests/ledger/test_acts.py",
    "tests/ledger/test_corrections.py",
    "tests/ledger/test_adjustments.py",
    "tests/ledger/test_envelopes.py",
    "tests/ledger/test_keys.py",
    "tests/ledger/test_waiting.py",
    "tests/ledger/test_sessions.py",
    "tests/ledger/test_session_agents.py",
    "tests/sdk/test_approvals.py",
    "tests/sdk/test_authorize.py",
)
_PROOF = (
    "tests/ledger/test_chains.py",
    "tests/ledger/test_tampering.py",
    "tests/ledger/test_damage.py",
    "tests/ledger/test_agreements.py",
    "tests/ledger/test_alone.py",
    "tests/ledger/test_joins.py",
)
_SDK = (
    "tests/unit/test_denials.py",
    "tests/sdk/test_authorize.py",
    "tests/sdk/test_acts.py",
    "tests/sdk/test_approvals.py",
    "tests/sdk/test_budget.py",
    "tests/sdk/test_trust.py",
    "tests/sdk/test_decorators.py",
    "tests/sdk/test_consent.py",
    "tests/sdk/test_engine.py",
    "tests/ledger/test_acts.py",
    "tests/ledger/test_spends.py",
)
_NOTEBOOKS = (
    "tests/notebooks/test_acting.py",
    "tests/notebooks/test_acting_waits.py",
    "tests/notebooks/test_service.py",
    "tests/notebooks/test_session_asks.py",
    "tests/server/test_conversation.py",
)

# By dotted name: a module that moves is renamed here, in equivalents.txt, and nowhere else.
LISTED: dict[str, tuple[str, ...]] = {
    "aumos_governance.money": ("tests/unit/test_money.py", "tests/sdk/test_budget.py"),
    "aumos_governance.acts": (*_SDK, "tests/kernel/test_acts.py"),
    "aumos_governance.approvals": _SDK,
    "aumos_governance.authorization": _SDK,
    "aumos_governance.denials": _SDK,
    "aumos_governance.grants": _SDK,
    "aumos_governance.trust.manager": _SDK,
    "aumos_governance.integrations.charge": _CHARGES,
    "aumos_governance.integrations.attempts": _CHARGES,
    "aumos_governance.integrations.guard": _CHARGES,
    "aumos_governance.integrations.openai_text": _PRICES,
    "aumos_governance.integrations.openai_usage": _PRICES,
    "aumos_governance.integrations.pricing": _PRICES,
    "aumos_governance.integrations.sizes": _PRICES,
    "aumos_governance.integrations.token_prices": _PRICES,
    "aumos_governance.ledger.operations.approvals": _BOOKS,
    "aumos_governance.ledger.operations.charges": _BOOKS,
    "aumos_governance.ledger.operations.evaluations": _BOOKS,
    "aumos_governance.ledger.operations.holds": _BOOKS,
    "aumos_governance.ledger.operations.joins": (
        "tests/ledger/test_joins.py",
        "tests/ledger/test_notebooks.py",
    ),
    "aumos_governance.ledger.operations.trust": _BOOKS,
    "aumos_governance.ledger.proof.rules": _PROOF,
    "aumos_governance.ledger.proof.standing": _PROOF,
    "aumos_governance.ledger.terms": ("tests/unit/test_terms.py", *_BOOKS),
    "aumos_governance.ledger.verdicts": ("tests/unit/test_verdicts.py", *_BOOKS),
    "aumos_governance.ledger.verify": _PROOF,
    "aumos_governance.notebooks.acting": _NOTEBOOKS,
    "aumos_governance.server.people": (
        "tests/server/test_people.py",
        "tests/server/test_rest.py",
        "tests/server/test_waiting.py",
        "tests/server/test_audit.py",
        "tests/server/test_envelopes.py",
    ),
    "aumos_governance.server.socket_peer": ("tests/server/test_socket_peer.py", "tests/server/test_local_socket.py"),
}

# Each mutant meets these first; one that survives them meets the rest of the same files.
QUICK = "not postgresql and not any_line and not soak"
TAIL = "postgresql or any_line or soak"
