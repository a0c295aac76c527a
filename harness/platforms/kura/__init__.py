"""Everything the harness knows of the Kura namespace, and of gateways that provision themselves in it."""
