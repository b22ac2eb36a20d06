#!/bin/sh
# The command line as a user meets it: every sub-command, wrong use, wrong files, a full disk, an interrupt.
# usage: test_cli.sh TMCNN
set -eu
tmcnn=$(realpath "$1")
model=$(realpath models/brain2d.onnx)
qdq_model=$(realpath "$(dirname "$0")/qdq_model.py")
. "$(dirname "$0")/../lib/expect.sh"

expect 0 - "$tmcnn" --help
expect 0 - "$tmcnn" --version
for command in convert info run bench verify; do
    expect 0 - "$tmcnn" $command --help
    grep -q "usage: tmcnn $command" out || fail "$command --help has no usage"
    expect 2 "unknown option" "$tmcnn" $command --no-such-option
done
expect 2 "unknown command" "$tmcnn" frobnicate

expect 0 - "$tmcnn" convert "$model" -o brain.tmc --explain --meta licence=Apache-2.0
grep -q "pack_weights" out || fail "--explain does not name the passes"
expect 0 - "$tmcnn" info brain.tmc
grep -q "licence = Apache-2.0" out || fail "info does not show the metadata"
expect 0 - "$tmcnn" info --json --nodes brain.tmc
python3 -c 'import json, sys; m = json.load(open("out")); sys.exit(not (m["macs"] > 0 and m["nodes"] and m["inputs"][0]["shape"][1] == 1))' \
    || fail "info --json"
# A TFLite file is one by its bytes, whatever its name.
printf '\034\000\000\000TFL3' > damaged.onnx
expect 1 "damaged FlatBuffer" "$tmcnn" convert damaged.onnx -o none.tmc
printf 'no model at all' > other.tflite
expect 1 "not an ONNX file" "$tmcnn" convert other.tflite -o none.tmc
[ ! -e none.tmc ] || fail "a file came from a damaged model"
expect 2 "winograd wants" "$tmcnn" convert "$model" -o none.tmc --winograd 3x3
expect 2 "i8 wants" "$tmcnn" convert "$model" -o none.tmc --i8 yes
expect 0 - "$tmcnn" convert "$model" -o direct.tmc --winograd off
expect 0 - "$tmcnn" convert "$model" -o forced.tmc --winograd 4x4
expect 0 - "$tmcnn" info --nodes forced.tmc
grep -q "f32_winograd_4x4" out || fail "--winograd 4x4 has no Winograd kernel"
expect 0 - "$tmcnn" info --nodes direct.tmc
! grep -q winograd out || fail "--winograd off has a Winograd kernel"
expect 0 - "$tmcnn" verify forced.tmc

expect 0 - "$tmcnn" verify brain.tmc
grep -q "self-test   ok" out || fail "verify runs no self-test"
expect 0 - "$tmcnn" bench --runs 2 --json brain.tmc
python3 -c 'import json; assert json.load(open("out"))["median_ms"] > 0' || fail "bench --json"

# A NumPy file in and out, the same bits at every level, a mask as a picture.
python3 - <<'PYTHON'
import math, struct
values = [abs(math.sin(i * 0.01)) for i in range(128 * 128)]
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 128, 128), }"
header += " " * (117 - len(header)) + "\n"
open("x.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<16384f", *values))
open("short.npy", "wb").write(open("x.npy", "rb").read()[:-4])
PYTHON
expect 0 - "$tmcnn" run brain.tmc --input x.npy --output y.npy --digest --profile
cp out first
expect 0 - "$tmcnn" run brain.tmc --input slice=x.npy --output brain=mask.png --digest --isa ref --threads 2
[ "$(grep digest first)" = "$(grep digest out)" ] || fail "digests differ between levels"
case $(uname -m) in
x86_64)
    expect 0 - "$tmcnn" run brain.tmc --input x.npy --digest --isa sse41
    grep -q "not bit-identical" out || fail "run --isa sse41 does not say that its bits are its own"
    expect 0 - "$tmcnn" info --isa sse41 brain.tmc
    grep -q "not bit-identical" out || fail "info --isa sse41 does not say so"
    ;;
