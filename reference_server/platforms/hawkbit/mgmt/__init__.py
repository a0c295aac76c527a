"""The Management API: one module for each of its resources, and what they share."""
