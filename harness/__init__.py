"""The test side: scenarios, checks, verdicts and the command."""
