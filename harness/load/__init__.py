"""A load run: what it is asked for, what it needs, how it judges itself, and what it leaves."""
