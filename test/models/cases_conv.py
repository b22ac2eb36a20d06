"""Convolutions, pools, matrix products."""

import numpy as np

from net import Const, Net, random, refused, single

CONVS = {
    "1d": ((2, 3, 11), (5, 3, 3), {}),
    "1d stride 2 pads 1 0": ((1, 4, 12), (6, 4, 4), {"strides": [2], "pads": [1, 0]}),
    "1d dilation 3": ((1, 4, 16), (6, 4, 3), {"dilations": [3]}),
    "1d groups 2": ((1, 4, 9), (6, 2, 3), {"group": 2, "pads": [1, 1]}),
    "1d depthwise": ((1, 4, 9), (4, 1, 3), {"group": 4, "pads": [1, 1]}),
    "1d depthwise multiplier 2": ((1, 4, 9), (8, 1, 3), {"group": 4, "pads": [1, 1]}),
    "2d 1x1": ((2, 7, 5, 6), (17, 7, 1, 1), {}),
    "2d 1x1 stride 2": ((1, 7, 5, 6), (9, 7, 1, 1), {"strides": [2, 2]}),
    "2d 3x3 pads 1": ((1, 3, 8, 9), (16, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    "2d asymmetric pads": ((1, 3, 8, 9), (4, 3, 3, 3), {"pads": [0, 1, 2, 3]}),
    "2d 5x2 strides 1 3": ((1, 3, 8, 9), (4, 3, 5, 2), {"strides": [1, 3]}),
    "2d dilations 2 1": ((1, 3, 9, 9), (4, 3, 3, 3), {"dilations": [2, 1], "pads": [2, 1, 2, 1]}),
    "2d groups 3": ((1, 6, 7, 7), (9, 2, 3, 3), {"group": 3}),
    "2d depthwise": ((1, 6, 7, 7), (6, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}),
    "2d depthwise stride 2 dilation 2": ((1, 6, 11, 11), (6, 1, 3, 3),
                                         {"group": 6, "strides": [2, 2], "dilations": [2, 2], "pads": [2, 2, 2, 2]}),
    "2d depthwise multiplier 2": ((2, 6, 7, 7), (12, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}),
    "2d depthwise of one channel": ((1, 1, 7, 7), (3, 1, 3, 3), {"group": 1}),
    "2d large kernel": ((1, 2, 9, 9), (3, 2, 9, 7), {}),
}
for _mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
    CONVS[f"2d {_mode}"] = ((1, 3, 8, 7), (4, 3, 4, 3), {"auto_pad": _mode})
    CONVS[f"2d {_mode} strides 2 3"] = ((1, 3, 8, 7), (4, 3, 4, 3), {"auto_pad": _mode, "strides": [2, 3]})
    CONVS[f"1d {_mode} dilation 2"] = ((1, 3, 10), (4, 3, 4), {"auto_pad": _mode, "dilations": [2]})
CONVS["2d NOTSET"] = ((1, 3, 8, 7), (4, 3, 4, 3), {"auto_pad": "NOTSET", "pads": [1, 2, 1, 2]})

TRANSPOSED = {
    "1d": ((1, 3, 7), (3, 4, 3), {}),
    "1d stride 3": ((2, 3, 7), (3, 4, 4), {"strides": [3]}),
    "1d stride 2 pads output_padding": ((1, 3, 7), (3, 4, 4), {"strides": [2], "pads": [1, 2], "output_padding": [1]}),
    "2d": ((1, 3, 5, 6), (3, 4, 3, 3), {}),
    "2d 2x2 stride 2": ((1, 16, 5, 6), (16, 8, 2, 2), {"strides": [2, 2]}),
    "2d 3x3 stride 2 output_padding": ((1, 3, 5, 6), (3, 4, 3, 3),
                                       {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
    "2d stride 3": ((1, 3, 5, 6), (3, 4, 2, 5), {"strides": [3, 3]}),
    "2d strides 1 3 asymmetric pads": ((1, 3, 5, 6), (3, 4, 3, 4), {"strides": [1, 3], "pads": [0, 1, 2, 0]}),
    "2d dilation 2": ((1, 3, 5, 6), (3, 4, 3, 3), {"dilations": [2, 2], "strides": [2, 1]}),
    "2d groups 2": ((1, 6, 5, 6), (6, 4, 3, 3), {"group": 2, "strides": [2, 2]}),
    "2d depthwise": ((1, 6, 5, 6), (6, 1, 4, 4), {"group": 6, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "2d output_shape": ((1, 3, 5, 6), (3, 4, 3, 3), {"strides": [3, 2], "output_shape": [10, 8]}),
    "2d output_shape odd": ((1, 3, 5, 6), (3, 4, 3, 3), {"strides": [2, 2], "output_shape": [10, 12]}),
    "2d output_shape beyond the reach": ((1, 3, 5, 6), (3, 4, 2, 2), {"strides": [3, 3], "output_shape": [16, 18],
                                                                      "output_padding": [2, 1]}),
}
for _mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
    TRANSPOSED[f"2d {_mode} stride 1"] = ((1, 3, 5, 6), (3, 4, 4, 3), {"auto_pad": _mode})
    TRANSPOSED[f"2d {_mode} strides 2 3"] = ((1, 3, 5, 6), (3, 4, 3, 4), {"auto_pad": _mode, "strides": [2, 3]})

POOLS = {
    "1d": ((1, 3, 11), {"kernel_shape": [3]}),
    "1d ceil": ((1, 3, 11), {"kernel_shape": [3], "strides": [3], "ceil_mode": 1}),
    "2d 2x2": ((2, 3, 8, 9), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "2d 3x3 stride 2 pads 1": ((1, 5, 8, 9), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "2d ceil pads": ((1, 5, 8, 9), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}),
    "2d ceil last window in the padding": ((1, 5, 7, 7), {"kernel_shape": [2, 2], "strides": [3, 3],
                                                          "pads": [1, 1, 1, 1], "ceil_mode": 1}),
    "2d asymmetric pads": ((1, 5, 8, 9), {"kernel_shape": [3, 4], "pads": [0, 1, 2, 3]}),
    "2d SAME_UPPER": ((1, 5, 8, 9), {"kernel_shape": [3, 4], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "2d SAME_LOWER": ((1, 5, 8, 9), {"kernel_shape": [3, 4], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    "2d VALID": ((1, 5, 8, 9), {"kernel_shape": [3, 4], "strides": [2, 2], "auto_pad": "VALID"}),
}


def _convolution(op, name, table_row, bias, weights_are_inputs, opset):
    x, w, attributes = table_row
    channels = w[0] if op == "Conv" else w[1] * attributes.get("group", 1)
    weights = [random(*w, scale=0.5)] + ([random(channels)] if bias else [])
    if not weights_are_inputs:
        weights = [Const(a) for a in weights]
    label = f"{op} {name}{' bias' if bias else ''}{' weights are inputs' if weights_are_inputs else ''}"
    return single(label, op, random(*x), *weights, opset=opset, **attributes)


def convolutions():
    for op, table in (("Conv", CONVS), ("ConvTranspose", TRANSPOSED)):
        for i, (name, row) in enumerate(table.items()):
            yield _convolution(op, name, row, i % 2 == 0, False, (11, 17, 21, 7)[i % 4])
            yield _convolution(op, name, row, i % 2 == 1, True, 13)


def pools():
    for name, (x, attributes) in POOLS.items():
        opset = 10 if "ceil_mode" in attributes else 7
        yield single(f"MaxPool {name}", "MaxPool", random(*x) - 3, opset=opset, **attributes)
        for include in (0, 1):
            yield single(f"AveragePool {name} count_include_pad={include}", "AveragePool", random(*x), opset=opset,
                         count_include_pad=include, **attributes)
        if "ceil_mode" not in attributes:
            for p in (1, 2):
                yield single(f"LpPool {name} p={p}", "LpPool", random(*x), opset=17, p=p, **attributes)
    dilated = {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [2, 1, 2, 1]}
    yield single("MaxPool 2d dilations", "MaxPool", random(1, 5, 9, 9), opset=12, **dilated)
    yield single("MaxPool 2d dilations ceil", "MaxPool", random(1, 5, 9, 9), opset=12, strides=[2, 2], ceil_mode=1, **dilated)
    yield single("AveragePool 2d dilations", "AveragePool", random(1, 5, 9, 9), opset=19, **dilated)
    yield single("AveragePool 2d dilations include", "AveragePool", random(1, 5, 9, 9), opset=19, count_include_pad=1, **dilated)
    yield single("LpPool 2d ceil dilations", "LpPool", random(1, 5, 9, 9), opset=18, kernel_shape=[3, 3], dilations=[2, 2],
                 strides=[2, 2], ceil_mode=1, p=2)
    yield refused(single("LpPool p=3", "LpPool", random(1, 5, 9, 9), opset=18, kernel_shape=[3, 3], p=3), "p=3")
    yield refused(single("GlobalLpPool p=3", "GlobalLpPool", random(1, 5, 9, 9), opset=18, p=3), "p=3")
    yield single("GlobalLpPool p=1", "GlobalLpPool", random(1, 5, 9, 9), opset=18, p=1)
    for op in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"):
        yield single(f"{op} 1d", op, random(2, 5, 9))
        yield single(f"{op} 2d", op, random(2, 5, 9, 7))


def products():
    a, b = random(3, 4), random(4, 5)
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            left, right = a.T.copy() if trans_a else a, b.T.copy() if trans_b else b
            for name, c in (("", None), (" C scalar", random(1)), (" C [N]", random(5)), (" C [1,N]", random(1, 5)),
                            (" C [M,1]", random(3, 1)), (" C [M,N]", random(3, 5))):
                attributes = {"transA": trans_a, "transB": trans_b, "alpha": 0.75, "beta": -1.5}
                label = f"Gemm transA={trans_a} transB={trans_b}{name}"
                yield single(label, "Gemm", left, Const(right), *([Const(c)] if c is not None else []), opset=13, **attributes)
                yield single(f"{label} all inputs", "Gemm", left, right, *([c] if c is not None else []), opset=13, **attributes)
    yield single("Gemm alpha=2 beta=1", "Gemm", a, Const(b), Const(random(5)), opset=9, alpha=2.0)
    yield single("Gemm C of rank 0", "Gemm", a, Const(b), Const(np.float32(0.5)), opset=11)
    shapes = [((4, ), (4, )), ((4, ), (4, 5)), ((3, 4), (4, )), ((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (4, )),
              ((4, ), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (1, 6, 4, 5)), ((1, 1, 4), (7, 4, 5)),
              ((2, 2, 2, 3, 4), (2, 4, 5)), ((1, 1), (1, 1))]
    for left, right in shapes:
        yield single(f"MatMul {left} x {right}", "MatMul", random(*left), Const(random(*right, seed=5)), opset=13)
        yield single(f"MatMul {left} x {right} inputs", "MatMul", random(*left), random(*right, seed=5), opset=9)
        yield single(f"MatMul constant {left} x {right}", "MatMul", Const(random(*left)), random(*right, seed=5))


def folded_norms():
    """Convolution and what the converter folds into it."""
    for op, w, group in (("Conv", (8, 4, 3, 3), 1), ("Conv", (8, 1, 3, 3), 8), ("ConvTranspose", (4, 8, 3, 3), 1), ("Conv", (8, 2, 3, 3), 2)):
        net = Net(f"BatchNormalization after {op} of {group} groups, then Relu")
        channels = {"Conv": w[1] * group, "ConvTranspose": w[0]}[op]
        t = net.node(op, net.input(random(1, channels, 6, 6)), random(*w), random(8), group=group)
        t = net.node("BatchNormalization", t, random(8), random(8), random(8), np.abs(random(8)) + 0.1, epsilon=1e-3)
        yield net.output(net.node("Relu", t))
    net = Net("BatchNormalization before Conv with padding")
    t = net.node("BatchNormalization", net.input(random(1, 4, 6, 6)), random(4), random(4), random(4), np.abs(random(4)) + 0.1)
    yield net.output(net.node("Conv", t, random(8, 4, 3, 3), pads=[1, 1, 1, 1]))
    net = Net("Conv read by BatchNormalization and by an output")
    t = net.node("Conv", net.input(random(1, 4, 6, 6)), random(8, 4, 3, 3))
    u = net.node("BatchNormalization", t, random(8), random(8), random(8), np.abs(random(8)) + 0.1)
    yield net.output(t, u)
    net = Net("BatchNormalization after Gemm")
    t = net.node("Gemm", net.input(random(3, 6)), random(6, 8), random(8))
    yield net.output(net.node("BatchNormalization", t, random(8), random(8), random(8), np.abs(random(8)) + 0.1))
    net = Net("Conv, Mul by channel, Add by channel, Relu6")
    t = net.node("Conv", net.input(random(1, 4, 6, 6)), random(8, 4, 3, 3))
    t = net.node("Add", net.node("Mul", t, random(8, 1, 1)), random(1, 8, 1, 1))
    yield net.output(net.node("Clip", t, np.float32(0), np.float32(6)))
    net = Net("Pad before Conv")
    t = net.node("Pad", net.input(random(1, 4, 6, 6)), np.array([0, 0, 1, 2, 0, 0, 1, 0], np.int64))
    yield net.output(net.node("Conv", t, random(8, 4, 3, 3)))
    net = Net("Pad of ones before Conv")
    t = net.node("Pad", net.input(random(1, 4, 6, 6)), np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), np.float32(1))
    yield net.output(net.node("Conv", t, random(8, 4, 3, 3)))
    net = Net("Pad before MaxPool and AveragePool")
    t = net.node("Pad", net.input(random(1, 4, 6, 6) - 3), np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    yield net.output(net.node("MaxPool", t, kernel_shape=[3, 3]), net.node("AveragePool", t, kernel_shape=[3, 3]))


def cases():
    for family in (convolutions, pools, products, folded_norms):
        yield from family()
