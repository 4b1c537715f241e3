"""The answer to an event: value, bytes, status, headers, problem document."""
