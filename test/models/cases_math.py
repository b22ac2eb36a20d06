"""Element-wise operators, reductions, normalisations."""

import itertools

import numpy as np

from net import Const, Net, ints, random, refused, single


def activations():
    x = random(2, 3, 5, 7, scale=4)
    x.flat[:6] = [0.0, -0.0, 100.0, -100.0, 3.0, -3.0]
    for approximate in ("none", "tanh"):
        for opset in (20, 21):
            yield single(f"Gelu {approximate} opset {opset}", "Gelu", x, opset=opset, approximate=approximate)
    yield single("Mish", "Mish", x, opset=18)
    yield single("HardSwish", "HardSwish", x, opset=14)
    yield single("HardSigmoid", "HardSigmoid", x, opset=7, alpha=1 / 6, beta=0.5)
    for op, attributes in (("LeakyRelu", {"alpha": 0.1}), ("Elu", {"alpha": 0.5}), ("Selu", {}), ("Celu", {"alpha": 2.0}),
                           ("ThresholdedRelu", {"alpha": 0.3}), ("Softplus", {}), ("Softsign", {}), ("Sigmoid", {}), ("Tanh", {}),
                           ("Erf", {}), ("Exp", {}), ("Abs", {}), ("Neg", {}), ("Floor", {}), ("Ceil", {}), ("Round", {}), ("Sign", {}),
                           ("Relu", {})):
        yield single(op, op, x, opset=14, **attributes)
    for op in ("Sqrt", "Log", "Reciprocal"):
        yield single(op, op, np.abs(x) + 0.01, opset=13)
    slopes = {"scalar": (1, ), "channel": (3, 1, 1), "channel [1,C,1,1]": (1, 3, 1, 1), "row": (7, ), "full": (2, 3, 5, 7), "plane": (5, 7)}
    for name, shape in slopes.items():
        yield single(f"PRelu {name}", "PRelu", x, Const(random(*shape)), opset=16)
    yield single("PRelu slope is an input", "PRelu", x, random(3, 1, 1), opset=9)
    low, high = np.float32(-1.5), np.float32(2)
    yield single("Clip attributes", "Clip", x, opset=7, min=-1.5, max=2.0)
    yield single("Clip constants", "Clip", x, Const(low), Const(high), opset=13)
    yield single("Clip lower only", "Clip", x, Const(low), opset=12)
    yield single("Clip upper only", "Clip", x, None, Const(high), opset=11)
    yield single("Clip without bounds", "Clip", x, opset=13)
    yield single("Clip bounds are inputs", "Clip", x, np.array(low), np.array(high), opset=13)
    yield single("Clip min over max", "Clip", x, Const(high), Const(low), opset=13)
    for dtype in (np.int32, np.int64):
        values = (x * 10).astype(dtype)
        yield single(f"Clip {dtype.__name__}", "Clip", values, Const(dtype(-7)), Const(dtype(20)), opset=12)
    net = Net("Clip bounds from a Constant node")
    low_name = net.node("Constant", value_float=-0.5)
    yield net.output(net.node("Clip", net.input(x), low_name))


