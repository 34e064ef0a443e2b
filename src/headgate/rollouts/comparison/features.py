"""The public features of the inputs compared, as far as the journal kept them. `slices` and `examples` ask."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Field, Sensitivity
from headgate.journal.tables import FEATURES
from headgate.monitors.columns import Ints, text, texts


def public_features(features: pa.Table | None, fields: Iterable[Field], ids: NDArray[Any]) -> tuple[Ints, pa.Table]:
    """Which of the inputs `ids` have features, and those of `fields` that anybody may read, a column each.

    `features` is what ``journal.reader.Reader.features`` gives. It has public ones alone; the contract is asked again,
    since a field may have become personal after its values were kept.
    """
    if features is None or not len(features):
        return np.zeros(0, np.int64), pa.table({})
    found = pc.index_in(texts(ids.tolist()), value_set=text(features["input_id"]).combine_chunks())
    places = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
    rows = features[FEATURES].take(found.drop_null())
    columns = {}
    for each in fields:
        member = rows.type.get_field_index(each.name)
        if member >= 0 and each.sensitivity is Sensitivity.PUBLIC:
            columns[each.name] = pc.struct_field(rows, [member])
    return places, pa.table(columns)
