"""What users type in a cell: ``%%graph_step``, ``%graph`` and ``%deploy``.

Thin: words → options → one call → a value that displays itself. May import every
room but ``cli``.
"""
