"""The bench file: what lies on the desk, read and checked before anything runs; and boards opened as it says."""
