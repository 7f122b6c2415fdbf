"""Request ids are unique, across threads and forked processes."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from aumos_governance.kernel.requests.in_flight import new_request_id
from aumos_governance.wire.protocol import MAX_TEXT


def test_ids_count_up_in_a_process() -> None:
    ids = [new_request_id() for _ in range(300)]
    assert sorted(ids) == ids
    assert len(ids[0]) < MAX_TEXT


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_request_id(), range(4_000)))
    assert len(set(ids)) == len(ids)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_ids_of_its_own() -> None:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send([new_request_id() for _ in range(3)]))
    child.start()
    theirs = receiver.recv()
    child.join()
    ours = [new_request_id() for _ in range(3)]
    assert not {id.partition("-")[0] for id in theirs} & {id.partition("-")[0] for id in ours}
