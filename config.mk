# Every switch of the build. Override on the command line: make CC=clang THREADS=0
CC ?= gcc
AR ?= ar
BUILD ?= build
PREFIX ?= /usr/local
OPT ?= -O2
THREADS ?= 1        # 1: POSIX threads and pthreadpool; 0: no threads
CPUINFO ?= $(call have,libcpuinfo)
PNG ?= $(call have,spng)
JPEG ?= $(call have,libjpeg)
NIFTI ?= 1
SANITIZE ?=         # address, undefined, thread, or a comma list
EXTRA_CFLAGS ?=
EXTRA_LDFLAGS ?=
