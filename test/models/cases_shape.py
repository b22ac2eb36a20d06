"""Operators that move, join and split, and shapes that a model computes."""

import numpy as np
from onnx import numpy_helper

from net import Const, Net, ints, random, refused, single


def pads():
    x = random(2, 3, 5, 6)
    full = ints(0, 0, 1, 2, 0, 0, 3, 1)
    for mode in ("constant", "reflect", "edge", "wrap"):
        opset = 19 if mode == "wrap" else 18
        yield single(f"Pad {opset} {mode}", "Pad", x, Const(full), opset=opset, mode=mode)
        yield single(f"Pad {opset} {mode} axes", "Pad", x, Const(ints(2, 1, 1, 0)), None, Const(ints(-1, 1)), opset=opset, mode=mode)
    yield single("Pad 18 constant value", "Pad", x, Const(full), Const(np.float32(-2.5)), opset=18)
    yield single("Pad 13 negative", "Pad", x, Const(ints(0, 0, -1, 2, 0, 0, 1, -2)), opset=13)
    yield single("Pad 18 negative edge", "Pad", x, Const(ints(0, 0, -1, 2, 0, 0, 1, -2)), opset=18, mode="edge")
    yield single("Pad 18 batch and channels", "Pad", x, Const(ints(1, 2, 0, 0, 0, 1, 0, 0)), opset=18)
    yield single("Pad 7 attributes", "Pad", x, opset=7, pads=[0, 0, 1, 2, 0, 0, 3, 1], value=1.5)
    yield single("Pad 13 rank 1", "Pad", random(5), Const(ints(2, 3)), opset=13, mode="reflect")
    yield single("Pad 13 i64", "Pad", ints(1, 2, 3), Const(ints(2, 3)), Const(np.int64(-7)), opset=13)
    yield refused(single("Pad pads depend on the input", "Pad", x, full, opset=18), "must be known at conversion")


def splits():
    x = random(7, 6)
    yield single("Split 18 num_outputs even", "Split", random(6, 4), opset=18, outputs=3, num_outputs=3)
    yield single("Split 18 num_outputs uneven", "Split", x, opset=18, outputs=3, num_outputs=3)
    yield single("Split 18 num_outputs uneven axis -2", "Split", random(2, 7, 3), opset=18, outputs=4, num_outputs=4, axis=-2)
    yield single("Split 18 sizes", "Split", x, Const(ints(1, 4, 2)), opset=18, outputs=3)
    yield single("Split 13 axis 1", "Split", x, Const(ints(1, 5)), opset=13, outputs=2, axis=1)
    yield single("Split 13 equal", "Split", x, opset=13, outputs=2, axis=1)
    yield single("Split 11 attribute", "Split", x, opset=11, outputs=2, axis=-1, split=[2, 4])
    for axis in (0, 1, 2, -1):
        shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
        for i, shape in enumerate(shapes):
            shape[axis] = i + 1
        yield single(f"Concat axis {axis}", "Concat", *(random(*s, seed=i) for i, s in enumerate(shapes)), opset=13, axis=axis)
    yield single("Concat with a constant", "Concat", random(2, 3), Const(random(2, 1)), opset=13, axis=1)


def slices():
    x = random(5, 6, 7)
    for name, starts, ends, axes, steps in (
        ("plain", [1, 0, 2], [3, 6, 7], None, None), ("negative ends", [-3, 0, 0], [-1, 100, 5], None, None),
        ("step 2", [0, 1], [5, 6], [0, 1], [2, 3]), ("step -1", [4], [-100], [0], [-1]), ("step -2", [-1, 5], [0, -1000], [2, 1], [-2, -1]),
        ("step -3 from far", [1000], [0], [1], [-3]), ("one element", [2], [3], [-1], [1])):
        extra = ([] if axes is None else [Const(ints(*axes))]) + ([] if steps is None else [Const(ints(*steps))])
        yield single(f"Slice 13 {name}", "Slice", x, Const(ints(*starts)), Const(ints(*ends)), *extra, opset=13)
    yield single("Slice 13 int32 indices", "Slice", x, Const(np.array([1], np.int32)), Const(np.array([4], np.int32)), opset=13)
    yield single("Slice 9 attributes", "Slice", x, opset=9, starts=[1, -3], ends=[4, -1], axes=[0, 2])
    yield single("Slice 13 images step -1", "Slice", random(1, 3, 5, 6), Const(ints(-1, -1)), Const(ints(-1000, -1000)), Const(ints(2, 3)),
                 Const(ints(-1, -1)), opset=13)


def transposes():
    for perm in ([1, 0], [2, 0, 1], [0, 2, 1], [0, 2, 3, 1], [0, 3, 1, 2], [3, 1, 0, 2], [1, 0, 2, 3], [4, 0, 2, 1, 3], [0, 1, 4, 3, 2],
                 [5, 4, 3, 2, 1, 0], [1, 0, 3, 2, 5, 4], [0, 2, 1, 4, 3, 5]):
        x = random(*[2, 3, 4, 5, 2, 3][:len(perm)])
        yield single(f"Transpose {perm}", "Transpose", x, opset=13, perm=perm)
    yield single("Transpose default", "Transpose", random(2, 3, 4), opset=13)
    yield single("Transpose i64", "Transpose", np.arange(6).reshape(2, 3), opset=13)
    for mode in ("DCR", "CRD"):
        yield single(f"DepthToSpace {mode}", "DepthToSpace", random(2, 12, 3, 4), opset=13, mode=mode, blocksize=2)
    yield single("DepthToSpace 3", "DepthToSpace", random(1, 18, 2, 3), opset=11, blocksize=3)
    yield single("SpaceToDepth", "SpaceToDepth", random(2, 3, 4, 6), opset=13, blocksize=2)


