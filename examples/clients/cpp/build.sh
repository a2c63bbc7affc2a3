#!/bin/sh
# Builds first_day into the folder $1 with Debian's protoc and gRPC. PROTOS: this project's protos/. GOOGLEAPIS: a folder
# with google/rpc/*.proto.
set -eu
cd "$(dirname "$0")"
out=$1
mkdir -p "$out/source"
files="exchange/v1/transfer_service exchange/v1/types google/rpc/status google/rpc/error_details"
protoc --proto_path="$PROTOS" --proto_path="$GOOGLEAPIS" --cpp_out="$out/source" --grpc_out="$out/source" \
    --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" $(for file in $files; do echo "$file.proto"; done)
flags="-std=c++17 -O0 -I$out/source $(pkg-config --cflags protobuf grpc++)"
objects=
for source in $(cd "$out/source" && find . -name '*.pb.cc'); do
    object="$out/$(echo "$source" | tr / _).o"
    c++ $flags -c "$out/source/$source" -o "$object"
    objects="$objects $object"
done
c++ $flags -Wall first_day.cpp $objects -o "$out/first_day" $(pkg-config --libs protobuf grpc++)
