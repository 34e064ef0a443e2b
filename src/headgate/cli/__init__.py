"""The command line: one file per verb, each translating words into one call."""
