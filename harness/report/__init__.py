"""Listeners that turn reports and trace events into something to read."""
