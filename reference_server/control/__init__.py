"""The control interface: faults, clock, trace and reasons of a running server (docs/control.md)."""
