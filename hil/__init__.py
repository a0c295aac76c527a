"""The bench side: real and emulated boards."""
