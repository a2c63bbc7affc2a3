"""`python -m bench.noop PORT`: a bare grpc.aio server with the no-op alone; it says "ready" when it serves."""

import sys

import grpc
import uvloop

from bench.noop.service import register


async def _serve(port: int) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_concurrent_streams", 100)])
    register(server, None)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
