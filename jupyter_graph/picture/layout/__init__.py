"""Where boxes and lines of a picture stand."""
