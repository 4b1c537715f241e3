"""Whether a bundle answers as the notebook does."""
