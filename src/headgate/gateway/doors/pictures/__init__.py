"""Pictures on the native predict route as the bytes they are: a body that is one, or a form with a part per field.

No picture is decoded here. What a model reads is the encoded file, as base64 in JSON gives it too; whatever opens it
runs behind the contract's `max_bytes`.
"""
