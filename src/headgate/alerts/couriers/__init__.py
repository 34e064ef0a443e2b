"""Adapters that carry notices: over HTTP, over SMTP, into the log. Each tries once, within a deadline."""
