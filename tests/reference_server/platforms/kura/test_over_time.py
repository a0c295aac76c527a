"""The platform by itself: what jobs of an earlier process wait for, and a store that fails meanwhile."""

from __future__ import annotations

import json

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_by_id
from fleetrig.reference_server.stores.interface import Blobs, StoreFailed
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.http import HttpRequest
from tests.reference_server.platforms.kura.rest_rig import RestRig
from tests.reference_server.stores.failing import FailingStore


def failing() -> FailingStore:
    store = FailingStore()
    store.fails = False
    return store


def another_process(rig: RestRig) -> KuraPlatform:
    """Over the same records."""
    no_files: Blobs = object()  # type: ignore[assignment]
    return KuraPlatform(rig.store, no_files, SeededEntropy(2), rig.settings)


def expiring(rig: RestRig) -> str:
    """A request that expires in ten seconds; gives its id."""
    made: str = rig.request(expiresOn=rig.now_ms + 10_000)["id"]
    return made


def status(rig: RestRig, request_id: str) -> JobStatus:
    found = request_by_id(rig.registry, request_id)
    assert found is not None
    return found.job.status


def test_jobs_go_on_after_a_start_though_nobody_comes() -> None:
    rig = RestRig()
    request_id = expiring(rig)
    again = another_process(rig)
    with rig.store.transaction():
        assert again.advance(rig.now_us) == []
    assert again.next_due_us() == rig.now_us + 10 * US_PER_S

    with rig.store.transaction():
        told = again.advance(rig.now_us + 10 * US_PER_S)

    assert [step for one in told for step in one.steps] == ["job_abandoned"]
    assert told[0].reason
    assert status(rig, request_id) is JobStatus.ABANDONED


def test_what_could_not_be_kept_is_looked_at_again() -> None:
    rig = RestRig()
    store = failing()
    rig.use(store, SeededEntropy(1))
    rig.tokens.clear()
    request_id = expiring(rig)
    platform = another_process(rig)
    with store.transaction():
        platform.advance(rig.now_us)
    rig.later(10)
    store.fails = True
    with pytest.raises(StoreFailed), store.transaction():
        platform.advance(rig.now_us)
    store.fails = False
    assert status(rig, request_id) is JobStatus.CREATED

    rig.later(1)
    with store.transaction():
        platform.advance(rig.now_us)

    assert status(rig, request_id) is JobStatus.ABANDONED


def test_a_failed_store_is_told_over_rest() -> None:
    page = RestRig().api.container_rules.failure
    assert page is not None
    answer = page(HttpRequest("GET", "http://kura.test", "/v1/account"), 0)

    assert answer.status == 500
    assert json.loads(body_bytes(answer.body))["httpErrorCode"] == 500
