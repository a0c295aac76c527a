"""Numbers of studies as people read them: in tables short, in sentences spelled out."""

from __future__ import annotations

from typing import Final

MINUTE_S: Final = 60
WHOLE_PERCENT: Final = 100


def short_s(seconds: float | None) -> str:
    """`84s`, `4m10s`, `13m`, `1h05m`: at most five characters up to ten hours; `never` for None."""
    if seconds is None:
        return "never"
    whole = round(seconds)
    if whole < 2 * MINUTE_S:
        return f"{whole}s"
    if whole < 10 * MINUTE_S:
        return f"{whole // MINUTE_S}m{whole % MINUTE_S:02d}s"
    minutes = (whole + MINUTE_S // 2) // MINUTE_S
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def percent(share: float) -> str:
    """`0 %`, `0.3 %`, `12 %`; a little is never called nothing."""
    in_percent = share * WHOLE_PERCENT
    if in_percent == 0:
        return "0 %"
    if in_percent < 0.1:
        return "<0.1 %"
    return f"{in_percent:.1f} %" if in_percent < 9.95 else f"{in_percent:.0f} %"


def short_percent(share: float) -> str:
    """`0%`, `<.1%`, `0.3%`, `12%`: at most four characters."""
    return percent(share).replace(" ", "").replace("<0", "<")


def per_s(rate: float) -> str:
    """`5,000/s`."""
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.3g}/s"
