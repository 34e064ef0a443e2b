"""TensorFlow Serving over REST. A model is an endpoint; `predict.py` answers, `about.py` says what there is."""
