"""A load generator that is not the bottleneck.

It speaks just enough HTTP/2 and gRPC to make unary calls whose bytes were prepared before the clock starts, many in
flight over a few connections, and it believes an answer only when its trailers say `grpc-status: 0`.
`hpack` and `frames` are pure; `connection` is one HTTP/2 connection without a socket; `drive` owns sockets and clock.
"""
