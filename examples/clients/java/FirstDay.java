import com.google.gson.Gson;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import example.coalition.exchange.v1.ConvertPointsRequest;
import example.coalition.exchange.v1.EarnPointsRequest;
import example.coalition.exchange.v1.ListTransfersRequest;
import example.coalition.exchange.v1.ListTransfersResponse;
import example.coalition.exchange.v1.PointsAmount;
import example.coalition.exchange.v1.Transfer;
import example.coalition.exchange.v1.TransferServiceGrpc;
import example.coalition.exchange.v1.TransferServiceGrpc.TransferServiceBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A merchant's first day: awards, converts, is refused, asks again, and lists what happened. */
public final class FirstDay {
    private static final long DEADLINE_SECONDS = 30;
    private static final String BNK = "currencies/BNK";
    private static final String AIR = "currencies/AIR";

    private final TransferServiceBlockingStub transfers;
    private final String member = System.getenv("EXCHANGE_MEMBER");

    private FirstDay(TransferServiceBlockingStub transfers) {
        this.transfers = transfers;
    }

    public static void main(String[] arguments) throws Exception {
        ManagedChannel channel = channel();
        try {
            new FirstDay(TransferServiceGrpc.newBlockingStub(channel)).play();
        } finally {
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    /** A channel that shows the key with every call and repeats what the published policy allows. */
    private static ManagedChannel channel() throws IOException {
        Metadata metadata = new Metadata();
        metadata.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                "Bearer " + System.getenv("EXCHANGE_KEY"));
        String policy = Files.readString(Path.of(System.getenv("RETRY_POLICY")));
        @SuppressWarnings("unchecked")
        Map<String, ?> serviceConfig = new Gson().fromJson(policy, Map.class);
        return NettyChannelBuilder.forTarget(System.getenv("EXCHANGE_ADDRESS"))
                .usePlaintext()
                .defaultServiceConfig(serviceConfig)
                .enableRetry()
                .intercept(MetadataUtils.newAttachHeadersInterceptor(metadata))
                .build();
    }

    private void play() throws InvalidProtocolBufferException {
        Transfer earned = soon().earnPoints(EarnPointsRequest.newBuilder()
                        .setRequestId(UUID.randomUUID().toString())
                        .setMemberReference(member)
                        .setPoints(bnk(250_000))
                        .build())
                .getTransfer();
        System.out.println("earned 250000 BNK");

        ConvertPointsRequest convert = conversion(100_000);
        Transfer converted = soon().convertPoints(convert).getTransfer();
        System.out.printf(
                "converted %d BNK into %d AIR%n",
                converted.getUsed().getUnits(), converted.getReceived().getUnits());

        try {
            soon().convertPoints(conversion(999_000));
        } catch (StatusRuntimeException refused) {
            ErrorInfo info = errorInfo(refused);
            Map<String, String> data = info.getMetadataMap();
            System.out.printf(
                    "refused: %s, %s available, %s requested%n",
                    info.getReason(), data.get("available"), data.get("requested"));
        }

        System.out.println("replayed: " + soon().convertPoints(convert).getReplayed());
        list(earned.getMember());
    }

    private void list(String memberName) {
        StringBuilder kinds = new StringBuilder("listed:");
        String token = "";
        do {
            ListTransfersResponse page = soon().listTransfers(ListTransfersRequest.newBuilder()
                    .setMember(memberName)
                    .setPageSize(1)
                    .setPageToken(token)
                    .build());
            page.getTransfersList().forEach(transfer -> kinds.append(' ').append(transfer.getKind()));
            token = page.getNextPageToken();
        } while (!token.isEmpty());
        System.out.println(kinds);
    }

    /** The stub for one call: its deadline runs from now. */
    private TransferServiceBlockingStub soon() {
        return transfers.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    private ConvertPointsRequest conversion(long units) {
        return ConvertPointsRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setMemberReference(member)
                .setSource(bnk(units))
                .setTargetCurrency(AIR)
                .build();
    }

    private static PointsAmount bnk(long units) {
        return PointsAmount.newBuilder().setCurrency(BNK).setUnits(units).build();
    }

    /** The reason and its data behind a failed call; without one the outcome is unknown, and the failure goes on. */
    private static ErrorInfo errorInfo(StatusRuntimeException failure) throws InvalidProtocolBufferException {
        Status status = StatusProto.fromThrowable(failure);
        if (status != null) {
            for (Any detail : status.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    return detail.unpack(ErrorInfo.class);
                }
            }
        }
        throw failure;
    }
}
