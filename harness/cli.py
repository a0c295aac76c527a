"""The `fleetrig` command."""

from importlib.metadata import version


def main() -> None:
    print(f"fleetrig {version('fleetrig')}")
