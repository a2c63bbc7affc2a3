"""gRPC plumbing without business: the guard before every call, refusals as statuses, the server's life, telemetry."""
