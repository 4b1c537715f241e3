# absent: get_ipython
# %%
!pip list
%matplotlib inline
K = 2
# %%
?K
# %%
%%bash
echo $K
# %%
text = '''
!ls
%magic
'''
# %%
def step(x): return text, K * x
