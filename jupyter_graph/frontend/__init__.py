"""What stands between HTTP and a graph: routes, parameters, shapes of answers.

An API handler defines the paths and methods, what of a request becomes a parameter,
and what of a result becomes the answer. The OpenAI front end is an API
handler with ready-made endpoints, plus the shapes that OpenAI's clients expect.

``make_frontend`` chooses the front end. ``Frontend.enter`` is called before the graph,
``leave`` of the exchange it returns after it, ``Frontend.problem`` for a failed event.
"""
