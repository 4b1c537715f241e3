# %%
try:
    import json as js
    def dump(x): return js.dumps(x)
except ImportError:
    js = None
    def dump(x): return repr(x)
# %%
def step(x): return dump([x]), js is None
