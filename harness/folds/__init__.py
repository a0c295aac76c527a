"""Checks over the stream of events, one event at a time."""
