"""Graph documents as text and as plain data: bounded, read, every problem reported."""
