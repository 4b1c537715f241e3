# absent: urlencode
# %%
import urllib
import xml.dom, xml.etree.ElementTree
from urllib.parse import urlencode
# %%
def step(x):
    return urllib.parse.quote("a b"), xml.etree.ElementTree.fromstring("<a/>").tag
