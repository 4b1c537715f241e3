"""Steps that ask other services over HTTP."""
