"""`fleetrig board`: the boards of a bench, by name."""
