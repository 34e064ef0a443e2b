"""Files of other monitors, taken over into a contract and the words of an endpoint's file: `files` first.

Nothing in such a file is passed over in silence: every entry comes back with what became of it, and why.
"""
