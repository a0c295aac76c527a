"""Who has which board of a desk, and since when."""
