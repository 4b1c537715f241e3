"""The step that runs several models, and how it runs them."""
