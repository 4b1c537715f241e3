"""What this notebook holds: its graphs, step cells, events and open runners.

No IPython here: the user namespace and the cells come as arguments.
"""
