# %%
def step(x):
    try:
        return unicode(x)
    except NameError:
        return str(x)
