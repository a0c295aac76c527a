"""Certificates for everyone: harness, devices and reference server may use it. No I/O, the clock is handed in."""
