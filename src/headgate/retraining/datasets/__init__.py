"""What a model learns again from: rows cut point-in-time from journal and labels, named by what is in them.

Read `cut.py` first: what is asked, a folder, and one value out. `labelled` finds the inputs whose truth is known,
`change` the row at which the world became another, `choose` the window by back-test; `written` lays the rows down, and
`opened` gives them to any engine.
"""
