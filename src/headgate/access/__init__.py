"""Who may do what: keys, tokens, roles and the places they hold for, as values and pure decisions."""
