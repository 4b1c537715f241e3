"""Time limits that hold even for a step that does not return.

Here is how a thread is interrupted or left behind. When an event's time begins and what
waits within it is decided by ``run/dispatch`` (threads) and ``run/aio/event_tasks``
(event loops).
"""
