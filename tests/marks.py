"""Which values of a parametrized test wait for ``make slow``: they show the same once more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def slower(values: Iterable[Any]) -> list[Any]:
    """Each of `values`, of a test with one parameter, for ``make slow`` alone."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def first_of(values: Iterable[Any]) -> list[Any]:
    """All of `values`; those after the first are for ``make slow`` alone."""
    first, *others = values
    return [first, *slower(others)]
