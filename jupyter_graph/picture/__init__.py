"""What a graph looks like: layout, SVG, PNG, text, Mermaid, ``graphviz.Digraph``.

May import ``errors``, ``types`` and ``spec`` only. Each kind of picture is the
function that its module is named after, such as ``picture.svg.svg``.
"""
