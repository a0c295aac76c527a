"""Commands of applications: to whom each goes, how devices answer, and what applications get to hear."""
