"""How a model came to be in charge, told from the records alone.

What fired, what data, what was learnt, what was proved with which error rate, who or what approved, what happened
since. `facts` is everything a story is made of, gathered by `app`; `tell` makes one of it, purely, and says of every
link that is missing that it is. `text` and `page` show it; `card` is a version's card from the same records.
"""
