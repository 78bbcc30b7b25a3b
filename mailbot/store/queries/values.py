"""The base of the values that queries return: frozen dataclasses made from rows, by the names of the columns."""

from __future__ import annotations

from typing import Any, Self

from sqlalchemy import ColumnElement, Table

from mailbot.store.tables import AnyRow


class RowValue:
    """A frozen dataclass whose fields are columns of a row."""

    __slots__ = ()

    @classmethod
    def from_row(cls, row: AnyRow) -> Self:
        """Return the value of a row; a field that is no column of it needs a default."""
        found = row._mapping
        return cls(**{name: found[name] for name in _fields(cls) if name in found})

    @classmethod
    def columns(cls, table: Table) -> list[ColumnElement[Any]]:
        """Return the columns of a table that have the name of a field, to be selected."""
        return [table.c[name] for name in _fields(cls) if name in table.c]


def _fields(row_type: type[RowValue]) -> list[str]:
    return list(vars(row_type)["__dataclass_fields__"])
