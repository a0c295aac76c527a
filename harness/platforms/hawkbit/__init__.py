"""Eclipse hawkBit as the harness knows it."""
