"""A gateway of the Kura namespace: provisions itself (PROV-SIM1), connects as Kura does, and answers requests."""
