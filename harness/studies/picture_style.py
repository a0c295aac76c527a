"""How pictures of studies look, and the one way to write them: the same study gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

# Okabe and Ito, «Color Universal Design»: told apart with every kind of colour vision; areas are hatched besides.
ANSWERED: Final = "#56B4E9"
REJECTED: Final = "#D55E00"
UNANSWERED: Final = "#8C8C8C"
LINE: Final = "#0B3C5D"
CAPACITY: Final = "#000000"
FAULT: Final = "#F1E4C3"
SLOWER: Final = "Blues"
"""A scale of one hue, from light to dark: read alike with and without colour vision, and on paper."""

DPI: Final = 110
POINTS_PER_INCH: Final = 72
STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",  # comes with the library: the same everywhere
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "fleetrig",
    "hatch.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
}


HEAD_INCHES: Final = 0.27
"""A line of a headline."""
TITLE: Final = FontProperties(family="DejaVu Sans", weight="bold", size=13)
FOOT: Final = FontProperties(family="DejaVu Sans", size=8.5)
MARGIN: Final = 0.01
"""Of the width, at either side of a headline."""


def headline(figure: Figure, title: str, beside: str, foot: Sequence[str] = ()) -> None:
    """A title and a line below it, above all panels; and lines at the foot. Each is wrapped to the figure's width."""
    width, height = figure.get_size_inches()
    room = width * (1 - 2 * MARGIN)
    head_lines = list(lines_within(title, room, TITLE))
    foot_lines = [part for line in foot for part in lines_within(line, room, FOOT)]
    head = HEAD_INCHES * (len(head_lines) + 1) + 0.1
    below = 0.18 * len(foot_lines) + 0.1 if foot else 0.0
    figure.text(MARGIN, 1 - 0.06 / height, "\n".join(head_lines), va="top", fontproperties=TITLE)
    figure.text(MARGIN, 1 - (head - 0.06) / height, beside, va="bottom", fontsize=10)
    figure.text(MARGIN, 0.05 / height, "\n".join(foot_lines), va="bottom", fontproperties=FOOT)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, below / height, 1, 1 - (head + below) / height))


def lines_within(text: str, room_inches: float, font: FontProperties) -> Iterator[str]:
    """As many words on each line as fit, measured in the letters of the font; a word that does not fit stands alone."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and width_inches(longer, font) > room_inches:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def width_inches(text: str, font: FontProperties) -> float:
    """Of a line."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS_PER_INCH


@contextmanager
def house_style() -> Iterator[None]:
    """Whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def write_picture(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """NAME.svg and NAME.png."""
    FigureCanvasAgg(figure)
    written = []
    for kind, metadata in (("svg", {"Date": None, "Creator": "fleetrig"}), ("png", {"Software": "fleetrig"})):
        path, draft = folder / f"{name}.{kind}", folder / f"{name}.part.{kind}"
        figure.savefig(draft, format=kind, dpi=DPI, metadata=metadata)
        written.append(draft.replace(path))
    return written[0], written[1]
