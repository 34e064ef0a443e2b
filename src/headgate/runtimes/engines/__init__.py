"""Adapters for models that run in their own library, one file per engine of a manifest.

Each has `load(package, manifest, contract, threads)`, which imports its library, opens the artefact and returns the
function that answers feeds with raw outputs in the order of the signature. `NativeRuntime` makes a Runtime of it.
They belong into the runtime host; nothing keeps a script from opening one in its own process.
"""