def binaries():
    pairs = [((2, 3, 4, 5), (2, 3, 4, 5)), ((2, 3, 4, 5), (5, )), ((2, 3, 4, 5), (3, 1, 1)), ((2, 3, 4, 5), ()),
             ((3, 1, 5), (2, 1, 4, 1)), ((1, 3, 4, 5), (2, 1, 1, 5)), ((4, 1), (1, 6)), ((2, 2, 2, 2, 2, 3), (2, 1, 3))]
    for op in ("Add", "Sub", "Mul", "Div"):
        for a, b in pairs:
            x, y = random(*a), random(*b, seed=9)
            yield single(f"{op} {a} {b}", op, x, np.where(np.abs(y) < 0.1, 1, y).astype(np.float32), opset=14)
        yield single(f"{op} constant", op, random(2, 3, 4), Const(np.array([[0.5], [2], [-3]], np.float32)), opset=7)
        yield single(f"{op} constant on the left", op, Const(np.array([[0.5], [2], [-3]], np.float32)), random(2, 3, 4) + 5, opset=7)
        values = np.arange(-12, 12).reshape(4, 6)
        for dtype in (np.int32, np.int64):
            yield single(f"{op} {dtype.__name__}", op, values.astype(dtype), np.array([1, -2, 3, 5, 7, -4], dtype), opset=14)
    a, b = random(3, 4, 5).round(), random(4, 1).round()
    for op in ("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"):
        yield single(f"{op} f32", op, a, b, opset=16)
        yield single(f"{op} i64", op, a.astype(np.int64), b.astype(np.int64), opset=16)
        yield single(f"{op} i32", op, a.astype(np.int32), b.astype(np.int32), opset=16)
    for op in ("And", "Or", "Xor"):
        yield single(op, op, a > 0, b > 0, opset=13)
    yield single("Not", "Not", a > 0, opset=13)
    for op in ("Min", "Max", "Sum", "Mean"):
        yield single(f"{op} of 3", op, random(3, 4), random(4, seed=3), random(3, 1, seed=4), opset=13)
        yield single(f"{op} of 1", op, random(3, 4), opset=13)
    base = np.abs(random(3, 4)) + 0.5
    for name, exponent in (("f32", np.float32(2.5)), ("i64 3", np.int64(3)), ("i32 -2", np.int32(-2)), ("f32 2", np.float32(2)),
                           ("f32 0.5", np.float32(0.5)), ("row", random(4))):
        yield single(f"Pow {name}", "Pow", base, Const(np.asarray(exponent)), opset=15)
    yield single("Pow of negative base, integer exponent", "Pow", random(3, 4, scale=2), Const(np.array(3, np.int64)), opset=13)
    yield single("Pow of negative base, f32 2", "Pow", random(3, 4, scale=2), Const(np.float32(2)), opset=13)
    yield single("Pow exponent is an input", "Pow", base, np.arange(-2, 2, dtype=np.int64), opset=13)
    yield refused(single("Pow of integers", "Pow", np.arange(4, dtype=np.int32), Const(np.int32(2)), opset=13), "pow does not take i32")
    yield single("Mod i32", "Mod", np.arange(-6, 6, dtype=np.int32), Const(np.int32(4)), opset=13)
    yield single("Mod f32", "Mod", random(12, scale=9), Const(np.float32(2.5)), opset=13, fmod=1)
    condition = random(2, 3, 4, 5) > 0
    yield single("Where", "Where", condition, random(2, 3, 4, 5), random(5, seed=8), opset=16)
    yield single("Where condition broadcast", "Where", condition[:1, :, :1, :1].copy(), random(2, 3, 4, 5), Const(np.float32(-1)), opset=9)
    yield single("Where i64", "Where", condition, np.int64(3) + np.zeros((1, ), np.int64), Const(ints(1, 2, 3, 4, 5)), opset=16)
    for to in (1, 6, 7, 9, 3, 2):
        yield single(f"Cast f32 to {to}", "Cast", np.abs(random(3, 4, scale=20)).round(), opset=13, to=to)


def reductions():
    ops = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
           "ReduceSumSquare")
    x = random(2, 3, 4, 5)
    positive = np.abs(x) + 0.1
    for op in ops:
        data = positive if op == "ReduceLogSum" else x
        for axes in ([1], [2, 3], [0, -1], [0, 1, 2, 3], [-2]):
            for keep in (0, 1):
                yield single(f"{op} 18 axes {axes} keepdims={keep}", op, data, Const(ints(*axes)), opset=18, keepdims=keep)
        yield single(f"{op} 18 no axes", op, data, opset=18)
        yield single(f"{op} 18 empty axes", op, data, Const(ints()), opset=18)
        yield single(f"{op} 18 empty axes noop", op, data, Const(ints()), opset=18, noop_with_empty_axes=1)
        if op != "ReduceSum":
            yield single(f"{op} 13 attribute", op, data, opset=13, axes=[1, -1], keepdims=0)
        yield single(f"{op} 11 attribute", op, data, opset=11, axes=[2, 3])
    for op in ("ReduceSum", "ReduceMax", "ReduceMin"):
        for dtype in (np.int32, np.int64):
            yield single(f"{op} {dtype.__name__}", op, (x * 10).astype(dtype), Const(ints(1, 2)), opset=18)
    yield refused(single("ReduceSum axes depend on the input", "ReduceSum", x, ints(1), opset=18), "must be known at conversion")
    ties = np.array([[1, 3, 3, 2], [5, 5, 0, 5], [-1, -1, -1, -1]], np.float32)
    for op in ("ArgMax", "ArgMin"):
        for last, keep, axis in itertools.product((0, 1), (0, 1), (0, 1, -1)):
            yield single(f"{op} axis {axis} select_last_index={last} keepdims={keep}", op, ties, opset=13, axis=axis, keepdims=keep,
                         select_last_index=last)
        yield single(f"{op} of images", op, random(2, 5, 4, 3), opset=13, axis=1)


