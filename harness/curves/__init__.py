"""Curves of runs: one point a second, from a load run or from the trace of any run, and how far two of them differ."""
