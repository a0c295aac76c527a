"""Stored traces for people: read line by line, narrowed, and shown as lanes (docs/traces.md)."""
