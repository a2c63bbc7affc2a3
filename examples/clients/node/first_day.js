// A merchant's first day: awards, converts, is refused, asks again, and lists what happened.
// Stubs are made from the protos when the program starts; nothing is generated beforehand.
"use strict";

const { randomUUID } = require("node:crypto");
const fs = require("node:fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");

const { EXCHANGE_ADDRESS, EXCHANGE_KEY, EXCHANGE_MEMBER, PROTOS, GOOGLEAPIS, RETRY_POLICY } = process.env;
const DEADLINE_MS = 30_000;

// 64-bit figures are strings: a JavaScript number holds only 53 bits.
const definition = loader.loadSync("exchange/v1/transfer_service.proto", {
  includeDirs: [PROTOS, GOOGLEAPIS],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
});
const { TransferService } = grpc.loadPackageDefinition(definition).exchange.v1;

const details = new protobuf.Root();
details.resolvePath = (_, target) =>
  target.startsWith("google/rpc/") ? `${GOOGLEAPIS}/${target}` : protobuf.common.get(target) ? target : null;
details.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"], { keepCase: true });
const Status = details.lookupType("google.rpc.Status");
const ErrorInfo = details.lookupType("google.rpc.ErrorInfo");

// The ErrorInfo behind a failed call: the reason and its data. Undefined: the outcome is unknown.
function errorInfo(error) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const packed = bytes && Status.decode(bytes).details.find((one) => one.type_url.endsWith("/google.rpc.ErrorInfo"));
  return packed && ErrorInfo.decode(packed.value);
}

// A plaintext channel takes no call credentials, so the key goes with each call.
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${EXCHANGE_KEY}`);
const client = new TransferService(EXCHANGE_ADDRESS, grpc.credentials.createInsecure(), {
  "grpc.service_config": fs.readFileSync(RETRY_POLICY, "utf-8"),
});

function ask(method, request) {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    client[method](request, metadata, options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function main() {
  const bnk = (units) => ({ currency: "currencies/BNK", units: String(units) });
  const member_reference = EXCHANGE_MEMBER;

  const earned = await ask("EarnPoints", { request_id: randomUUID(), member_reference, points: bnk(250000) });
  console.log("earned 250000 BNK");

  const target_currency = "currencies/AIR";
  const convert = { request_id: randomUUID(), member_reference, source: bnk(100000), target_currency };
  const { transfer } = await ask("ConvertPoints", convert);
  console.log(`converted ${transfer.used.units} BNK into ${transfer.received.units} AIR`);

  try {
    await ask("ConvertPoints", { request_id: randomUUID(), member_reference, source: bnk(999000), target_currency });
  } catch (error) {
    const info = errorInfo(error);
    if (info?.reason !== "INSUFFICIENT_POINTS") throw error;
    const { available, requested } = info.metadata;
    console.log(`refused: ${info.reason}, ${available} available, ${requested} requested`);
  }

  const again = await ask("ConvertPoints", convert);
  console.log(`replayed: ${again.replayed}`);

  const kinds = [];
  const listing = { member: earned.transfer.member, page_size: 1, page_token: "" };
  do {
    const page = await ask("ListTransfers", listing);
    kinds.push(...page.transfers.map((one) => one.kind));
    listing.page_token = page.next_page_token;
  } while (listing.page_token);
  console.log("listed:", ...kinds);
}

main()
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => client.close());
