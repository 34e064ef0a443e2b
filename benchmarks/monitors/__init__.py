"""How monitors do where it is known what changed: false alarms at their stated rate, and how soon a true one comes."""
