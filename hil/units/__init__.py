"""The ladder of a unit, and the records of its attempts."""
