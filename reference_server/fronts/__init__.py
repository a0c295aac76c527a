"""Sockets that turn bytes into envelopes and back."""