def softmaxes():
    x = random(2, 3, 4, 5, scale=3)
    for op in ("Softmax", "LogSoftmax"):
        for axis in (0, 1, 2, 3, -1, -3):
            yield single(f"{op} 13 axis {axis}", op, x, opset=13, axis=axis)
            yield single(f"{op} 11 axis {axis}", op, x, opset=11, axis=axis)
        yield single(f"{op} 13 default", op, x, opset=13)
        yield single(f"{op} 7 default", op, x, opset=7)
        yield single(f"{op} of large values", op, x * 100, opset=13)


def normalisations():
    for groups in (1, 2, 3, 6):
        x = random(2, 6, 4, 5)
        yield single(f"GroupNormalization 18 groups {groups}", "GroupNormalization", x, Const(random(groups)), Const(random(groups, seed=3)),
                     opset=18, num_groups=groups)
        yield single(f"GroupNormalization 21 groups {groups}", "GroupNormalization", x, Const(random(6)), Const(random(6, seed=3)), opset=21,
                     num_groups=groups, epsilon=1e-3)
    yield single("GroupNormalization 21 1d", "GroupNormalization", random(2, 6, 9), Const(random(6)), Const(random(6, seed=3)), opset=21,
                 num_groups=2)
    yield single("GroupNormalization 21 scale is an input", "GroupNormalization", random(2, 6, 4, 5), random(6), random(6, seed=3), opset=21,
                 num_groups=2)
    for shape in ((2, 5, 4, 3), (2, 5, 7)):
        yield single(f"InstanceNormalization {shape}", "InstanceNormalization", random(*shape), Const(random(5)), Const(random(5, seed=2)))
    x = random(2, 3, 4, 5)
    for axis in (-1, -2, 1, 0, 3):
        shape = x.shape[axis:] if axis else x.shape
        yield single(f"LayerNormalization axis {axis}", "LayerNormalization", x, Const(random(*shape)), Const(random(*shape, seed=2)), axis=axis)
        yield single(f"LayerNormalization axis {axis} without bias", "LayerNormalization", x, Const(random(*shape)), axis=axis, epsilon=1e-2)
    yield single("LayerNormalization with mean and deviation", "LayerNormalization", x, Const(random(5)), Const(random(5, seed=2)), outputs=3)
    yield single("LayerNormalization scale is an input", "LayerNormalization", x, random(5), random(5, seed=2))
    yield single("BatchNormalization alone", "BatchNormalization", x, Const(random(3)), Const(random(3)), Const(random(3)),
                 Const(np.abs(random(3)) + 0.1), opset=15)
    yield single("BatchNormalization 2-D input", "BatchNormalization", random(4, 3), Const(random(3)), Const(random(3)), Const(random(3)),
                 Const(np.abs(random(3)) + 0.1), opset=9)
    yield single("BatchNormalization all inputs", "BatchNormalization", x, random(3), random(3), random(3), np.abs(random(3)) + 0.1, opset=15)
    for size in (1, 3, 5):
        yield single(f"LRN size {size}", "LRN", random(2, 7, 4, 5), size=size, alpha=0.02, beta=0.6, bias=1.5)


def cases():
    for family in (activations, binaries, reductions, softmaxes, normalisations):
        yield from family()
