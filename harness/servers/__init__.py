"""The server under test, reference or real, and what it can do."""
