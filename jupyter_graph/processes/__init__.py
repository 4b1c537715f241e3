"""Other processes of this one: fresh interpreters that take work over a pipe."""
