#!/bin/sh
# tmcnn-bench as a user meets it: every command on the repository's own model, its JSON, wrong use, an interrupt.
# usage: test_bench.sh TMCNN_BENCH TMCNN
set -eu
bench=$(realpath "$1")
tmcnn=$(realpath "$2")
model=$(realpath models/brain2d.onnx)
. "$(dirname "$0")/../lib/expect.sh"

"$tmcnn" convert "$model" -o brain.tmc > /dev/null
head -c 1000 brain.tmc > short.tmc

expect 0 - "$bench" --help
grep -q "usage: tmcnn-bench" out || fail "--help has no usage"
expect 2 "expected a command" "$bench"
expect 2 "unknown command 'run'" "$bench" run
expect 2 "unknown option" "$bench" probe --no-such-option
expect 2 "unknown option or missing value" "$bench" probe --json
expect 2 "unknown --isa 'mmx'" "$bench" probe --isa mmx
expect 2 "this CPU has no level" "$bench" probe --isa "$(uname -m | grep -q aarch64 && echo avx2 || echo neon)"
for threads in 0 65 -1 two 1x ''; do expect 2 "--threads takes a whole number" "$bench" probe --threads "$threads"; done
expect 2 "--time takes a whole number" "$bench" probe --time 0
expect 2 "--top takes a whole number" "$bench" layers --top -1 brain.tmc
expect 2 "layers expects model files" "$bench" layers
expect 2 "models expects model files" "$bench" models
expect 2 "kernels takes no model files" "$bench" kernels brain.tmc
expect 1 "none.tmc" "$bench" layers --time 1 none.tmc
expect 1 "TMC_E_TRUNCATED" "$bench" models --time 1 short.tmc
expect 1 "cannot create a file beside no/such.json" "$bench" probe --time 1 --json no/such.json

expect 0 - "$bench" all --time 1 --threads 2 --json all.json brain.tmc
cat > check.py <<'PYTHON'
import json, sys

d = json.load(open(sys.argv[1]))
assert d["schema"] == 1 and d["interrupted"] == 0 and d["library"] and d["isa"] and d["machine"]["cores"] >= 1

def positive(record, *keys):
    for key in keys:
        assert isinstance(record[key], (int, float)) and record[key] > 0, (key, record)

for probes in (d["probe"], d["probe_after"]):
    assert [p["threads"] for p in probes] == [1, 2]
    for p in probes:
        positive(p, "clock_ghz", "gmacs", "gflops")
        assert {"L1", "L2", "memory"} <= {level["level"] for level in p["levels"]}
        for level in p["levels"]:
            positive(level, "probed_bytes", "read_gbs", "write_gbs", "copy_gbs")
names = [k["kernel"] for k in d["kernels"]]
for family in ("gemm", "gemv", "dwconv", "max_pool", "unary_exp", "binary_add", "reduce_row", "softmax_rows", "blend", "norm"):
    assert any("f32_" + family in name for name in names), family
assert len({(k["kernel"], k["size"]) for k in d["kernels"]}) == len(names)
for k in d["kernels"]:
    positive(k, "best_ns", "median_ns", "bytes", "gbs", "floor_ns", "fraction")
    assert k["bound"] in ("fma", "L1", "L2", "L3", "memory") and ("gem" not in k["kernel"] or k["macs"] > 0)
(layers,) = d["layers"]
positive(layers, "threads", "runs", "best_us", "floor_us")
assert layers["model"] == "brain.tmc" and [n["index"] for n in layers["nodes"]] == list(range(len(layers["nodes"])))
for n in layers["nodes"]:
    assert n["op"] and n["kernel"] and n["output"] and n["best_us"] <= n["median_us"]
assert sum(o["nodes"] for o in layers["operators"]) == len(layers["nodes"])
assert abs(sum(o["floor_us"] for o in layers["operators"]) - layers["floor_us"]) < 1e-3 * layers["floor_us"]
assert [m["threads"] for m in d["models"]] == [1, 2]
for m in d["models"]:
    positive(m, "runs", "median_ms", "p90_ms", "best_ms", "floor_ms", "fraction", "verify_ms", "planned_mib", "macs")
    for start in (m["mapped"], m["copied"]):
        positive(start, "open_ms", "plan_ms", "session_ms", "first_ms", "cold_ms", "cold_over_warm")
assert sum(n["macs"] for n in layers["nodes"]) == d["models"][0]["macs"]
assert d["models"][1]["gain"] > 0
PYTHON
python3 check.py all.json || fail "the fields of all.json"
grep -q "Layers of brain.tmc, 2 threads" out || fail "no table of layers"

expect 0 - "$bench" kernels --time 1 --isa ref --filter unary_exp --json few.json
python3 -c 'import json; k = json.load(open("few.json"))["kernels"]; assert [x["kernel"] for x in k] == ["f32_unary_exp__ref"], k' \
    || fail "--filter and --isa"

# An interrupt: what was measured until then is printed and written.
: > cut.out # not the text of a run before
"$bench" kernels --time 100000 --json cut.json > cut.out 2> err &
pid=$!
until grep -q "level" cut.out; do sleep 0.1; done # printed once the handler is there
kill -TERM $pid
set +e
wait $pid
got=$?
set -e
[ "$got" = 130 ] || fail "an interrupted run exits with $got: $(cat err)"
python3 -c 'import json; d = json.load(open("cut.json")); assert d["interrupted"] == 1 and d["probe"]' || fail "JSON of an interrupted run"
[ -z "$(find . -name '*.json.*')" ] || fail "a temporary file is left"
ok
echo "tmcnn-bench: $count uses ok"
