"""Who resolves a hold, and what is left of it: for kernels that are gone, other servers' kernels, and users."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError, NotAllowedError, NotFoundError
from aumos_governance.ledger.contract.budgets import ChargeState
from aumos_governance.ledger.contract.charges import KernelsPresent
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.charges import OTHER_KERNEL, gone, held, hold, release, settle
from tests.ledger.kit import BY_USER, CENT, KERNEL, SERVER, Backend, balance, key, opening, records

ELSEWHERE = replace(KERNEL, scope="kernel-3", incarnation="other-server/three")


@pytest.mark.parametrize(
    ("incarnations", "servers", "left"),
    [
        ((), (), {"one", "two", "other-server/three"}),
        (("one",), (), {"two", "other-server/three"}),
        ((), ("other-server",), {"one", "two"}),
        (("one",), ("other-server",), {"two"}),
        (("one", "two"), ("another",), {"other-server/three"}),
        ((), ("three",), {"one", "two", "other-server/three"}),
    ],
)
def test_a_server_leaves_the_kernels_of_others_to_them(
    ledger: Ledger, incarnations: tuple[str, ...], servers: tuple[str, ...], left: set[str]
) -> None:
    ledger.execute(opening())
    made = {
        ledger.execute(hold(CENT, origin=origin)).charge_id: origin.incarnation
        for origin in (KERNEL, OTHER_KERNEL, ELSEWHERE)
    }
    start = KernelsPresent(
        key=key(), origin=SERVER, owner="ann", root="/srv/ann", incarnations=incarnations, servers=servers
    )
    assert ledger.execute(start) == len(left)
    unresolved = {made[found.charge_id] for found in held(ledger) if found.state is ChargeState.UNRESOLVED}
    assert unresolved == left


def test_a_user_resolves_the_hold_that_the_same_user_made(ledger: Ledger) -> None:
    ledger.execute(opening())
    own = ledger.execute(hold(CENT, origin=BY_USER)).charge_id
    assert ledger.execute(settle(own, CENT, origin=BY_USER)).spent == CENT
    kernels = ledger.execute(hold(CENT)).charge_id
    with pytest.raises(NotAllowedError, match="still runs"):
        ledger.execute(release(kernels, origin=BY_USER))
    ledger.execute(gone())
    assert ledger.execute(release(kernels, origin=BY_USER)).outcome is ChargeState.RELEASED


def test_a_hold_is_found_within_its_own_server_s_root_only(ledger: Ledger) -> None:
    ledger.execute(opening())
    made = ledger.execute(hold(CENT)).charge_id
    ledger.execute(gone())
    with pytest.raises(NotFoundError):
        ledger.execute(release(made, origin=replace(BY_USER, within=("ann", "/srv/bob"))))
    assert ledger.execute(release(made, origin=replace(BY_USER, within=("ann", "/srv/ann")))).held == CENT


@pytest.mark.parametrize("until", [0.5, True, 1 << 63, "1"])
def test_a_hold_ends_at_a_whole_number_of_microseconds(ledger: Ledger, until: Any) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidRequestError, match="until"):
        ledger.execute(hold(CENT, until=until))
    assert balance(ledger).held == 0


@pytest.mark.parametrize("count", [0, 1, (1 << 53) - 1])
def test_whole_numbers_that_every_reader_of_json_has_are_counts(ledger: Ledger, count: int) -> None:
    ledger.execute(opening())
    made = ledger.execute(hold(CENT)).charge_id
    usage = {"cached_tokens": count} | {f"n{number}": number for number in range(31)}
    for wrong in ({"cached_tokens": 1 << 53}, {**usage, "n31": 31}):
        with pytest.raises(InvalidRequestError):
            ledger.execute(replace(settle(made, CENT), usage=wrong))
    ledger.execute(replace(settle(made, CENT), usage=usage))
    assert records(ledger)[-1].detail == {"usage": usage}


def test_whose_call_it_was_is_text_of_a_bounded_length(ledger: Ledger) -> None:
    ledger.execute(opening())
    made = ledger.execute(hold(CENT)).charge_id
    with pytest.raises(InvalidRequestError):
        ledger.execute(replace(settle(made, CENT), source={"key": "k" * 1001}))
    ledger.execute(replace(settle(made, CENT), source={"key": "k" * 1000}))
    assert records(ledger)[-1].detail == {"key": "k" * 1000}


def test_what_is_resolved_is_shown_with_who_resolved_it_and_frees_what_was_held(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    made = ledger.execute(hold(3 * CENT)).charge_id
    resolved = ledger.execute(settle(made, 2 * CENT))
    assert (resolved.charge_id, resolved.held, resolved.spent) == (made, 3 * CENT, 2 * CENT)
    assert resolved.state is not None
    assert resolved.record_id == records(ledger)[-1].record_id
    assert balance(ledger).held == 0
