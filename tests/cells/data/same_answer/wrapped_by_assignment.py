# absent: load_value
# %%
def retry(times):
    def wrap(fn):
        def run(x): return [fn(x)] * times
        return run
    return wrap
# %%
def parse(x): return x + 1
parse_twice = retry(2)(parse)
# %%
def step(x): return parse_twice(x)
