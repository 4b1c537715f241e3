"""Time limits that hold even for a step that does not return."""
