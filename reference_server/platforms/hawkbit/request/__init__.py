"""One request: let in, read, routed, answered or refused."""
