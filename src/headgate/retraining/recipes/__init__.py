"""How to learn again, carried out: a function, a command, a notebook or the built-in search, in a process of its own.

`recipe` holds the words, `workshop` starts, watches, cancels and resumes runs, `training` is what a recipe is handed.
"""
