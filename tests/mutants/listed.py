"""The modules that guard money and permission, and the tests that must notice a change of them: the quickest first."""

from __future__ import annotations

__all__ = ["LISTED", "QUICK", "TAIL"]

_CHARGES = (
    "tests/integrations/guarding/test_guard.py",
    "tests/integrations/guarding/attempts/test_attempt_parts.py",
    "tests/integrations/guarding/attempts/test_attempt_ends.py",
    "tests/integrations/guarding/test_charge.py",
    "tests/integrations/guarding/test_failed_calls.py",
    "tests/integrations/guarding/test_broken_calls.py",
    "tests/integrations/guarding/test_refused_calls.py",
    "tests/integrations/guarding/test_resends.py",
    "tests/integrations/guarding/test_streams.py",
    "tests/integrations/pricing/test_usage_evidence.py",
    "tests/integrations/guarding/test_attempts.py",
    "tests/integrations/guarding/test_parallel_attempts.py",
    "tests/integrations/guarding/test_interrupted_attempts.py",
    "tests/integrations/guarding/test_batches.py",
    "tests/integrations/guarding/test_left_streams.py",
    "tests/integrations/guarding/test_later.py",
)
_PRICES = (
    "tests/integrations/openai/test_usage.py",
    "tests/integrations/openai/test_text.py",
    "tests/integrations/openai/test_media.py",
    "tests/integrations/pricing/test_schemas.py",
    "tests/integrations/pricing/test_stated_prices.py",
    "tests/integrations/pricing/test_token_prices.py",
    "tests/integrations/pricing/test_price_terms.py",
    "tests/integrations/pricing/test_worst_cases.py",
    "tests/integrations/pricing/test_prices.py",
    "tests/integrations/pricing/test_usage_evidence.py",
    "tests/integrations/openai/test_costs.py",
    "tests/integrations/openai/test_methods.py",
    "tests/integrations/pricing/test_sellers.py",
    "tests/integrations/guarding/test_stream_options.py",
    "tests/integrations/guarding/test_later.py",
)
_BOOKS = (
    "tests/ledger/operations/agents/test_evaluations.py",
    "tests/ledger/operations/test_agreements.py",
    "tests/ledger/operations/test_checks.py",
    "tests/ledger/operations/test_holds.py",
    "tests/ledger/operations/test_spends.py",
    "tests/ledger/operations/test_approvals.py",
    "tests/ledger/operations/test_approval_records.py",
    "tests/ledger/operations/test_cancels.py",
    "tests/ledger/operations/test_bounded_holds.py",
    "tests/ledger/operations/test_corrections.py",
    "tests/ledger/operations/test_adjustments.py",
    "tests/ledger/operations/test_envelopes.py",
    "tests/ledger/operations/test_keys.py",
    "tests/ledger/operations/test_waiting.py",
    "tests/ledger/operations/test_sessions.py",
    "tests/ledger/operations/test_session_agents.py",
    "tests/sdk/test_approvals.py",
    "tests/sdk/test_authorize.py",
)
_PROOF = (
    "tests/ledger/proof/test_chains.py",
    "tests/ledger/proof/test_tampering.py",
    "tests/ledger/proof/test_damage.py",
    "tests/ledger/operations/test_agreements.py",
    "tests/ledger/commit/test_alone.py",
    "tests/ledger/operations/test_joins.py",
)
_SDK = (
    "tests/wire/test_denials.py",
    "tests/sdk/test_authorize.py",
    "tests/sdk/test_acts.py",
    "tests/sdk/test_approvals.py",
    "tests/sdk/test_budget.py",
    "tests/sdk/test_trust.py",
    "tests/sdk/test_decorators.py",
    "tests/sdk/test_consent.py",
    "tests/sdk/test_engine.py",
    "tests/ledger/operations/test_approvals.py",
    "tests/ledger/operations/test_spends.py",
)
_NOTEBOOKS = (
    "tests/service/test_acting.py",
    "tests/service/test_acting_copies.py",
    "tests/service/test_acting_waits.py",
    "tests/service/test_service.py",
    "tests/service/test_session_requests.py",
    "tests/server/kernels/test_conversation.py",
)
_REST = (
    "tests/server/rest/test_context.py",
    "tests/server/rest/test_rest.py",
    "tests/server/rest/test_waiting.py",
    "tests/server/rest/test_audit.py",
    "tests/server/settings/test_envelopes.py",
)

_GEMINI = (
    "tests/integrations/google/test_worst_cases.py",
    "tests/integrations/google/test_costs.py",
    "tests/integrations/google/test_paths.py",
    "tests/integrations/google/test_streams.py",
    "tests/integrations/google/test_usage.py",
)
_KEYS = (
    "tests/gateway/keys/test_valid_keys.py",
    "tests/gateway/keys/test_followed_keys.py",
    "tests/gateway/test_keys.py",
    "tests/ledger/operations/keys/test_gateway_keys.py",
    "tests/server/kernels/test_kernel_keys.py",
    "tests/server/rest/test_keys.py",
)
_GATEWAY = (
    "tests/gateway/test_exchanges.py",
    "tests/gateway/test_requests.py",
    "tests/gateway/test_limits.py",
    "tests/gateway/test_streams.py",
    "tests/gateway/test_faults.py",
    "tests/gateway/test_openai.py",
    "tests/gateway/test_anthropic.py",
    "tests/gateway/test_google.py",
)
_SHARES = (
    "tests/service/test_order_of_turns.py",
    "tests/ledger/operations/test_bounded_holds.py",
    "tests/service/test_turns.py",
    "tests/service/test_limit_waits.py",
)

