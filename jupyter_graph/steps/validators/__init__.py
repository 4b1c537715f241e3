"""Steps that check bodies and act on what is wrong."""
