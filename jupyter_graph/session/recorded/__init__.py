"""The recorded events: the last thousand, in files, as tests, and sent again."""
