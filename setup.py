"""What is installed is one package, `fleetrig`; in the repository its parts are folders of their own.

Everything else about the build stands in pyproject.toml. An editable install finds the parts through the links in
build/editable (`make install` makes them), so that new modules count at once and type checkers see them.
"""

from pathlib import Path

from setuptools import find_namespace_packages, setup

PARTS = ("harness", "hil", "reference_server", "scenarios", "simulator", "testing")


def packages_of(part: str) -> list[str]:
    """The part and all folders below it, under the name of the installed package."""
    return [f"fleetrig.{name}" for name in (part, *(f"{part}.{below}" for below in find_namespace_packages(part)))]


def link_parts(folder: Path) -> None:
    """Links to all parts, for an editable install. What is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if not (folder / part).is_symlink():
            (folder / part).symlink_to(Path("../../..") / part)


link_parts(Path(__file__).resolve().parent / "build/editable/fleetrig")
setup(
    packages=[name for part in PARTS for name in packages_of(part)],
    package_dir={"": "build/editable", **{f"fleetrig.{part}": part for part in PARTS}},
)
