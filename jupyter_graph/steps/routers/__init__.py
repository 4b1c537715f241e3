"""Steps that send an event to one or several of their routes."""
