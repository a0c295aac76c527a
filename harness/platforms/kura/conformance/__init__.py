"""Kura's contract as rows: `fleetrig conform kura`."""
