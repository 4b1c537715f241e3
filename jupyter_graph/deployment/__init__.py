"""From a graph to a running function: bundle, parity check, deploy target."""
