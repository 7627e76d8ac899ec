"""Bytes of the tensors of an ONNX model: element types, and shapes after binding and inference of dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from .json_text import TOP

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TypeProto, ValueInfoProto

ELEMENT_BITS: Mapping[str, int] = {
    **dict.fromkeys(("FLOAT", "INT32", "UINT32"), 32),
    **dict.fromkeys(("DOUBLE", "INT64", "UINT64", "COMPLEX64"), 64),
    **dict.fromkeys(("FLOAT16", "BFLOAT16", "INT16", "UINT16"), 16),
    **dict.fromkeys(("INT8", "UINT8", "BOOL", "FLOAT8E8M0"), 8),
    **dict.fromkeys(("FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ"), 8),
    **dict.fromkeys(("FLOAT6E2M3", "FLOAT6E3M2"), 6),
    **dict.fromkeys(("INT4", "UINT4", "FLOAT4E2M1"), 4),
    **dict.fromkeys(("INT2", "UINT2"), 2),
    "COMPLEX128": 128,
}
"""Bits of an element by the name of its type in ``TensorProto.DataType``. Strings have no size and are absent."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why the bytes of a tensor are not known: what was found, what is allowed, and the next step."""

    found: str
    allowed: str
    hint: str


class Shapes:
    """The type of every tensor of a model whose dimensions were bound and inferred. ``said``: what was assumed."""

    def __init__(self, graph: GraphProto, said: Sequence[str]) -> None:
        from onnx import TensorProto

        self._types = {value.name: value.type for value in _values(graph)}
        self._name_of_element = TensorProto.DataType.Name
        self.said = tuple(said)

    def size(self, name: str) -> int | Unknown:
        """Bytes of the tensor ``name``, elements packed and rounded up to a whole byte, or why that is not known."""
        described = self._types.get(name)
        kind = described.WhichOneof("value") if described is not None else None
        if described is None or kind is None:
            return _shapeless("an unknown type and shape")
        if kind != "tensor_type":
            what = kind.removesuffix("_type").replace("_", " ")
            return Unknown(f"type {what}", "a tensor", "other types have no fixed size: this model cannot be imported")
        tensor = described.tensor_type
        element = self._name_of_element(tensor.elem_type)
        if element not in ELEMENT_BITS:
            hint = "its elements have no fixed size: this model cannot be imported"
            return Unknown(f"element type {element}", "numbers or booleans", hint)
        if not tensor.HasField("shape"):
            return _shapeless("an unknown shape")
        extents: list[int] = []
        for axis, dimension in enumerate(tensor.shape.dim):
            if dimension.WhichOneof("value") != "dim_value" or dimension.dim_value < 0:
                key = dimension.dim_param or f"{name}:{axis}"
                hint = f"bind it: catalytic import FILE --bind-dimension {key}=N"
                which = f"symbol {dimension.dim_param!r}" if dimension.dim_param else "nothing"
                return Unknown(f"shape {_shape(described)}, with {which} on axis {axis}", "a number on each axis", hint)
            extents.append(dimension.dim_value)
        return -(-prod(extents) * ELEMENT_BITS[element] // 8)


def _shapeless(found: str) -> Unknown:
    hint = "shape inference does not know the operator: state the tensor in graph.value_info (onnx.helper)"
    return Unknown(found, "a tensor whose shape is stated or can be inferred", hint)


def _shape(described: TypeProto) -> str:
    words = [
        str(d.dim_value) if d.WhichOneof("value") == "dim_value" else d.dim_param or "?"
        for d in described.tensor_type.shape.dim
    ]
    return f"[{', '.join(words)}]"


def shapes_of(model: ModelProto, dimensions: Mapping[str, int], origin: str) -> Shapes:
    """Types of all tensors of ``model``, which is changed; ``InputError`` when a binding fits nothing.

    Inference runs again when it found dimensions (of data-dependent outputs, say) that are bound as well.
    """
    weights = {t.name for t in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    batch, unnamed = _batch(inputs, dimensions)
    wanted = {**dict.fromkeys((*batch, *unnamed), 1), **dimensions}
    used = _bind(model.graph, wanted)
    symbols = set(_symbols(model.graph))
    inferred = _inferred(model, origin)
    again = _bind(inferred.graph, wanted)
    if again:
        inferred = _inferred(inferred, origin)
    mistakes = []
    for name, size in dimensions.items():
        if size < 0:
            mistakes.append(Mistake(f"--bind-dimension {name}", str(size), "a number from 0"))
        elif name not in used | again:
            known = sorted(symbols | set(_symbols(inferred.graph)) | used)
            allowed = f"an open dimension: {', '.join(known)}" if known else "nothing: every dimension is a number"
            mistakes.append(Mistake(f"--bind-dimension {name}", repr(name), allowed, did_you_mean(name, known)))
    if mistakes:
        raise InputError(origin, mistakes)
    said = []
    if batch or unnamed:
        said.append(f"the batch counts as 1: {', '.join(sorted((*batch, *unnamed)))} (--bind-dimension changes it)")
    if dimensions:
        said.append("bound: " + ", ".join(f"{name} = {size}" for name, size in sorted(dimensions.items())))
    return Shapes(inferred.graph, said)


def _values(graph: GraphProto) -> Iterator[ValueInfoProto]:
    yield from graph.input
    yield from graph.value_info
    yield from graph.output


def _batch(inputs: Sequence[ValueInfoProto], dimensions: Mapping[str, int]) -> tuple[set[str], set[str]]:
    """Symbols, and ``tensor:0`` names, of first axes of inputs that nobody bound and that are no other axis's."""
    first: set[str] = set()
    other: set[str] = set()
    unnamed: set[str] = set()
    for value in inputs:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            name = f"{value.name}:{axis}"
            if dimension.WhichOneof("value") == "dim_value" and dimension.dim_value >= 0:
                continue
            if dimension.dim_param:
                (other if axis else first).add(dimension.dim_param)
            elif axis == 0 and name not in dimensions:
                unnamed.add(name)
    return first - other - dimensions.keys(), unnamed


def _bind(graph: GraphProto, dimensions: Mapping[str, int]) -> set[str]:
    """Replace open dimensions of ``graph`` by their numbers; returns the names that were used."""
    used = set()
    for value in _values(graph):
        if value.type.WhichOneof("value") != "tensor_type":
            continue
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.WhichOneof("value") == "dim_value" and dimension.dim_value >= 0:
                continue
            for name in (f"{value.name}:{axis}", dimension.dim_param):
                if name and name in dimensions:
                    used.add(name)
                    dimension.dim_value = dimensions[name]
                    break
    return used


def _symbols(graph: GraphProto) -> Iterator[str]:
    for value in _values(graph):
        if value.type.WhichOneof("value") == "tensor_type":
            yield from (d.dim_param for d in value.type.tensor_type.shape.dim if d.dim_param)


def _inferred(model: ModelProto, origin: str) -> ModelProto:
    """``model`` with the types of all tensors that inference can tell; what it cannot stays open."""
    import onnx

    try:
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        found = f"a graph whose shapes contradict each other ({str(error).splitlines()[0][:200]})"
        hint = "onnx.checker.check_model says more"
        raise InputError(origin, [Mistake(TOP, found, "shapes that fit", hint)]) from None
