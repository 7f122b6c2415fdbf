"""Agents' levels and consents: in which realm, since when, until when, and what of them counts."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError, NotAllowedError
from aumos_governance.ledger.contract.agreements import GrantConsent, RemoveTrust, RevokeConsent, SetTrust
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import FindConsent, FindTrust
from aumos_governance.types import TrustLevel
from tests.ledger.kit import KERNEL, NOTEBOOK, SECOND, Backend, key, opening, records

L1, L2, L3 = TrustLevel.L1_MONITOR, TrustLevel.L2_SUGGEST, TrustLevel.L3_ACT_APPROVE


def give(ledger: Ledger, level: TrustLevel, **values: Any) -> None:
    given = {"agent_id": "a", "level": level} | values
    ledger.execute(SetTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))


def take(ledger: Ledger, **values: Any) -> bool:
    given = {"agent_id": "a"} | values
    return ledger.execute(RemoveTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))


def grant(**values: Any) -> GrantConsent:
    given = {"agent_id": "a", "data_type": "mail", "purpose": None, "granted_by": "ann"} | values
    return GrantConsent(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given)


@pytest.mark.parametrize("realm", ["ann", "", None])
def test_a_level_is_taken_away_in_its_own_realm_only(ledger: Ledger, realm: str | None) -> None:
    session_id = ledger.execute(opening()).state.session_id
    places = {"ann": "ann", "": "", None: f"session/{session_id}"}
    for each in places:
        give(ledger, L1, realm=each)
    assert take(ledger, realm=realm)
    left = {each for each, place in places.items() if ledger.read(FindTrust(agent_id="a", realm=place))}
    assert left == places.keys() - {realm}
    assert records(ledger)[-1].detail == {"scope": None, "from": 1, "to": None, "realm": realm}
    assert take(ledger, realm=realm) is False


@pytest.mark.parametrize("level", list(TrustLevel))
def test_a_level_is_shown_as_it_was_given(ledger: Ledger, level: TrustLevel) -> None:
    give(ledger, level)
    found = ledger.read(FindTrust(agent_id="a"))
    assert found is not None
    assert found.level is level


def test_a_level_that_is_given_again_counts_from_then(backend: Backend) -> None:
    ledger = backend.open()
    give(ledger, L1)
    backend.clock.advance(SECOND)
    before = backend.clock.now
    give(ledger, L1)
    found = ledger.read(FindTrust(agent_id="a"))
    assert found is not None
    assert before < found.assigned_at <= backend.clock.now
    assert found.touched_at == found.assigned_at


@pytest.mark.parametrize(
    ("everywhere", "scoped", "loosens"),
    [(None, L3, False), (None, L2, True), (L1, L1, False), (L1, L2, False), (L2, L1, True), (L3, L1, True)],
)
def test_strict_lets_a_level_in_a_scope_go_where_what_then_counts_is_no_higher(
    ledger: Ledger, everywhere: TrustLevel | None, scoped: TrustLevel, loosens: bool
) -> None:
    ledger.execute(opening(trust_level=L3))
    if everywhere is not None:
        give(ledger, everywhere, realm=None)
    give(ledger, scoped, scope="mail", realm=None)
    if not loosens:
        assert take(ledger, scope="mail", realm=None, tighten_only=True)
        return
    with pytest.raises(NotAllowedError):
        take(ledger, scope="mail", realm=None, tighten_only=True)
    assert take(ledger, scope="mail", realm=None)


def test_only_levels_within_a_session_are_kept_from_being_loosened(ledger: Ledger) -> None:
    give(ledger, L1)
    give(ledger, L2, tighten_only=True)
    assert take(ledger, tighten_only=True)


@pytest.mark.parametrize("purpose", [None, "care"])
def test_what_is_agreed_and_revoked_is_recorded_with_its_purpose(ledger: Ledger, purpose: str | None) -> None:
    ledger.execute(grant(purpose=purpose, until=10**17))
    assert records(ledger)[-1].detail == {
        "data_type": "mail",
        "purpose": purpose,
        "granted_by": "ann",
        "until": 10**17,
        "realm": "",
    }
    revoked = RevokeConsent(
        key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id="a", data_type="mail", purpose=purpose
    )
    ledger.execute(revoked)
    assert records(ledger)[-1].detail == {"data_type": "mail", "purpose": purpose, "realm": ""}


def test_consents_are_revoked_of_an_agent_with_a_name(ledger: Ledger) -> None:
    with pytest.raises(InvalidRequestError, match="agent_id"):
        ledger.execute(RevokeConsent(key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id=""))


@pytest.mark.parametrize("until", [0.5, True, 1 << 63, "1"])
def test_a_consent_ends_at_a_whole_number_of_microseconds(ledger: Ledger, until: Any) -> None:
    with pytest.raises(InvalidRequestError, match="until"):
        ledger.execute(grant(until=until))
    assert ledger.read(FindConsent(agent_id="a", data_type="mail")) is None
    assert records(ledger) == []


def test_a_consent_counts_up_to_its_time_and_no_longer(backend: Backend) -> None:
    until = backend.clock.now + SECOND
    ledger = backend.open(clock=lambda: backend.clock.now)
    ledger.execute(grant(until=until))

    def counts() -> bool:
        return ledger.read(FindConsent(agent_id="a", data_type="mail")) is not None

    backend.clock.now = until - 1
    assert counts()
    backend.clock.now = until
    assert not counts()


def test_a_consent_that_is_given_again_replaces_the_earlier_one(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(grant(until=10**17))
    backend.clock.advance(SECOND)
    before = backend.clock.now
    renewed = ledger.execute(grant(granted_by="bob"))
    assert (renewed.granted_by, renewed.expires_at) == ("bob", None)
    assert before < renewed.granted_at <= backend.clock.now
    assert ledger.read(FindConsent(agent_id="a", data_type="mail")) == renewed
