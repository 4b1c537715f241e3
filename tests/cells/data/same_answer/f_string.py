# %%
NAME = 'n'
WIDTH = 5
# %%
def step(x): return f'{NAME!r:>{WIDTH}}{x}'
