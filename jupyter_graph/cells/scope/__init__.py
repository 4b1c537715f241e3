"""Which names a statement binds, reads and changes."""
