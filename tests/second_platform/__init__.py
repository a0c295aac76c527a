"""A second platform's home, as small as it can be: what a line in the table needs to find."""
