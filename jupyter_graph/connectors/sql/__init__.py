"""Sources and targets of SQL databases."""