def gathers():
    x = random(4, 5, 6)
    for axis in (0, 1, 2, -1, -3):
        yield single(f"Gather axis {axis}", "Gather", x, Const(ints(0, -1, 2)), opset=13, axis=axis)
        yield single(f"Gather axis {axis} indices are inputs", "Gather", x, ints(0, 3, 2), opset=13, axis=axis)
    yield single("Gather negative indices as input", "Gather", x, ints(-1, -4, 2), opset=13)
    yield single("Gather scalar index", "Gather", x, Const(np.int64(-2)), opset=13, axis=1)
    yield single("Gather matrix of indices", "Gather", x, Const(np.array([[0, 1], [-1, 2]], np.int32)), opset=13, axis=2)
    yield single("Gather rows of a constant", "Gather", Const(random(9, 4)), np.array([[1, 8, 0]], np.int64), opset=13)


def reshapes():
    x = random(2, 3, 4, 5)
    for name, shape, allow in (("-1", [-1, 5], 0), ("0", [0, -1], 0), ("0 0 -1", [0, 0, -1], 0), ("rank 1", [120], 0), ("rank 6", [2, 3, 2, 2, 5, 1], 0),
                               ("allowzero", [6, 20], 1)):
        attributes = {"allowzero": 1} if allow else {}
        yield single(f"Reshape {name}", "Reshape", x, Const(ints(*shape)), opset=14, **attributes)
    yield single("Reshape between convolution layouts", "Reshape", random(1, 6, 4, 4), Const(ints(1, 2, 3, 16)), opset=9)
    for axis in (0, 1, 2, 4, -1):
        yield single(f"Flatten axis {axis}", "Flatten", x, opset=13, axis=axis)
    thin = random(1, 3, 1, 5)
    yield single("Squeeze 13 axes", "Squeeze", thin, Const(ints(0, -2)), opset=13)
    yield single("Squeeze 13 all", "Squeeze", thin, opset=13)
    yield single("Squeeze 11", "Squeeze", thin, opset=11, axes=[2])
    yield single("Unsqueeze 13", "Unsqueeze", random(3, 5), Const(ints(0, -1)), opset=13)
    yield single("Unsqueeze 11", "Unsqueeze", random(3, 5), opset=11, axes=[1, 3])
    yield single("Expand", "Expand", random(3, 1), Const(ints(2, 3, 6)), opset=13)
    yield single("Expand smaller", "Expand", random(3, 4), Const(ints(1, 1)), opset=13)
    yield single("Tile", "Tile", random(2, 3, 4), Const(ints(2, 1, 3)), opset=13)
    yield single("Tile 6", "Tile", random(2, 3), Const(ints(1, 4)), opset=7)


def computed_shapes():
    net = Net("Shape, Gather, Unsqueeze, Concat, Reshape")
    x = net.input(random(2, 3, 4, 5))
    batch = net.node("Unsqueeze", net.node("Gather", net.node("Shape", x), np.int64(0)), ints(0))
    yield net.output(net.node("Reshape", x, net.node("Concat", batch, ints(-1), axis=0)))
    net = Net("Shape with start and end, Slice, Mul, Reshape")
    x = net.input(random(2, 3, 4, 5))
    image = net.node("Shape", x, start=2, end=4)
    product = net.node("ReduceProd", image, keepdims=1)
    yield net.output(net.node("Reshape", x, net.node("Concat", net.node("Shape", x, end=2), product, axis=0)))
    net = Net("ConstantOfShape of Shape, Add")
    x = net.input(random(2, 3, 4))
    yield net.output(net.node("Add", x, net.node("ConstantOfShape", net.node("Shape", x), value=numpy_helper.from_array(np.array([1.5], np.float32)))))
    net = Net("ConstantOfShape, Mul, Where, Expand as PyTorch exports it")
    x = net.input(random(1, 3, 1))
    target = net.constant(ints(-1, -1, 4))
    ones = net.node("ConstantOfShape", net.node("Shape", target), value=numpy_helper.from_array(ints(1)))
    minus = net.node("Mul", ones, np.array(-1, np.int64))
    yield net.output(net.node("Expand", x, net.node("Where", net.node("Equal", target, minus), ones, target)))
    net = Net("Range of Shape, Cast, Add", 13)
    x = net.input(random(2, 6))
    length = net.node("Gather", net.node("Shape", x), np.int64(1))
    positions = net.node("Range", np.int64(0), length, np.int64(1))
    yield net.output(net.node("Add", x, net.node("Cast", positions, to=1)))
    net = Net("Size, Div, Floor, Cast, Reshape", 13)
    x = net.input(random(2, 3, 4))
    half = net.node("Cast", net.node("Floor", net.node("Div", net.node("Cast", net.node("Size", x), to=1), np.float32(2))), to=7)
    shape = net.node("Concat", ints(2), net.node("Unsqueeze", half, ints(0)), axis=0)
    yield net.output(net.node("Reshape", x, shape))



def cases():
    for family in (pads, splits, slices, transposes, gathers, reshapes, computed_shapes):
        yield from family()
