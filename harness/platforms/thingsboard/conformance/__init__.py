"""ThingsBoard's contract, row by row (docs/contracts/thingsboard.md), one file per resource."""
