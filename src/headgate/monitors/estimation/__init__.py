"""How good a model probably is while its labels are not there yet, and how that turns into how good it was.

`footing` fits what is needed on labelled reference rows; `cbpe`, `pape` and `losses` say what to expect of a window;
`performance` puts together what was expected, what labels have already said and how far to trust either; `coverage`
says which labels are there.
"""
