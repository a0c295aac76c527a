"""Scenarios on the array engine: what of a file it can perform, how it runs, and what its figures say."""
