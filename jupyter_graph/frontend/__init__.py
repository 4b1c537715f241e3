"""What stands between HTTP and a graph: routes, parameters, shapes of answers.

An API handler says which paths and methods there are, what of a request becomes a
parameter, and what of a result becomes the answer. The OpenAI front end is an API
handler with ready-made endpoints, plus the shapes that OpenAI's clients expect.

``front_of`` makes the front; ``Front.enter`` is called before the graph, ``leave`` of
what it gives after it, ``Front.problem`` where an event failed.
"""
