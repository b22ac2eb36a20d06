## make bench-ort        MobileNetV2 beside onnxruntime, in turn, and the cost of loading (needs PyPI)
.PHONY: bench-ort
BENCH_MODEL ?= mobilenet_v2
bench-ort: $(BUILD)/tmcnn build/models/done
	$(VENV)/bin/python bench/compare_onnxruntime.py build/models/$(BENCH_MODEL).onnx --tmcnn $(BUILD)/tmcnn
