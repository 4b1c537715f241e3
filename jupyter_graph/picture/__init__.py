"""What a graph looks like: layout, SVG, PNG, text, Mermaid, ``graphviz.Digraph``.

``scene`` decides which boxes and lines there are, ``layout`` where they stand,
``drawing`` which outlines and paths they have; each of ``forms`` writes that in one
form, by the function it is named after.
"""
