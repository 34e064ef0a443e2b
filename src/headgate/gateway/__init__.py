"""The data-plane door: the life of one request.

Read `answer.py` first. Doors translate, the batch of one event-loop tick is answered in one runtime call, and a
reply leaves when its records are on disk.
"""
