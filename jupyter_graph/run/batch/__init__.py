"""All rows of a table through a graph."""
