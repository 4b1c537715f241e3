"""Steps that change, split and encode bodies."""
