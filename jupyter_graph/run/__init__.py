"""Events through a compiled graph; all mutable state lives here.

May import what every room may, and ``connectors``, ``processes``, ``compile``,
``answer`` and ``frontend``. A ``Runner`` (``runner``) has a ``GraphInstance``
(``lifecycle``: steps built, swapped, flushed, closed), a ``Dispatcher`` (``dispatch``:
thread, loop and time of an event) and an ``Answering`` (from event to answer).
"""
