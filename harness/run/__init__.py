"""Running scenarios: many, one, its phases, its actions; and judging a stored run again."""
