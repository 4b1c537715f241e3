# absent: hello
# %%
if __name__ == '__main__':
    print('hello')
    SIZE = 4
    def helper(x):
        return x + SIZE
# %%
def step(x): return helper(x)
