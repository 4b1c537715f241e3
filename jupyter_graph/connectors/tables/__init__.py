"""Tables: values by key, in memory, SQLite, SQL databases or Redis."""
