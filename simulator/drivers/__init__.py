"""What performs a flow: virtual time, real time, load, or comparison with a real board."""
