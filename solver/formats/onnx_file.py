"""ONNX models as problems: a node is a task, an activation tensor is a buffer.

What is counted is what an inference allocates between its inputs and its outputs:

- *Weights* are not counted: initializers, and all that is computed from initializers and constants alone. Nodes that
  compute nothing else are folded away, as a runtime does once before the first inference.
- *Inputs* of the graph are external inputs, *outputs* of the graph final outputs. Nodes and tensors that no output
  needs are left out: optional outputs that nobody reads are not produced.
- Every other tensor is a buffer. Its bytes follow from element type and shape, which ONNX's own shape inference
  completes; elements of less than a byte are packed. A tensor may be read again in any order, so ``Reshape`` and its
  like are counted as copies, although some runtimes return views.
- The bodies of ``If``, ``Loop`` and ``Scan`` belong to their node: the outer tensors they use are inputs of the node,
  the tensors inside are not counted.

A dimension may be a symbol (``batch``) or unknown. It is bound by name, or by tensor and axis (``tokens:1``). The first
axis of the graph's inputs is the batch by convention: unless bound, it counts as 1, provided that its symbol stands on
no other axis of an input. Any other dimension that no rule determines is a mistake, told at the first tensor that
suffers from it: a size that is guessed would make every bound a guess.

Files state no durations. A task lasts 1 ms per megabyte (10^6 bytes) of buffers it reads and writes: the time of
memory-bound work at 1 GB/s. That orders tasks sensibly; multiply it with ``--scale-time``, or replace it by what a
run measured.

The alignment is 64 bytes, to which runtimes align tensors (a cache line, and the widest vector registers).

Source: the ONNX intermediate representation, onnx.ai/onnx/repo-docs/IR.html; protobuf's wire format for detection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, Mistake
from ..problem import Buffer, Policy, Task, Workspace
from ..problem.validate import did_you_mean
from ..units import MAX_BYTES
from .foreign import (
    DEFAULT_WORKERS,
    Imported,
    imported_graph,
    refuse_scales,
    said_of_scales,
    scaled_size,
    scaled_ticks,
)
from .json_text import TOP, read_bytes
from .onnx_shapes import Shapes, shapes_of
from .reading import refuse, unpacked

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

TENSOR_ALIGNMENT = 64

_VERSION, _GRAPH = 1, 7
_WIRE_TYPES = {_VERSION: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, _GRAPH: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Field number of ``ModelProto`` in onnx.proto -> how protobuf writes it: 0 a number, 2 a length and bytes."""


_LARGEST = 2**31 - 1
"""Bytes of the largest protobuf message; larger models keep their weights in files of their own."""


def is_onnx(data: bytes) -> bool:
    """Whether ``data`` begins like a serialised ``ModelProto``; needs no package, so that its lack can be told.

    Walks the top-level fields up to the graph, whose content is not looked at: a file that was cut off in it is still
    an ONNX file, and a damaged one.
    """
    position, versioned = 0, False
    while position < len(data):
        tag, position = _varint(data, position)
        field, wire = tag >> 3, tag & 7
        if _WIRE_TYPES.get(field) != wire:
            return False
        value, position = _varint(data, position)
        if field == _GRAPH:
            return versioned
        versioned |= field == _VERSION
        position += value if wire == 2 else 0
    return False


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at ``position`` in protobuf's base-128 form, and the position behind it."""
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            break
    return value, position


def import_onnx(
    path: Path,
    *,
    scale_sizes: float = 1.0,
    scale_time: float = 1.0,
    workspace: Workspace | None = None,
    policy: Policy | None = None,
    workers: int = DEFAULT_WORKERS,
    alignment: int = TENSOR_ALIGNMENT,
    dimensions: Mapping[str, int] | Sequence[tuple[str, int]] = (),
) -> Imported:
    """The ONNX model in ``path`` (also compressed with gzip) as a problem.

    ``dimensions``: sizes of symbolic dimensions by symbol, or of any by ``tensor:axis``. Sizes are multiplied by
    ``scale_sizes``, durations by ``scale_time``; both are rounded up. Without ``workspace`` it is one shared partition
    that holds all buffers side by side, each at a multiple of ``alignment`` bytes. Raises ``InputError`` with the
    mistakes of the file, or when the package ``onnx`` is not installed.
    """
    origin = str(path)
    refuse_scales(scale_sizes, scale_time)
    model = _model(unpacked(read_bytes(path), origin), origin)
    graph = Activations(model.graph)
    refuse(origin, list(graph.mistakes()))
    shapes = shapes_of(model, dict(dimensions), origin)
    sizes = graph.sizes(shapes, origin)

    tasks = {
        graph.place(index): Task(
            id=graph.names[index],
            duration=scaled_ticks(Decimal(sum(sizes[b] for b in (*inputs, *outputs))) / 10**6, scale_time),
            inputs=inputs,
            outputs=outputs,
        )
        for index in graph.kept
        for inputs, outputs in [(graph.inputs(index), graph.outputs(index))]
    }
    buffers = {
        f"tensor {name!r}": Buffer(
            name, scaled_size(size, scale_sizes), export="" if graph.is_read_result(name) else None
        )
        for name, size in sizes.items()
    }
    return imported_graph(
        origin,
        path.name.removesuffix(".gz").removesuffix(".onnx"),
        tasks,
        buffers,
        alignment=alignment,
        workspace=workspace,
        policy=policy,
        workers=workers,
        assumptions=[*graph.said(), *shapes.said, *said_of_scales(scale_sizes, scale_time)],
    )


