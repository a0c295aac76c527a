"""Serial ports: opened, locked, watched, written down as evidence, shared, and made faulty on purpose."""
