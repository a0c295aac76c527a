"""What certificates cost: of devices by the thousand, each with a key of its own, and their verification."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fleetrig.harness.cli import main
from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.contract.clock import US_PER_S
from tests.benchmarks.measure import ROUNDS, median, show

DEVICES = 10_000
CHAINS = 1_000
NOW_US = 1_790_000_000 * US_PER_S
AIM_S = 3.0


def cpu_s(work: Callable[[], object]) -> float:
    """CPU time of this process."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def bench_certificates_of_devices() -> None:
    print("\nCertificates")
    for name, seed, kind in (
        ("P-256", None, KeyKind.P256),
        ("P-256 from a seed", "seed", KeyKind.P256),
        ("Ed25519", None, KeyKind.ED25519),
    ):
        took_s = cpu_s(partial(issue, CertificateAuthority("Plant CA", NOW_US, seed=seed), kind))
        show(f"{DEVICES:,} certificates with their keys, {name}", f"{took_s:.2f} s CPU", f"under {AIM_S:g} s")


def issue(authority: CertificateAuthority, kind: KeyKind) -> None:
    for number in range(DEVICES):
        authority.issue_client(f"HB-{number}", kind=kind)


def bench_verification() -> None:
    authority = CertificateAuthority("Plant CA", NOW_US)
    line = authority.authority_below("Line 1")
    chains = [line.issue_client(f"HB-{n}").chain for n in range(CHAINS)]

    def verified() -> None:
        trusted = ClientAuthorities(authority.certificate_pem)
        assert not any(trusted.verify(chain, NOW_US).reason for chain in chains)

    took_s = median([cpu_s(verified) for _ in range(ROUNDS)])
    show("verification of a chain of three, seen for the first time", f"{took_s / CHAINS * 1e6:.0f} us CPU")


def bench_files(tmp_path: Path) -> None:
    assert main(["ca", "new", str(tmp_path / "plant")]) == 0
    words = ["ca", "issue", str(tmp_path / "plant"), "--count", str(DEVICES), "--serial", "HB-{n:05d}", "--out"]
    took_s = cpu_s(lambda: main([*words, str(tmp_path / "devices")]))
    assert len(list((tmp_path / "devices").iterdir())) == 2 * DEVICES
    show(f"`fleetrig ca issue` of {DEVICES:,}, files written", f"{took_s:.2f} s CPU", f"under {AIM_S:g} s")
