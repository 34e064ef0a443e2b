"""What a model expects of a row and promises of an answer.

A contract is inferred from reference data, edited by a person as YAML, compared with its successor, checked
over whole tables, and compiled into the decoder that stands in front of every model. It knows nothing of
models, transports or storage.
"""
