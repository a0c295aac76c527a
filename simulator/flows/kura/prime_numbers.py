"""RSA keys from a seed: the same each time, which libraries do not offer."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import shake_256
from itertools import count
from math import gcd
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from fleetrig.simulator.certificates.keys import PUBLIC_EXPONENT

SMALL_PRIMES: Final = tuple(n for n in range(3, 2_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))
WITNESSES: Final = (2, 3, 5, 7, 11, 13, 17, 19)
"""The chance that a number of this size passes them all and is no prime is below 2^-100."""


def rsa_key(bits: int, seed: bytes) -> rsa.RSAPrivateKey:
    """Not for secrets: whoever knows the seed has the key."""
    primes = (p for p in _primes(bits // 2, seed) if gcd(p - 1, PUBLIC_EXPONENT) == 1)
    first, second = next(primes), next(primes)
    private = pow(PUBLIC_EXPONENT, -1, (first - 1) * (second - 1))
    numbers = rsa.RSAPrivateNumbers(
        first,
        second,
        private,
        rsa.rsa_crt_dmp1(private, first),
        rsa.rsa_crt_dmq1(private, second),
        rsa.rsa_crt_iqmp(first, second),
        rsa.RSAPublicNumbers(PUBLIC_EXPONENT, first * second),
    )
    return numbers.private_key()


def _primes(bits: int, seed: bytes) -> Iterator[int]:
    """Each begins its search anew, with its two highest bits set, so that a product of two has all of its bits."""
    for number in count():
        drawn = int.from_bytes(shake_256(seed + number.to_bytes(4)).digest(bits // 8))
        candidate = drawn | 3 << (bits - 2) | 1
        while not _is_prime(candidate):
            candidate += 2
        yield candidate


def _is_prime(number: int) -> bool:
    if any(number % prime == 0 for prime in SMALL_PRIMES):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, witness, odd, twos) for witness in WITNESSES)


def _passes(number: int, witness: int, odd: int, twos: int) -> bool:
    """Miller and Rabin's test."""
    power = pow(witness, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
