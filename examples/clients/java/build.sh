#!/bin/sh
# Builds FirstDay into the folder $1 with Debian's protoc, grpc-java and their jars. PROTOS: this project's protos/.
# GOOGLEAPIS: a folder with google/rpc/*.proto.
set -eu
cd "$(dirname "$0")"
out=$1
jars=/usr/share/java
mkdir -p "$out/source" "$out/classes"
protoc --proto_path="$PROTOS" --proto_path="$GOOGLEAPIS" --java_out="$out/source" --grpc-java_out="$out/source" \
    --plugin=protoc-gen-grpc-java="$(command -v grpc_java_plugin)" \
    exchange/v1/transfer_service.proto exchange/v1/types.proto google/rpc/status.proto google/rpc/error_details.proto
for jar in grpc-api grpc-context grpc-core grpc-netty grpc-protobuf grpc-protobuf-lite grpc-stub protobuf guava gson \
    geronimo-annotation-1.3-spec perfmark-api jsr305 netty-buffer netty-codec netty-codec-http \
    netty-codec-http2 netty-codec-socks netty-common netty-handler netty-handler-proxy netty-resolver netty-transport; do
    test -e "$jars/$jar.jar" || { echo "missing: $jars/$jar.jar" >&2; exit 1; }
    path="${path:+$path:}$jars/$jar.jar"
done
find "$out/source" -name '*.java' > "$out/sources.txt"
javac -nowarn -proc:none -d "$out/classes" -cp "$path" @"$out/sources.txt" FirstDay.java
printf "%s\n" "$path" > "$out/jars"
