"""What a deployment package calls itself, so that nobody has to say it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from fleetrig.harness.platforms.kura.package_file import name_in_package


def package(path: Path, manifest: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest)
        archive.writestr("bundle.jar", b"content")
    return path


def test_name_and_version_stand_in_its_manifest(tmp_path: Path) -> None:
    lines = ["Manifest-Version: 1.0", "DeploymentPackage-SymbolicName: org.example.", " heater",
             "DeploymentPackage-Version: 1.2.0", ""]  # fmt: skip

    assert name_in_package(package(tmp_path / "a.dp", "\r\n".join(lines))) == ("org.example.heater", "1.2.0")


@pytest.mark.parametrize(
    "manifest", ["", "Manifest-Version: 1.0\n", "DeploymentPackage-SymbolicName: a\n", "no manifest at all\n: \n"]
)
def test_an_archive_without_both_has_no_name(tmp_path: Path, manifest: str) -> None:
    assert name_in_package(package(tmp_path / "a.dp", manifest)) is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 but nothing else"])
def test_another_file_has_no_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.dp").write_bytes(content)

    assert name_in_package(tmp_path / "a.dp") is None


def test_an_archive_without_a_manifest_has_no_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.dp", "w") as archive:
        archive.writestr("bundle.jar", b"content")

    assert name_in_package(tmp_path / "a.dp") is None
