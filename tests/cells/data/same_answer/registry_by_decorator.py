# absent: load_value
# %%
HANDLERS = {}
def handler(name):
    def put(fn):
        HANDLERS[name] = fn
        return fn
    return put
# %%
@handler('a')
def one(x): return x + 1
@handler('b')
def two(x): return x + 2
# %%
def step(x): return {name: fn(x) for name, fn in HANDLERS.items()}
