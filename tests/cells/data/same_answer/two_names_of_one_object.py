# %%
first = second = []
first.append(1)
# %%
def step(x):
    first.append(x)
    return len(second) - len(first), second[:2]
