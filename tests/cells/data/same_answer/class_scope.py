# %%
limit = 7
# %%
class Box:
    limit = limit
    twice = [limit * n for n in (1, 2)]
# %%
def step(x): return Box.limit, Box.twice
