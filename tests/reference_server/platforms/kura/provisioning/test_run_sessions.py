"""Which session a run belongs to."""

from __future__ import annotations

from fleetrig.reference_server.platforms.kura.provisioning.run_sessions import RunSessions


def test_a_run_goes_over_to_its_newest_session() -> None:
    runs = RunSessions()
    runs.begin("request", 1)
    runs.begin("request", 2)
    assert runs.end(1) is None
    assert (runs.is_of("request", 1), runs.is_of("request", 2)) == (False, True)
    assert runs.end(2) == "request"
    assert not runs.is_of("request", 2)
    assert runs.end(2) is None
