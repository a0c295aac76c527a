"""Every row of the suite against a server in this process, and what `conform` does around rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.kura.conformance.preflight import check_that_it_is_kapua
from fleetrig.harness.platforms.kura.conformance.row_client import open_client
from fleetrig.harness.platforms.kura.conformance.suite import ROWS
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.kura.state.settings import Profile, Settings
from tests.harness.platforms.kura.conformance.in_process import reference

BLANK = Report(name="conform/kura", title="", verdict=Verdict.PASSED)


def run_every_row() -> None:
    """Raises AssertionError when a row neither passes nor says why it cannot."""
    for profile in Profile:
        with TemporaryDirectory() as folder, reference(Settings(profile=profile), Path(folder)) as server:
            check_that_it_is_kapua(server)
            reports = list(run_rows(ROWS, partial(open_client, server), server.can, BLANK, server.remedies))
        odd = [f"{one.name}: {one.verdict} {one.phases}" for one in reports
               if one.verdict not in (Verdict.PASSED, Verdict.SKIPPED)]  # fmt: skip
        assert not odd, odd
