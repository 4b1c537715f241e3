# absent: load_value
# %%
import os
ROOT = os.environ.get('NO_SUCH_VARIABLE', 'fallback')
# %%
def step(x): return ROOT