# By dotted name: a module that moves is renamed here, in equivalents.txt, and nowhere else.
LISTED: dict[str, tuple[str, ...]] = {
    "aumos_governance.money": ("tests/unit/test_money.py", "tests/sdk/test_budget.py"),
    "aumos_governance.authority.action_steps": (*_SDK, "tests/kernel/governed/test_acts.py"),
    "aumos_governance.authority.approvals": _SDK,
    "aumos_governance.authority.authorization": _SDK,
    "aumos_governance.wire.denials": _SDK,
    "aumos_governance.authority.grants": (
        "tests/sdk/test_holding.py",
        "tests/sdk/test_interrupted_begin.py",
        *_SDK,
    ),
    "aumos_governance.trust.manager": _SDK,
    "aumos_governance.gateway.bodies": (
        "tests/gateway/parts/test_body_reading.py",
        "tests/gateway/test_bodies.py",
        *_GATEWAY,
    ),
    "aumos_governance.gateway.charges": ("tests/gateway/parts/test_open_charges.py", *_GATEWAY),
    "aumos_governance.gateway.contents": ("tests/gateway/test_forms.py", "tests/gateway/test_bodies.py", *_GATEWAY),
    "aumos_governance.gateway.desk": ("tests/gateway/parts/test_desk.py", *_GATEWAY),
    "aumos_governance.gateway.dialects.anthropic": ("tests/gateway/dialects/test_anthropic.py", *_GATEWAY),
    "aumos_governance.gateway.dialects.google": ("tests/gateway/dialects/test_google.py", *_GATEWAY),
    "aumos_governance.gateway.dialects.openai": ("tests/gateway/dialects/test_openai.py", *_GATEWAY),
    "aumos_governance.gateway.exchange": _GATEWAY,
    "aumos_governance.gateway.headers": ("tests/gateway/parts/test_headers.py", *_GATEWAY),
    "aumos_governance.gateway.key_requests": ("tests/gateway/keys/test_key_requests.py", *_KEYS),
    "aumos_governance.gateway.keys": _KEYS,
    "aumos_governance.gateway.later": _GATEWAY,
    "aumos_governance.gateway.measuring": ("tests/gateway/parts/test_measuring.py", *_GATEWAY),
    "aumos_governance.gateway.passing": ("tests/gateway/parts/test_passing.py", *_GATEWAY),
    "aumos_governance.gateway.refusals": ("tests/gateway/parts/test_refusals.py", *_GATEWAY),
    "aumos_governance.gateway.sending": ("tests/gateway/test_sending.py", *_GATEWAY),
    "aumos_governance.gateway.valid_keys": _KEYS,
    "aumos_governance.integrations.guarding.charge": _CHARGES,
    "aumos_governance.integrations.guarding.attempts": _CHARGES,
    "aumos_governance.integrations.guarding.guard": _CHARGES,
    "aumos_governance.integrations.google.content": _GEMINI,
    "aumos_governance.integrations.google.sizes": _GEMINI,
    "aumos_governance.integrations.google.tools": _GEMINI,
    "aumos_governance.integrations.google.usage": _GEMINI,
    "aumos_governance.integrations.openai.text": _PRICES,
    "aumos_governance.integrations.openai.usage": _PRICES,
    "aumos_governance.integrations.pricing.prices": _PRICES,
    "aumos_governance.integrations.pricing.sizes": _PRICES,
    "aumos_governance.integrations.pricing.token_prices": _PRICES,
    "aumos_governance.ledger.operations.approvals.approvals": _BOOKS,
    "aumos_governance.ledger.operations.approvals.reports": _BOOKS,
    "aumos_governance.ledger.operations.charges.charges": _BOOKS,
    "aumos_governance.ledger.operations.agents.evaluations": _BOOKS,
    "aumos_governance.ledger.operations.charges.holds": _BOOKS,
    "aumos_governance.ledger.operations.charges.shares": _SHARES,
    "aumos_governance.ledger.operations.keys.bindings": _KEYS,
    "aumos_governance.ledger.operations.keys.issues": _KEYS,
    "aumos_governance.ledger.operations.keys.revocations": _KEYS,
    "aumos_governance.ledger.operations.sessions.notebooks": (
        "tests/ledger/operations/test_joins.py",
        "tests/ledger/operations/test_notebooks.py",
    ),
    "aumos_governance.ledger.operations.agents.trust": _BOOKS,
    "aumos_governance.ledger.proof.rules": ("tests/ledger/operations/test_approvals.py", *_PROOF),
    "aumos_governance.ledger.proof.ledger_replay": _PROOF,
    "aumos_governance.ledger.contract.terms": ("tests/ledger/rules/test_terms.py", *_BOOKS),
    "aumos_governance.ledger.rules.verdicts": ("tests/ledger/rules/test_verdicts.py", *_BOOKS),
    "aumos_governance.ledger.proof.walk": _PROOF,
    "aumos_governance.service.governed_actions": _NOTEBOOKS,
    "aumos_governance.service.turns": _SHARES,
    "aumos_governance.server.rest.audit": _REST,
    "aumos_governance.server.rest.context": (
        *_REST,
        "tests/server/rest/test_keys.py",
        "tests/server/rest/test_examples.py",
    ),
    "aumos_governance.server.rest.sessions": _REST,
    "aumos_governance.server.kernels.socket_peer": (
        "tests/server/kernels/test_socket_peer.py",
        "tests/server/kernels/test_local_socket.py",
    ),
}

# Each mutant meets these first; one that survives them meets the rest of the same files.
QUICK = "not postgresql and not any_line and not soak"
TAIL = "postgresql or any_line or soak"
