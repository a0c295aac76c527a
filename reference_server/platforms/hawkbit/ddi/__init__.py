"""The Device API: one module for each of its resources, and the documents that devices read."""
