"""One file per library: what a model expects, how it answers by itself, and which artefacts could stand for it.

Every importer is a module with `recognises`, `traits` and `build` (see `importer.Importer`). `register` asks
each in turn, writes the candidates an importer offers in its order of preference, and keeps the first that
answers exactly as the model itself does. Libraries are imported inside the functions that need them.

Layout of the artefacts, by engine (``Manifest.engine``):

=========  =====================  ==========================================================================
engine     artefact               options
=========  =====================  ==========================================================================
onnx       ``model.onnx``         ``null_text``: what stands for a null string; empty when absent
sklearn    ``model.skops``        ``input``, ``types`` (JSON list of types skops may construct)
pickle     ``model.joblib``       ``input``; the manifest is ``trusted``
xgboost    ``model.ubj``          ``input``; a native Booster, scores from ``predict``
lightgbm   ``model.txt``          ``input``; a native Booster, scores from ``predict``
torch      ``model.pt2``          ``decode``; a ``torch.export`` program reading the signature's inputs in order
keras      ``model.keras``        ``decode``; reading the signature's inputs in order
text       ``model.onnx``         ``tokenizer`` (file), ``max_length``, ``pad_id``, ``inputs`` (JSON list), ``decode``
python     ``model.py``           ``class``, ``input``; the manifest is ``trusted``; never write bytecode beside it
=========  =====================  ==========================================================================

``input``: ``matrix`` (float64, in the order of the signature's inputs), ``frame`` (pandas, one named column per field),
``series`` (the one text field alone), ``table`` (pyarrow) or ``rows`` (list of dicts). ``categories=dtype`` says
that category fields enter a frame as pandas categories over the field's domain.
``decode``: ``proba`` (already probabilities), ``softmax`` or ``sigmoid`` (logits), ``number``.
Scores of one column, or of shape (rows,), are the positive class's probability.
"""
