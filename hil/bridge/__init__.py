"""A board without network asks in frames over its line."""
