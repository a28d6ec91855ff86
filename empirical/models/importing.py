"""A user's model, imported from the user's own file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from bounds.errors import DomainError, InputFileError, unknown_name
from empirical.models.losses import LOSSES
from empirical.models.seeding import seeded


class ModelTable(BaseModel):
    """``[model]``: ``module = "package.file:Class"``, its keyword arguments, the folder to import from, and the loss."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    module: str = Field(description='a class or a function of yours that returns a module: module = "my_models:Net"')
    arguments: dict[str, Any] = Field(default_factory=dict)
    path: str = "."
    loss: str = "cross_entropy"


def imported(module: str, arguments: Mapping[str, Any], folder: Path, seed: int = 0) -> nn.Module:
    """The module that ``package.file:name``, found from ``folder``, makes with ``arguments``, its weights drawn from ``seed``.

    Raises:
        InputFileError: when it cannot be imported or called.
        DomainError: when what it returns is no module.
    """
    name, colon, attribute = module.partition(":")
    if not colon:
        raise InputFileError(f"model.module is {module!r}; write 'package.file:Class'")
    sys.path.insert(0, str(folder.resolve()))
    try:
        factory = getattr(importlib.import_module(name), attribute)
        model = seeded(lambda: factory(**arguments), seed)
    except (ImportError, AttributeError, TypeError) as error:
        raise InputFileError(f"cannot build model.module {module!r} ({error}); check the name, model.path and model.arguments") from None
    finally:
        sys.path.pop(0)
    if not isinstance(model, nn.Module):
        raise DomainError(f"model.module {module!r} gave a {type(model).__name__}; it must be, or return, a torch.nn.Module")
    return model


def check_loss(name: str) -> None:
    """Raise UnknownNameError unless ``name`` is one of :data:`empirical.models.losses.LOSSES`."""
    if name not in LOSSES:
        raise unknown_name("model.loss", name, LOSSES)
