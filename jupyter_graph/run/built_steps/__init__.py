"""Steps built: their instances and calls, in this process or in one of their own."""
