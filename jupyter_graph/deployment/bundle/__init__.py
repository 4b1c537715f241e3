"""The bundle: a folder with a graph, its code, values and requirements."""

from jupyter_graph.deployment.bundle.build import build_bundle as build_bundle
