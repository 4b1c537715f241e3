import datetime  # cell 1, line 2
import decimal  # cell 1, line 2
from jupyter_graph.host.artifacts import load_value

# cell 1, line 5
LIMITS = {("a", 1): datetime.timedelta(minutes=1), "d": decimal.Decimal("1.10"), "s": {1, 2}, "nan": float("nan")}

WEIGHTS = load_value(__file__, "WEIGHTS")  # cell 1, line 6: value
RATES = load_value(__file__, "RATES")  # cell 1, line 7: value


# cell 2, line 2
def weigh(body):
    rate = float(RATES.loc[body["currency"], "rate"])
    return {"sum": float(WEIGHTS.sum()) * rate, "limit": LIMITS[("a", 1)], "price": LIMITS["d"], "set": LIMITS["s"]}
