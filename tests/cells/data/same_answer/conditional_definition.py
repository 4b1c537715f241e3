# %%
import sys
if sys.version_info >= (3, 0):
    def pick(x): return 'new'
else:
    def pick(x): return 'old'
# %%
def step(x): return pick(x)
