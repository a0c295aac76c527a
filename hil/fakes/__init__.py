"""Boards without hardware: generators behind a pseudo-terminal."""
