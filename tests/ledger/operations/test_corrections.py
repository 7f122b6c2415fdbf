"""A user takes back a charge, with a reason."""

from __future__ import annotations

import pytest

from aumos_governance.errors import (
    ConflictError,
    InvalidAmountError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.charges import correct, hold, settle, sums
from tests.ledger.kit import (
    CENT,
    KERNEL,
    USD,
    balance,
    opening,
    records,
    spend,
    state,
    void,
)


def test_a_user_takes_back_a_charge_with_a_reason(ledger: Ledger) -> None:
    ledger.execute(opening())
    charged = ledger.execute(spend(30 * CENT))
    first = ledger.execute(correct(charged.charge_id, 10 * CENT))
    assert (first.amount, first.left) == (10 * CENT, 20 * CENT)
    assert first.state == state(ledger)
    assert balance(ledger).spent == 20 * CENT
    record = records(ledger)[-1]
    assert (record.event, record.actor, record.reasons) == ("correct", "ann", ("double",))
    assert record.spent_delta == -10 * CENT
    with pytest.raises(ConflictError, match=r"only \$0.20 of it is charged now"):
        ledger.execute(correct(charged.charge_id, 21 * CENT))
    assert ledger.execute(correct(charged.charge_id, 20 * CENT)).left == 0
    assert balance(ledger).spent == 0
    assert sums(ledger) == (0, 0)
    assert ledger.verify().ok


def test_corrections_that_are_none(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = spend(30 * CENT)
    charge = ledger.execute(request).charge_id
    open_hold = ledger.execute(hold()).charge_id
    for wrong, error in (
        (correct(charge, CENT, origin=KERNEL), NotAllowedError),
        (correct(charge, 0), InvalidAmountError),
        (correct(charge, CENT, reason="  "), InvalidRequestError),
        (correct("unknown", CENT), NotFoundError),
        (correct(open_hold, CENT), NotFoundError),
    ):
        with pytest.raises(error):
            ledger.execute(wrong)
    ledger.execute(correct(charge, CENT))
    # A charge that a user has corrected is not cancelled as well.
    assert not ledger.execute(void(request.key)).voided
    assert balance(ledger) == Balance(10 * USD, 29 * CENT, 10 * CENT)


@pytest.mark.parametrize("estimated", [False, True])
def test_a_settled_hold_is_taken_back_as_any_charge(ledger: Ledger, estimated: bool) -> None:
    ledger.execute(opening())
    held = ledger.execute(hold(50 * CENT)).charge_id
    ledger.execute(settle(held, 30 * CENT, estimated=estimated))
    assert ledger.execute(correct(held, 10 * CENT)).left == 20 * CENT
    assert balance(ledger) == Balance(10 * USD, 20 * CENT, 0)
    with pytest.raises(ConflictError):
        ledger.execute(correct(held, 21 * CENT))
    with pytest.raises(ConflictError, match="settled already"):
        ledger.execute(settle(held, CENT))
    assert sums(ledger) == (20 * CENT, 0)
    assert ledger.verify().ok
