"""How two runs differ: verdicts, what devices asked and were answered, in which order, and when."""
