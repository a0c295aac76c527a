"""One folder for each platform: what the harness knows of it, and nobody else does."""
