"""Numbers as people read them."""

from __future__ import annotations

import pytest

from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.studies.wording import per_s, percent, short_percent, short_s


@pytest.mark.parametrize(
    ("seconds", "short", "spoken"),
    [
        (0, "0s", "0 s"), (59.6, "60s", "1 min"), (119, "119s", "1 min 59 s"), (120, "2m00s", "2 min"),
        (250, "4m10s", "4 min 10 s"), (599, "9m59s", "9 min 59 s"), (600, "10m", "10 min"),
        (770, "13m", "12 min 50 s"), (3599, "1h00m", "59 min 59 s"),
        (3900, "1h05m", "1 h 5 min"), (7200, "2h00m", "2 h"),
    ],
)  # fmt: skip
def test_times(seconds: float, short: str, spoken: str) -> None:
    assert (short_s(seconds), spoken_s(seconds)) == (short, spoken)


def test_what_never_comes() -> None:
    assert short_s(None) == "never"


@pytest.mark.parametrize(
    ("share", "spoken", "short"),
    [
        (0.0, "0 %", "0%"), (0.00001, "<0.1 %", "<.1%"), (0.003, "0.3 %", "0.3%"), (0.0994, "9.9 %", "9.9%"),
        (0.0996, "10 %", "10%"), (0.125, "12 %", "12%"), (1.0, "100 %", "100%"),
    ],
)  # fmt: skip
def test_shares(share: float, spoken: str, short: str) -> None:
    assert (percent(share), short_percent(share)) == (spoken, short)
    assert len(short) <= 4


def test_rates() -> None:
    assert [per_s(rate) for rate in (0.25, 9.5, 10.2, 5000)] == ["0.25/s", "9.5/s", "10/s", "5,000/s"]
