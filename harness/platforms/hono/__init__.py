"""Everything the harness knows of Eclipse Hono."""
