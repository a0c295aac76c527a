"""The contract pages: one for each platform, made from its rows and clauses.

make contracts        writes docs/contracts/<platform>.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fleetrig.harness.platforms.hawkbit.conformance import contract as hawkbit
from fleetrig.harness.platforms.hono.conformance import contract as hono
from fleetrig.harness.platforms.kura.conformance import contract as kura
from fleetrig.harness.platforms.thingsboard.conformance import contract as thingsboard

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "contracts"
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "hawkbit": hawkbit.page,
    "thingsboard": thingsboard.page,
    "hono": hono.page,
    "kura": kura.page,
}


def path_of(platform: str) -> Path:
    return FOLDER / f"{platform}.md"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path_of(name).write_text(page(), encoding="utf-8")
