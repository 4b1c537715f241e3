"""Steps of storey in a graph of ours."""
