"""Where rooms keep what must outlive a process: SQLite or PostgreSQL, traffic files, the home directory."""
