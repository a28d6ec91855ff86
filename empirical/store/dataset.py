"""Measurements as one labelled dataset, and back, to the last bit."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray

from bounds.setting import Setting
from bounds.vocabulary import Quantity, Readout, word
from empirical.measurement import Measurement
from empirical.measuring import Request
from empirical.store.identity import key_of, to_json
from empirical.store.seal import sealed, unsealed

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Stored = dict[Request, tuple[Measurement, ...]]

_ENGINE: Literal["h5netcdf"] = "h5netcdf"
_IDENTITY = ("run", "requests", "device", "versions")
_DIMENSIONS = ("replicate", "step", "node")


def variable_name(request: Request) -> str:
    """The variable that holds a request's values, such as ``generalization_error_at_node_average``."""
    return f"{request[0].value}_at_{request[1].value}"


def error_name(request: Request) -> str:
    """The coordinate that holds the subset errors of a stability, such as ``l1_stability_at_node_average_subset_error``."""
    return f"{variable_name(request)}_subset_error"


def build(identity: Mapping[str, Any], measured: Mapping[Request, Sequence[Measurement]]) -> xarray.Dataset:
    """The dataset of one configuration.

    Args:
        identity: see :func:`empirical.store.identity.identity`.
        measured: by request, one measurement per checkpoint, ascending.

    Returns:
        One float64 variable per request with dims (replicate, step), or (replicate, step, node) for the worst node. The
        subset errors of stabilities are coordinates, (replicate, step). The
        attribute ``setting`` describes the first measurement; each variable lists, per step, what ``differs`` from it.
    """
    first = next(iter(measured.values()))
    base = asdict(first[0].setting)
    arrays = {request: np.stack([one.values for one in found], axis=1) for request, found in measured.items()}
    nodes = max((array.shape[2] for array in arrays.values() if array.ndim == 3), default=0)
    coordinates = {"replicate": np.arange(len(first[0].values)), "step": np.array([one.setting.T for one in first], dtype=np.int64)}
    coordinates |= {"node": np.arange(nodes)} if nodes else {}
    variables = {variable_name(request): _variable(request, array, measured[request], base) for request, array in arrays.items()}
    attributes = {name: to_json(identity[name]) for name in _IDENTITY}
    attributes |= {"format": str(identity["format"]), "key": key_of(identity), "setting": to_json(base)}
    errors = {error_name(request): _error_variable(request, found) for request, found in measured.items() if _has_errors(found)}
    dataset = xarray.Dataset(variables, coordinates | errors, attributes)
    return dataset.assign_attrs(checksum=checksum(dataset))


def _variable(request: Request, array: np.ndarray, found: Sequence[Measurement], base: dict[str, Any]) -> xarray.Variable:
    documents = [asdict(one.setting) for one in found]
    differs = [{name: value for name, value in document.items() if value != base[name]} for document in documents]
    quantity, readout = request
    attributes = {
        "quantity": quantity.value,
        "readout": readout.value,
        "long_name": f"{quantity.label}; {readout.label}",
        "differs": to_json(differs),
    }
    # Without this xarray would declare one NaN pattern to be "missing".
    return xarray.Variable(_DIMENSIONS[: array.ndim], array, attributes, encoding={"_FillValue": None})


def _has_errors(found: Sequence[Measurement]) -> bool:
    return all(one.subset_error is not None for one in found)


def _error_variable(request: Request, found: Sequence[Measurement]) -> xarray.Variable:
    array = np.stack([np.asarray(one.subset_error) for one in found], axis=1)
    name = f"standard error against all twins of {request[0].label}; {request[1].label}"
    return xarray.Variable(_DIMENSIONS[:2], array, {"long_name": name}, encoding={"_FillValue": None})


def checksum(dataset: xarray.Dataset) -> str:
    """SHA-256 over every array's name, dims, type and bytes, and over every attribute but the checksum itself."""
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        array = np.ascontiguousarray(variable.values)
        little = array.astype(array.dtype.newbyteorder("<"))
        digest.update(to_json([name, variable.dims, array.shape, little.dtype.str, _text(variable.attrs)]).encode())
        digest.update(little.tobytes())
    digest.update(to_json(_text({name: value for name, value in dataset.attrs.items() if name != "checksum"})).encode())
    return digest.hexdigest()


