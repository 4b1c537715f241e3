"""Model servers for machine learning frameworks."""
