"""The valid keys in memory: changes made here win over a list that was read from the ledger before them."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from aumos_governance.gateway.valid_keys import ValidKeys
from aumos_governance.ledger.contract.keys import RUN, GatewayKey
from tests.ledger.kit import NOTEBOOK, OTHER

KEY = GatewayKey("k", "digest of k", "ann", "/srv/ann", RUN, "train.py", NOTEBOOK, "", "", 5, "ann")
BOUND = replace(KEY, notebook=OTHER)


@pytest.fixture
def keys() -> ValidKeys:
    return ValidKeys(logging.getLogger(__name__))


def listed(*keys: GatewayKey) -> dict[str, GatewayKey]:
    return {key.key_id: key for key in keys}


def test_a_key_is_valid_before_the_ledger_has_it(keys: ValidKeys) -> None:
    keys.expect(KEY)
    assert keys.by_digest(KEY.digest) is keys.by_id("k") is KEY
    assert (keys.all(), keys.durable()) == ([KEY], [])
    # Lists from before the ledger stored the key do not remove it.
    for _ in range(3):
        keys.adopt({}, keys.begin())
    assert keys.by_id("k") is KEY
    keys.take(KEY)
    assert keys.durable() == [KEY]


def test_what_the_ledger_lists_no_longer_is_dropped(keys: ValidKeys) -> None:
    heard: list[str] = []
    keys.on_dropped(heard.append)
    keys.take(KEY)
    keys.adopt({}, keys.begin())
    assert (keys.by_id("k"), keys.by_digest(KEY.digest), keys.all(), heard) == (None, None, [], ["k"])


def test_what_came_while_the_ledger_was_read_stays(keys: ValidKeys) -> None:
    begun = keys.begin()
    keys.take(KEY)
    keys.adopt({}, begun)
    assert keys.by_id("k") is KEY


def test_a_newer_binding_stays_and_an_older_one_goes(keys: ValidKeys) -> None:
    keys.take(KEY)
    begun = keys.begin()
    keys.take(BOUND)
    keys.adopt(listed(KEY), begun)
    assert keys.by_id("k") is BOUND
    keys.adopt(listed(KEY), keys.begin())
    assert keys.by_id("k") is KEY
    assert keys.by_digest(KEY.digest) is KEY
    keys.adopt(listed(BOUND), keys.begin())
    assert keys.by_id("k") is BOUND


def test_a_dropped_key_does_not_come_back_by_what_is_known_late(keys: ValidKeys) -> None:
    heard: list[str] = []
    keys.on_dropped(heard.append)
    keys.expect(KEY)
    keys.drop(["k", "unknown"])
    assert heard == ["k"]
    keys.take(KEY)
    assert keys.by_id("k") is None
    # The ledger has not revoked the key yet, so it still lists the key.
    for _ in range(2):
        keys.adopt(listed(KEY), keys.begin())
        assert keys.by_id("k") is None
    keys.drop(["k"])
    assert heard == ["k"]


def test_a_key_dropped_while_the_ledger_is_read_does_not_come_back(keys: ValidKeys) -> None:
    begun = keys.begin()
    keys.drop(["k"])
    keys.adopt({}, begun)
    keys.take(KEY)
    assert keys.by_id("k") is None


def test_what_the_ledger_does_not_list_is_remembered_no_longer(keys: ValidKeys) -> None:
    keys.drop(["k"])
    keys.adopt({}, keys.begin())
    keys.take(KEY)
    assert keys.by_id("k") is KEY


def test_the_oldest_comes_first_and_after_those_that_are_not_durable(keys: ValidKeys) -> None:
    later, earlier, same, pending = (
        replace(KEY, key_id=id, digest=id, issued_at=at) for id, at in (("a", 9), ("b", 5), ("c", 5), ("d", 0))
    )
    for key in (same, later, earlier):
        keys.take(key)
    keys.expect(pending)
    assert [key.key_id for key in keys.all()] == ["d", "b", "c", "a"]
    assert len(keys.durable()) == 3


def test_a_listener_given_twice_is_ended_once_at_a_time(keys: ValidKeys) -> None:
    heard: list[str] = []
    end, _ = keys.on_dropped(heard.append), keys.on_dropped(heard.append)
    end()
    end()
    keys.take(KEY)
    keys.drop(["k"])
    assert heard == ["k"]
