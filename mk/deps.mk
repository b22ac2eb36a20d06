## make deps            install the Debian packages that build, demo and tests need (root or sudo)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
DEPS := gcc g++ make pkg-config python3 \
  libpthreadpool-dev libcpuinfo-dev libxxhash-dev \
  protobuf-c-compiler libprotobuf-c-dev libonnx-dev libsodium-dev \
  libspng-dev libjpeg62-turbo-dev libniftiio-dev libnifti2-dev libznz-dev zlib1g-dev \
  libcmocka-dev libonnx-testdata mricron-data \
  clang clang-format libclang-rt-14-dev
# The cross build links the same libraries for arm64. Debian's libpthreadpool cannot be installed for two architectures at
# once, so the arm64 packages are unpacked into a folder of the build.
DEPS_ARM64 := gcc-aarch64-linux-gnu qemu-user
ARM64_ROOT := build/arm64-root
ARM64_PACKAGES := libpthreadpool-dev libpthreadpool0 libcmocka-dev libcmocka0 libprotobuf-c-dev libprotobuf-c1 \
  libsodium-dev libsodium23
.PHONY: deps deps-arm64

deps:
	@echo "Installing Debian packages: $(DEPS)"
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(DEPS)

## make deps-bench      what bench-peers can use besides PyPI: Python's venv, Debian's XNNPACK
.PHONY: deps-bench
deps-bench:
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv libxnnpack-dev

## make deps-arm64      cross compiler and emulator; Debian's arm64 libraries into build/arm64-root
deps-arm64:
	@echo "Installing $(DEPS_ARM64), unpacking for arm64: $(ARM64_PACKAGES)"
	$(SUDO) dpkg --add-architecture arm64
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(DEPS_ARM64)
	rm -rf $(ARM64_ROOT) && mkdir -p $(ARM64_ROOT)/debs
	cd $(ARM64_ROOT)/debs && apt-get download -q $(ARM64_PACKAGES:%=%:arm64)
	for deb in $(ARM64_ROOT)/debs/*.deb; do dpkg -x $$deb $(ARM64_ROOT); done
