"""The schema's history: one file per revision, applied in order when a store is opened."""
