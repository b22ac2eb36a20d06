"""Models that are converted once and planned for several batches or image sizes."""

import numpy as np

from net import Net, ints, random

BATCHES = (2, 5)


def _batched(net, shape):
    """An input of batch N, with runs at other batches."""
    net.more_runs = [[random(n, *shape, seed=n)] for n in BATCHES]
    return net.input(random(1, *shape), ["N", *shape])


def _classifiers():
    net = Net("batch: convolutions, Flatten, Gemm, Softmax")
    t = net.node("Relu", net.node("Conv", _batched(net, (3, 8, 8)), random(8, 3, 3, 3), random(8), strides=[2, 2]))
    t = net.node("MaxPool", t, kernel_shape=[2, 2])
    yield net.output(net.node("Softmax", net.node("Gemm", net.node("Flatten", t), random(32, 4), random(4))))
    for name, target in (("0 -1", ints(0, -1)), ("-1 32", ints(-1, 32))):
        net = Net(f"batch: Reshape {name}, MatMul")
        t = net.node("Conv", _batched(net, (3, 4, 4)), random(8, 3, 3, 3), random(8))
        yield net.output(net.node("MatMul", net.node("Reshape", t, target), random(32, 4)))
    net = Net("batch: Reshape to the computed batch")
    x = _batched(net, (3, 4, 4))
    batch = net.node("Unsqueeze", net.node("Gather", net.node("Shape", x), np.int64(0)), ints(0))
    t = net.node("Conv", x, random(8, 3, 3, 3))
    yield net.output(net.node("MatMul", net.node("Reshape", t, net.node("Concat", batch, ints(-1), axis=0)), random(32, 4)))
    net = Net("batch: GlobalAveragePool, Squeeze, Softmax 11", 11)
    t = net.node("GlobalAveragePool", net.node("Conv", _batched(net, (3, 6, 6)), random(8, 3, 3, 3)))
    yield net.output(net.node("Softmax", net.node("Squeeze", t, axes=[2, 3]), axis=1))
    net = Net("batch: residual with BatchNormalization, Concat, Split")
    x = _batched(net, (4, 6, 6))
    t = net.node("Conv", x, random(4, 4, 3, 3), pads=[1, 1, 1, 1])
    t = net.node("BatchNormalization", t, random(4), random(4), random(4), np.abs(random(4)) + 0.1)
    a, b = net.node("Split", net.node("Concat", x, net.node("Add", x, t), axis=1), ints(3, 5), outputs=2, axis=1)
    yield net.output(a, b)


def _attention():
    net = Net("batch: attention")
    x = _batched(net, (5, 8))
    parts = []
    for i in range(3):
        t = net.node("Reshape", net.node("MatMul", x, random(8, 8, seed=i)), ints(0, 5, 2, 4))
        parts.append(net.node("Transpose", t, perm=[0, 2, 3, 1] if i == 1 else [0, 2, 1, 3]))
    t = net.node("MatMul", net.node("Softmax", net.node("MatMul", parts[0], parts[1]), axis=-1), parts[2])
    yield net.output(net.node("Reshape", net.node("Transpose", t, perm=[0, 2, 1, 3]), ints(0, 5, 8)))


def _shuffle():
    net = Net("batch: channel shuffle")
    x = _batched(net, (8, 3, 3))
    t = net.node("Reshape", net.node("Relu", x), ints(-1, 2, 4, 3, 3))
    yield net.output(net.node("Reshape", net.node("Transpose", t, perm=[0, 2, 1, 3, 4]), ints(-1, 8, 3, 3)))


def _images():
    net = Net("image size: U-Net with Resize by scales")
    x = net.input(random(1, 1, 8, 12), [1, 1, "H", "W"])
    net.more_runs = [[random(1, 1, *size)] for size in ((16, 8), (24, 20))]
    t = net.node("Relu", net.node("Conv", x, random(6, 1, 3, 3), pads=[1, 1, 1, 1]))
    u = net.node("Conv", net.node("AveragePool", t, kernel_shape=[2, 2], strides=[2, 2]), random(6, 6, 3, 3), pads=[1, 1, 1, 1])
    u = net.node("Resize", u, None, np.array([1, 1, 2, 2], np.float32), mode="linear")
    yield net.output(net.node("Sigmoid", net.node("Conv", net.node("Concat", t, u, axis=1), random(1, 12, 1, 1))))
    net = Net("batch: Resize to the size of another tensor, which fixes H and W")
    x = net.input(random(1, 3, 9, 10), ["N", 3, "H", "W"])
    net.more_runs = [[random(n, 3, 9, 10)] for n in BATCHES]
    t = net.node("Conv", x, random(4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    size = net.node("Concat", net.node("Shape", t, end=2), net.node("Shape", x, start=2), axis=0)
    yield net.output(net.node("Resize", t, None, None, size, mode="linear", coordinate_transformation_mode="align_corners"))
    net = Net("image size: ConvTranspose, Pad, GlobalAveragePool, Gemm")
    x = net.input(random(1, 3, 6, 6), [1, 3, "H", "W"])
    net.more_runs = [[random(1, 3, 5, 9)], [random(1, 3, 13, 4)]]
    t = net.node("ConvTranspose", x, random(3, 4, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    t = net.node("Pad", t, ints(0, 0, 1, 1, 0, 0, 2, 2), mode="reflect")
    t = net.node("Flatten", net.node("GlobalAveragePool", t))
    yield net.output(net.node("Gemm", t, random(4, 5), random(5)))


def cases():
    for family in (_classifiers, _attention, _shuffle, _images):
        yield from family()
