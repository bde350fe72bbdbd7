"""Mail: through an SMTP server, or, where there is none, a line in the log."""
