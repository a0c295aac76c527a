"""Talking to a board: bytes become lines, commands get marks, and a board is brought to its prompt."""
