"""From a spec to something that runs: names resolved, code generated."""
