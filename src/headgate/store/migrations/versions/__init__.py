"""``vNNNN_what.py``, NNNN being the revision; files are added and never changed once released."""
