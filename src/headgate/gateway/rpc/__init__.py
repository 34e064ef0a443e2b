"""gRPC as the gateway hears it: messages, calls, and the server they arrive at.

Only `grpcio.py` knows grpcio. Nothing outside this directory imports it before the application has found it installed.
"""
