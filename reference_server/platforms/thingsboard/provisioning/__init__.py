"""The provision request from its bytes to its answer: read, decided, rendered; the same over all transports."""
