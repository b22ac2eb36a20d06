## make deps            install the Debian packages that build, demo and tests need (root or sudo)
.PHONY: deps deps-arm64
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
DEPS := gcc make pkg-config python3 \
  libpthreadpool-dev libcpuinfo-dev libxxhash-dev \
  protobuf-c-compiler libprotobuf-c-dev libonnx-dev libsodium-dev \
  libspng-dev libjpeg62-turbo-dev libniftiio-dev libznz-dev zlib1g-dev \
  libcmocka-dev libonnx-testdata mricron-data \
  clang clang-format libclang-rt-14-dev
# The cross build links the same libraries for arm64 and runs under user-mode emulation.
DEPS_ARM64 := gcc-aarch64-linux-gnu qemu-user libpthreadpool-dev:arm64 libcmocka-dev:arm64 libprotobuf-c-dev:arm64 \
  libsodium-dev:arm64

deps:
	@echo "Installing Debian packages: $(DEPS)"
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(DEPS)

## make deps-arm64      the same for `make arm64-check`: adds Debian's arm64 packages
deps-arm64:
	@echo "Adding the arm64 architecture and installing: $(DEPS_ARM64)"
	$(SUDO) dpkg --add-architecture arm64
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(DEPS_ARM64)
