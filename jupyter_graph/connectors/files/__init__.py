"""Sources and targets of files."""
