"""The numbers of requests that are admitted, by kernel and in all, and when they end."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import BusyError
from aumos_governance.server.kernels.presence import MOST_IN_FLIGHT, MOST_OF_ALL, SHARE, Admission, Admitted


def enter(admission: Admission, kernel: str = "a", op: str = "spend", request_id: str = "r") -> Admitted:
    return admission.enter(kernel, op, request_id, lambda response: None)


def test_the_bounds_leave_a_message_whole_and_each_kernel_its_share() -> None:
    assert SHARE < MOST_IN_FLIGHT < MOST_OF_ALL
    admission = Admission()
    for _ in range(MOST_IN_FLIGHT):
        enter(admission)
    with pytest.raises(BusyError) as caught:
        enter(admission)
    assert caught.value.code == "BUSY"


def test_one_kernel_has_its_bound_and_another_one_its_own() -> None:
    admission = Admission(2)
    first, _ = enter(admission), enter(admission)
    with pytest.raises(BusyError, match="This kernel has 2 requests in flight"):
        enter(admission)
    enter(admission, "b")
    first({"ok": True})
    assert (admission.in_flight("a"), admission.in_flight("b"), admission.in_flight()) == (1, 1, 2)
    enter(admission)


def test_the_first_message_ends_the_flight_before_the_client_hears_of_it() -> None:
    admission, seen = Admission(1), []

    def reply(response: dict[str, Any]) -> None:
        seen.append((response, admission.in_flight()))

    admitted = admission.enter("a", "authorize", "r", reply)
    admitted({"waiting": {}})
    admitted({"ok": True})
    assert seen == [({"waiting": {}}, 0), ({"ok": True}, 0)]
    admitted.leave()
    assert admission.in_flight() == 0


def test_all_kernels_share_a_bound_beyond_which_each_keeps_its_share() -> None:
    admission = Admission(10, of_all=6, share=2)
    for _ in range(6):
        enter(admission, "a")
    enter(admission, "b")
    second = enter(admission, "b")
    with pytest.raises(BusyError, match="has 8 requests in flight, and 2 of them are this kernel's"):
        enter(admission, "b")
    with pytest.raises(BusyError):
        enter(admission, "a")
    second.leave()
    enter(admission, "b")
    assert admission.in_flight() == 8


@pytest.mark.parametrize("op", ["settle", "release", "adjust", "cancel"])
def test_what_ends_a_charge_has_room_of_its_own(op: str) -> None:
    admission = Admission(2, of_all=2, share=0)
    for _ in range(2):
        enter(admission)
    for _ in range(2):
        enter(admission, op=op)
    for refused in ("spend", op):
        with pytest.raises(BusyError):
            enter(admission, op=refused)


def test_copies_of_an_action_are_one_request() -> None:
    admission = Admission(1)
    enter(admission, op="authorize", request_id="r1")
    copy = enter(admission, op="authorize", request_id="r1")
    with pytest.raises(BusyError):
        enter(admission, op="authorize", request_id="r2")
    with pytest.raises(BusyError):
        enter(admission, request_id="r1")
    enter(admission, "b", op="authorize", request_id="r1")
    # Only the latest copy gets the response.
    copy({"ok": True})
    assert admission.in_flight("a") == 0
    enter(admission, op="authorize", request_id="r2")
