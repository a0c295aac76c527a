"""Traces in the standard formats of other tools."""
