import datetime  # cell 1, line 1
from jupyter_graph.host.artifacts import load_value

# cell 1, line 2
TABLE = {('a', 1): datetime.timedelta(minutes=1), 'b': (1, 2)}
LIMIT = 3

WEIGHTS = load_value(__file__, "WEIGHTS")  # cell 2, line 2: value
SEEN = load_value(__file__, "SEEN")  # cell 2, line 3: value


# cell 3, line 1
def look(body, context):
    return {**body, 'seconds': TABLE['a', 1].total_seconds(), 'total': float(WEIGHTS.sum()), 'year': SEEN['at'].year, 'unit': context.get_param('unit')}


# cell 4, line 1
class Add:
    def __init__(self, much=1):
        self.much = much
    def do(self, body):
        return {**body, 'n': body['n'] + self.much + LIMIT}