def _model(data: bytes, origin: str) -> ModelProto:
    """The model in ``data``; ``InputError`` when it is damaged, empty, or ``onnx`` is missing."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        hint = "install it: pip install 'catalytic[onnx]'"
        found = "an ONNX model, and no package 'onnx' to read it"
        raise InputError(origin, [Mistake(TOP, found, "an installed package 'onnx'", hint)]) from None
    if len(data) > _LARGEST:
        hint = "save it with onnx.save(..., save_as_external_data=True): weights are not read"
        raise InputError(origin, [Mistake(TOP, f"a model of {len(data)} bytes", f"at most {_LARGEST}", hint)])
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        hint = "the file seems to be truncated"
        raise InputError(origin, [Mistake(TOP, "a damaged ONNX model", "a whole one", hint)]) from None
    if not model.graph.node:
        raise InputError(origin, [Mistake("graph.node", "no nodes", "at least one")])
    refuse(origin, [*_undecodable(model.graph)])
    return model


def _undecodable(graph: GraphProto) -> Iterator[Mistake]:
    """Names that are no text: protobuf hands them over as bytes."""
    for index, node in enumerate(graph.node):
        for key, names in (("name", [node.name]), ("input", node.input), ("output", node.output)):
            if not all(isinstance(name, str) for name in names):
                yield Mistake(f"graph.node[{index}].{key}", "bytes that are no text", "UTF-8 text")
    for section in ("input", "output", "initializer", "value_info"):
        for index, value in enumerate(getattr(graph, section)):
            if not isinstance(value.name, str):
                yield Mistake(f"graph.{section}[{index}].name", "bytes that are no text", "UTF-8 text")


class Activations:
    """What of a graph an inference computes: the nodes that are neither weights nor unused, and their tensors.

    Public attributes hold indices of nodes in the file and names of tensors, in the order of the file. A name may be
    given once only, so names identify tensors (static single assignment, a rule of ONNX).
    """

    def __init__(self, graph: GraphProto) -> None:
        self._nodes: list[NodeProto] = list(graph.node)
        self._reads = [tuple(dict.fromkeys(_reads(node))) for node in self._nodes]
        self.results = frozenset(value.name for value in graph.output)
        weights = {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
        self._given = [v.name for v in graph.input if v.name not in weights]
        self._returned = [value.name for value in graph.output]
        self._initializers = frozenset(weights)

        folded = []
        for index, node in enumerate(self._nodes):
            if weights.issuperset(self._reads[index]):
                weights.update(node.output)
                folded.append(index)
        self._folded = frozenset(folded)
        self._weights = frozenset(weights)

        needed = set(self.results)
        kept = []
        for index in reversed(range(len(self._nodes))):
            if index not in self._folded and needed.intersection(filter(None, self._nodes[index].output)):
                needed.update(self._reads[index])
                kept.append(index)
        self.kept = tuple(reversed(kept))
        self.read = frozenset(name for index in kept for name in self.inputs(index))
        self.names = _unique_names(self._nodes)

    def inputs(self, index: int) -> tuple[str, ...]:
        """Tensors that node ``index`` reads, without weights."""
        return tuple(name for name in self._reads[index] if name not in self._weights)

    def outputs(self, index: int) -> tuple[str, ...]:
        """Tensors that node ``index`` writes and somebody reads, or the graph returns."""
        return tuple(name for name in self._nodes[index].output if name in self.read or (name and name in self.results))

    def is_read_result(self, name: str) -> bool:
        """Whether the graph returns a tensor that a node writes and another reads: its copy must be asked for."""
        return name in self.results and name in self.read and name not in self._given

    def place(self, index: int) -> str:
        """Where node ``index`` stands, in messages: ``graph.node[3] (Conv)``."""
        return f"graph.node[{index}] ({self._nodes[index].op_type})"

    def mistakes(self) -> Iterator[Mistake]:
        """Tensors that are read before they are written, or not at all; that are written twice; and an idle graph."""
        written = {name: i for i, node in enumerate(self._nodes) for name in node.output if name}
        undefined = False
        known = dict.fromkeys((*self._given, *self._initializers), "an input of the graph or an initializer")
        for index, node in enumerate(self._nodes):
            for name in self._reads[index]:
                if name in written and name not in known:
                    allowed = f"nodes in topological order: {self.place(written[name])} writes it later"
                    yield Mistake(f"{self.place(index)}.input", repr(name), allowed)
                elif name not in known:
                    hint = did_you_mean(name, [*known, *written])
                    yield Mistake(f"{self.place(index)}.input", repr(name), "a tensor of the graph", hint)
            for name in filter(None, node.output):
                if name in known:
                    yield Mistake(f"{self.place(index)}.output", repr(name), f"a new name: {known[name]} has it")
                known[name] = self.place(index)
        for i, name in enumerate(self._returned):
            if name not in known:
                undefined = True
                yield Mistake(f"graph.output[{i}]", repr(name), "a tensor of the graph", did_you_mean(name, known))
        if not self._returned:
            yield Mistake("graph.output", "no outputs", "at least one: what no output needs is not computed")
        elif not self.kept and not undefined:
            yield Mistake(
                "graph.node", "only weights", "at least one node that an output needs and that reads an input"
            )

    def sizes(self, shapes: Shapes, origin: str) -> dict[str, int]:
        """Bytes of each tensor that is a buffer; ``InputError`` with every tensor that is the first of unknown size.

        What follows from an unknown size is unknown too and not worth a line: a tensor is told when the sizes of all
        that its node reads are known.
        """
        sizes: dict[str, int] = {}
        mistakes = []
        for i, name in enumerate(self._given):
            if name in self.read:
                mistakes += self._size(shapes, name, f"graph.input[{i}]", sizes)
        for index in self.kept:
            suffers = any(name not in sizes for name in self.inputs(index))
            for name in self.outputs(index):
                found = self._size(shapes, name, f"{self.place(index)}.output", sizes)
                mistakes += [] if suffers else found
        refuse(origin, mistakes)
        return sizes

    def _size(self, shapes: Shapes, name: str, place: str, sizes: dict[str, int]) -> list[Mistake]:
        """Put the bytes of a tensor into ``sizes``, or return why they are not known."""
        size = shapes.size(name)
        if isinstance(size, int) and size <= MAX_BYTES:
            sizes[name] = size
            return []
        if isinstance(size, int):
            return [Mistake(place, f"{name!r} of {size} bytes", f"at most {MAX_BYTES}")]
        return [Mistake(place, f"{name!r} of {size.found}", size.allowed, size.hint)]

    def said(self) -> Iterable[str]:
        """What was assumed of nodes and tensors."""
        yield (
            f"weights are not counted: {len(self._initializers)} initializers, and the results of {len(self._folded)} "
            "nodes that depend on nothing else"
        )
        unused = len(self._nodes) - len(self._folded) - len(self.kept)
        if unused:
            yield f"nodes that no output needs ({unused}) are left out"
        optional = sum(bool(name) for i in self.kept for name in self._nodes[i].output) - sum(
            len(self.outputs(i)) for i in self.kept
        )
        if optional:
            yield f"outputs of nodes that nobody reads ({optional}) are not produced"
        idle = [name for name in self._returned if name in self._weights or name in self._given]
        if idle:
            yield f"outputs of the graph that need no task are left out: {', '.join(idle)}"
        bodies = sum(any(True for _ in _bodies(self._nodes[i])) for i in self.kept)
        if bodies:
            yield f"tensors inside the bodies of {bodies} control-flow nodes are not counted"
        yield "every node writes new bytes: Reshape and its like are counted as copies"
        yield "the file states no durations: a task lasts 1 ms per MB it reads and writes, at least 1 ms"


def _reads(node: NodeProto) -> Iterator[str]:
    """Tensors that a node reads: its inputs, and what its bodies use and do not define."""
    yield from filter(None, node.input)
    for body in _bodies(node):
        yield from _captured(body)


def _bodies(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _captured(body: GraphProto) -> Iterator[str]:
    """Tensors that a body uses and the graphs around it define."""
    own = {value.name for value in body.input} | {t.name for t in body.initializer}
    own |= {t.values.name for t in body.sparse_initializer} | {name for node in body.node for name in node.output}
    used = (*(name for node in body.node for name in _reads(node)), *(value.name for value in body.output))
    yield from (name for name in used if name not in own)


def _unique_names(nodes: Iterable[NodeProto]) -> list[str]:
    """An id for each node: its name, or operator and index where it has none or the name was given before."""
    taken: set[str] = set()
    names = []
    for index, node in enumerate(nodes):
        name = node.name if node.name and node.name not in taken else f"{node.name or node.op_type}_{index}"
        while name in taken:
            name += "'"
        taken.add(name)
        names.append(name)
    return names
