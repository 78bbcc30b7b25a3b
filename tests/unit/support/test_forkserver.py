"""The constants that tests give other values to are there: who renames one learns it here, and not from a daemon."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.support.forkserver import MODULES

TESTS = Path(__file__).parents[2]
NAMES = sorted(
    {name for path in TESTS.rglob("*.py") for name in re.findall(r'"(mailbot[.\w]+:[A-Za-z_.]+)":', path.read_text())}
)


def test_some_are_found() -> None:
    assert len(NAMES) > 3


@pytest.mark.parametrize("name", NAMES)
def test_each_constant_is_there(name: str) -> None:
    module_name, _, attribute = name.partition(":")
    module = importlib.import_module(module_name)
    function, _, parameter = attribute.rpartition(".")
    if function:
        assert parameter in getattr(module, function).__kwdefaults__
    else:
        assert hasattr(module, attribute)


@pytest.mark.parametrize("name", MODULES)
def test_each_module_that_is_loaded_before_is_there(name: str) -> None:
    importlib.import_module(name)
