# %%
PREFIX = 'a'
def tag(fn):
    fn.tag = PREFIX
    return fn
# %%
@tag
def step(x): return step.tag, PREFIX
# %%
PREFIX = 'b'