esac
head -c 8 mask.png | grep -q PNG || fail "mask.png is no PNG"
expect 0 - "$tmcnn" run brain.tmc mask.png --digest --json
expect 0 - "$tmcnn" run brain.tmc mask.png mask.png --check-finite --timeout 100000 --mmap

# A quantised model: int8 inside, the numbers of docs/quantization.md, at every level and thread count.
python3 "$qdq_model" qdq.onnx qx.npy qy.expected
expect 0 - "$tmcnn" convert qdq.onnx -o qdq.tmc
expect 0 - "$tmcnn" verify qdq.tmc
expect 0 - "$tmcnn" info --nodes qdq.tmc
grep -q "qs8_gemm" out || fail "the convolution of qdq.onnx is not int8"
for level in auto ref; do
    expect 0 - "$tmcnn" run qdq.tmc --input qx.npy --output qy.npy --isa $level --threads 2
    tail -c 1024 qy.npy | cmp - qy.expected || fail "qdq.tmc at level $level computes something else"
done
expect 0 - "$tmcnn" convert qdq.onnx -o float.tmc --i8 off
expect 0 - "$tmcnn" info --nodes float.tmc
! grep -q "qs8_gemm" out || fail "--i8 off has an int8 kernel"

expect 1 TMC_E_TRUNCATED "$tmcnn" run brain.tmc --input short.npy
expect 1 TMC_E_IO "$tmcnn" run brain.tmc --input missing.npy
expect 1 TMC_E_IO "$tmcnn" info missing.tmc
expect 1 TMC_E_IO "$tmcnn" info /
expect 1 TMC_E_FORMAT "$tmcnn" info "$model"
expect 1 TMC_E_FORMAT "$tmcnn" convert brain.tmc -o other.tmc
expect 1 TMC_E_FORMAT "$tmcnn" run brain.tmc x.npy
expect 1 TMC_E_ARG "$tmcnn" run brain.tmc --input x.npy --output y.txt
expect 1 TMC_E_TIMEOUT "$tmcnn" run brain.tmc --input x.npy --isa ref --timeout 1
expect 1 TMC_E_LIMIT "$tmcnn" run brain.tmc --input x.npy --arena-limit 1000
expect 2 "whole number" "$tmcnn" run brain.tmc --input x.npy --threads 0
expect 2 "not both" "$tmcnn" run brain.tmc mask.png --input x.npy
expect 2 "expected -o" "$tmcnn" convert "$model"
head -c 1000 brain.tmc > cut.tmc
expect 1 TMC_E_TRUNCATED "$tmcnn" info cut.tmc
head -c 200 mask.png > cut.png
expect 1 TMC_E_TRUNCATED "$tmcnn" run brain.tmc cut.png

# A full disk and an unwritable folder: an error, the old file whole, nothing left behind.
expect 1 TMC_E_IO "$tmcnn" convert "$model" -o /dev/full
cp brain.tmc kept.tmc
(ulimit -f 8; trap '' XFSZ; expect 1 TMC_E_IO "$tmcnn" convert "$model" -o kept.tmc)
cmp brain.tmc kept.tmc || fail "a failed conversion changed the existing file"
ls kept.tmc.* > /dev/null 2>&1 && fail "a temporary file was left behind"
expect 1 TMC_E_IO "$tmcnn" convert "$model" -o missing-folder/x.tmc
expect 1 "standard output" sh -c "'$tmcnn' info brain.tmc > /dev/full"

# An interrupt ends it with 128 + 2 and leaves no file.
"$tmcnn" bench --runs 1000000 brain.tmc > /dev/null 2>&1 &
pid=$!
sleep 1
kill -TERM $pid
set +e
wait $pid
status=$?
set -e
[ "$status" = 143 ] || fail "an interrupted bench exits with $status"
ok

# Conversion is reproducible.
expect 0 - "$tmcnn" convert "$model" -o again.tmc --meta licence=Apache-2.0
cmp brain.tmc again.tmc || fail "two conversions differ"
echo "command line: $count checks passed"
