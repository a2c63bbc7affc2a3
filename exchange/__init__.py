"""The exchange: members earn, spend and convert loyalty points across a coalition of merchants, online, over gRPC."""
