"""hawkBit's contract, row by row (spec/hawkbit.md §6), one file per resource."""
