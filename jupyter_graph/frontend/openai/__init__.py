"""OpenAI's API in front of a graph."""
