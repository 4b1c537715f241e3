"""What the notebook's cells say about its graphs: gone, copied, out of order."""
