"""docs/benchmarks.md is what benchmarks print; each of them keeps its section when others are run."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.page import HEAD, SECTIONS, machine, page_with, sections_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")


def test_every_section_has_its_benchmark() -> None:
    assert all((ROOT / f"tests/benchmarks/{module}.py").is_file() for module in SECTIONS)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"{module.removeprefix('bench_')}.py" in makefile for module in SECTIONS)


def test_the_page_is_written_by_them() -> None:
    assert PAGE.startswith(HEAD)
    assert list(sections_of(PAGE)) == [title for title in SECTIONS.values() if title in sections_of(PAGE)]
    assert page_with(PAGE, {}, "") == PAGE


def test_what_was_not_run_stays() -> None:
    first = page_with("", {"bench_cohort": "\n  a row\n", "bench_outages": "  another\n"}, "Measured here.")
    again = page_with(first, {"bench_cohort": "  a new row\n"}, "Measured there.")
    assert sections_of(again) == {
        "What an answer costs": "Measured here.\n\n```text\n  another\n```",
        "The array engine": "Measured there.\n\n```text\n  a new row\n```",
    }


def test_the_machine_is_named_in_general_terms() -> None:
    cores, _, rest = machine().partition(" cores (")
    assert cores.isdecimal()
    assert "Python 3." in rest