def _text(attributes: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in attributes.items()}


def encode(dataset: xarray.Dataset) -> bytes:
    """The dataset as a netCDF4 file, followed by the SHA-256 of its bytes, which netCDF readers do not look at.

    It is made in memory, because HDF5 on a full disk neither closes its file nor says so in one line.
    """
    return sealed(bytes(dataset.to_netcdf(engine=_ENGINE)))


def decode(content: bytes, key: str) -> xarray.Dataset:
    """The dataset in a netCDF4 file, after checking that it is whole and that it is the one called ``key``.

    Raises:
        ValueError: saying in words what is wrong with it.
    """
    # Before HDF5 sees a byte: flipped bits can send it into an endless loop, or make it print tracebacks of its own.
    body = unsealed(content)
    dataset = xarray.load_dataset(io.BytesIO(body), engine=_ENGINE)
    _check(dataset, key)
    return dataset


def _check(dataset: xarray.Dataset, key: str) -> None:
    missing = [name for name in (*_IDENTITY, "format", "key", "setting", "checksum") if name not in dataset.attrs]
    if missing:
        raise ValueError(f"it has no attribute {missing[0]!r}")
    if dataset.attrs["checksum"] != checksum(dataset):
        raise ValueError("its checksum does not match its content")
    document = {name: json.loads(dataset.attrs[name]) for name in _IDENTITY} | {"format": int(dataset.attrs["format"])}
    if key_of(document) != key or dataset.attrs["key"] != key:
        raise ValueError(f"it holds the configuration {dataset.attrs['key'][:12]}..., not the one it is named after")
    _check_shape(dataset, document)


def _check_shape(dataset: xarray.Dataset, document: dict[str, Any]) -> None:
    names = {f"{quantity}_at_{readout}" for quantity, readout in document["requests"]}
    if set(dataset.data_vars) != names:
        raise ValueError(f"it holds {sorted(map(str, dataset.data_vars))} instead of {sorted(names)}")
    if dataset.sizes.get("replicate") != document["run"]["replicates"]:
        raise ValueError(f"it holds {dataset.sizes.get('replicate')} replicates instead of {document['run']['replicates']}")
    for name, variable in dataset.data_vars.items():
        if (
            variable.dims not in (_DIMENSIONS[:2], _DIMENSIONS)
            or variable.dtype != np.float64
            or not set(variable.dims) <= set(dataset.coords)
        ):
            raise ValueError(f"{name!r} has dims {variable.dims} of {variable.dtype} instead of float64 (replicate, step[, node])")


@lru_cache(maxsize=1)
def _settings() -> TypeAdapter[Setting]:
    from pydantic import TypeAdapter

    return TypeAdapter(Setting)


def measurements(dataset: xarray.Dataset) -> Stored:
    """What was measured, as :func:`empirical.measure` returned it: by request, one measurement per checkpoint, ascending."""
    base = json.loads(dataset.attrs["setting"])
    found: Stored = {}
    for variable in dataset.data_vars.values():
        request = (word(Quantity, variable.attrs["quantity"]), word(Readout, variable.attrs["readout"]))
        settings = [_settings().validate_python(base | differs) for differs in json.loads(variable.attrs["differs"])]
        columns = [np.ascontiguousarray(variable.values[:, step]) for step in range(len(settings))]
        errors = _errors(dataset, request, len(settings))
        steps = zip(columns, settings, errors, strict=True)
        found[request] = tuple(Measurement(*request, values, setting, error) for values, setting, error in steps)
    return found


def _errors(dataset: xarray.Dataset, request: Request, steps: int) -> list[np.ndarray | None]:
    """A request's subset errors, step by step; files from before there were any hold the same values without them."""
    if error_name(request) not in dataset.coords:
        return [None] * steps
    return [np.ascontiguousarray(column) for column in dataset[error_name(request)].values.T]
