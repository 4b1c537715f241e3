"""The smallest program that defines the steps of a graph."""
