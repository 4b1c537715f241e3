"""Where events come from and go to: sources, targets and tables.

Classes are written like steps: a target
has ``do(body)``, which stores the body and gives it back; a source is iterated over.
"""
