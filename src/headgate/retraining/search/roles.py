"""What part each column plays, and how columns enter each kind of model."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from headgate.contracts.contract import Contract, Kind
from headgate.errors import BadInput

_NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a table by what is made of them."""

    numbers: tuple[str, ...]
    """Columns read as numbers; booleans are 0 and 1."""
    categories: tuple[str, ...]
    """Columns of a few texts that repeat."""
    left_out: dict[str, str]
    """Columns nothing is learned from, and why."""
    gaps: bool
    """Whether a number is missing anywhere."""

    @classmethod
    def of(cls, frame: pd.DataFrame, contract: Contract) -> "Roles":
        """The roles of a frame's columns. Raises BadInput when none of them is of use."""
        numbers, categories, out = [], [], {}
        for field in contract.fields:
            if frame[field.name].nunique(dropna=False) < 2:
                out[field.name] = "it is the same in every row"
            elif field.kind in _NUMBERS:
                numbers.append(field.name)
            elif field.kind is Kind.CATEGORY:
                categories.append(field.name)
            else:
                out[field.name] = _WHY.get(field.kind, f"it is a {field.kind}")
        if not numbers and not categories:
            said = "; ".join(f"{name}: {why}" for name, why in out.items())
            raise BadInput("X", "constant", f"no column can be learned from ({said})")
        return cls(tuple(numbers), tuple(categories), out, bool(frame[numbers].isna().to_numpy().any()))

    def coded(self, *, filled: bool) -> ColumnTransformer:
        """Categories as whole numbers, an unknown or missing one as -1; numbers as they are, or with gaps `filled`."""
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
        numbers: Any = _filler() if filled and self.gaps else "passthrough"
        return _joined(("categories", encoder, self.categories), ("numbers", numbers, self.numbers))

    def scaled(self) -> ColumnTransformer:
        """Numbers with gaps filled, centred and scaled; a column of 0 and 1 for each category."""
        numbers = make_pipeline(*([_filler()] if self.gaps else []), StandardScaler())
        # Categories that came later are unlike all of them: zeros throughout.
        words = OneHotEncoder(handle_unknown="ignore")
        return _joined(("numbers", numbers, self.numbers), ("categories", words, self.categories))


_WHY = {
    Kind.TIMESTAMP: "it is a moment, and later ones will all be unlike those learned from",
    Kind.TEXT: "it is free text, or a text of nearly every row's own",
}


def _filler() -> SimpleImputer:
    """The median in place of what is missing; 0 in a column that has nothing yet, which later rows may have."""
    return SimpleImputer(strategy="median", keep_empty_features=True)


def _joined(*parts: tuple[str, Any, tuple[str, ...]]) -> ColumnTransformer:
    return ColumnTransformer([(name, part, list(fields)) for name, part, fields in parts if fields])
