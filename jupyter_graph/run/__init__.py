"""Events through a compiled graph; all mutable state lives here.

May import what every room may, and ``connectors``, ``processes``, ``compile``,
``answer`` and ``frontend``. A ``Runner`` (``runner``) has a ``GraphInstance``
(``lifecycle``: steps built, swapped, flushed, closed) and a ``Dispatcher``
(``dispatch``: thread, loop and time of an event); it is opened and closed
(``openable``), and answers events (``answering``).
"""
