<<<<<<< HEAD
<<<<<<< HEAD
"""Hono in the harness: its words, its operator, its part in a run, and how our own server plays it."""
=======
"""Everything the harness knows of Eclipse Hono."""
>>>>>>> hono-registry
=======
"""Hono in the harness: its words, its operator, its part in a run, and how our own server plays it."""
>>>>>>> hono-harness
