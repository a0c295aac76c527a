"""A difference as one HTML page that fetches nothing: a table for each kind of difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from fleetrig.harness.differences.difference_text import (
    WORDS,
    change_text,
    closing_sentence,
    devices_lines,
    names_text,
    places_text,
    sentence_of,
    shown_us,
)
from fleetrig.harness.differences.many_runs import Compared, OnlyIn
from fleetrig.harness.differences.row_differences import RowChangeKind
from fleetrig.harness.differences.run_difference import SharedChange, VerdictChange
from fleetrig.harness.differences.timing_differences import TimingChange

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What differs</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; --line: #767676; --head: #eef1f4 }}
@media (prefers-color-scheme: dark) {{ :root {{ --head: #2a3036 }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.6rem }} h2 {{ font-size: 1.25rem; margin-top: 2.5rem }}
.scroll {{ overflow-x: auto; margin: 1rem 0 }}
table {{ border-collapse: collapse; width: 100% }} caption {{ text-align: left; font-weight: 600; padding: .3rem 0 }}
th, td {{ padding: .25rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }}
thead th {{ background: var(--head) }} code {{ overflow-wrap: anywhere }}
</style></head><body><main>
<h1>What differs</h1>
<p>A: <code>{first}</code><br>B: <code>{second}</code></p>
<p><strong>{sentence}</strong></p>
{runs}
</main></body></html>
"""


def difference_page(found: Sequence[Compared], names: tuple[str, str]) -> str:
    """The whole page; `names`: where the two come from."""
    runs = "\n".join(part for one in found for part in _run(one))
    first, second = map(escape, names)
    return PAGE.format(first=first, second=second, sentence=escape(closing_sentence(found)), runs=runs)


def _run(one: Compared) -> Iterator[str]:
    if isinstance(one, OnlyIn):
        yield f"<h2>{escape(one.name)}</h2><p>Only in {one.side}.</p>"
        return
    yield f"<h2>{escape(names_text(one))}</h2><p>{escape(sentence_of(one))}</p>"
    yield from (f"<p>{escape(line)}</p>" for line in devices_lines(one))
    yield _table("Verdicts", ("what", "A", "B", "what was found"), map(_verdict, one.verdicts))
    yield _table("Exchanges", ("how", "exchange", "devices", "where"), map(_exchange, one.rows))
    yield _table("Times (medians)", ("what", "A", "B", "of how many"), map(_timing, one.timings))


def _verdict(change: VerdictChange) -> Sequence[str]:
    ends = ["-" if one is None else one.verdict for one in (change.first, change.second)]
    said = " / ".join(one.said for one in (change.first, change.second) if one is not None and one.said)
    return (change.text, *ends, said)


def _exchange(found: SharedChange) -> Sequence[str]:
    more = f" and {len(found.devices) - 1:,} more" if len(found.devices) > 1 else ""
    return (
        WORDS[RowChangeKind(found.change.change)],
        change_text(found.change),
        (found.devices[0] or "nobody's") + more,
        places_text(found.change),
    )


def _timing(change: TimingChange) -> Sequence[str]:
    counts = f"{change.counts[0]:,} and {change.counts[1]:,}"
    return f"{change.subject}: {change.what}", shown_us(change.first_us), shown_us(change.second_us), counts


def _table(caption: str, heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    if not lines:
        return ""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
