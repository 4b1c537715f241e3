# %%
import os.path
import xml.etree.ElementTree as ET
import collections.abc
# %%
def step(x): return os.path.join('a', 'b'), ET.fromstring('<a/>').tag, isinstance([], collections.abc.Sized)
