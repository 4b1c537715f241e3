"""Values to bytes and text, and back: JSON, file formats, equality, dotted paths."""
