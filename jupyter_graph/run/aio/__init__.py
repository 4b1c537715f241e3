"""Events on event loops: slots, tasks, deadlines of coroutines."""
