# absent: load_value
# %%
def scaler(n):
    def scale(x): return x * n
    return scale
# %%
triple = scaler(3)
# %%
def step(x): return triple(x)
