"""The HTTP client of every room: host rules, retries, sessions, secrets."""
