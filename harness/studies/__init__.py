"""Studies: one scenario over many values of its params, a table of what came of each, and an advice in one sentence."""
