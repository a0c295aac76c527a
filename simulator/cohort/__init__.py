"""Fleets as arrays: a million devices in virtual time, without the protocol that the exact engine speaks."""
