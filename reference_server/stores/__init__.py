"""Where the reference server keeps what it acknowledged."""
