"""What generated code calls beside the steps."""
