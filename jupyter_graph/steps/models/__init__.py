"""Steps that serve a model: the base class, and ready-made servers for frameworks."""
