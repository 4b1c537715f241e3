# %%
def step(x):
    try:
        return 1 / 0
    except ZeroDivisionError as e:
        return str(e)
