"""Worker processes of a step: fresh interpreters that take calls over a pipe."""
