// A merchant's first day: awards, converts, is refused, asks again, and lists what happened.

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>

#include "exchange/v1/transfer_service.grpc.pb.h"

namespace v1 = exchange::v1;

namespace {

constexpr std::chrono::seconds kDeadline{30};

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

// 128 random bits: nobody else has this key.
std::string new_key() {
  std::random_device random;
  std::ostringstream key;
  for (int word = 0; word < 4; ++word) key << std::hex << random() << '-';
  return key.str();
}

v1::PointsAmount bnk(std::int64_t units) {
  v1::PointsAmount points;
  points.set_currency("currencies/BNK");
  points.set_units(units);
  return points;
}

v1::ConvertPointsRequest conversion(const std::string& member, std::int64_t units) {
  v1::ConvertPointsRequest request;
  request.set_request_id(new_key());
  request.set_member_reference(member);
  *request.mutable_source() = bnk(units);
  request.set_target_currency("currencies/AIR");
  return request;
}

// A channel that repeats what the published policy allows.
std::shared_ptr<grpc::Channel> connect() {
  std::ifstream file(setting("RETRY_POLICY"));
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(std::string(std::istreambuf_iterator<char>(file), {}));
  return grpc::CreateCustomChannel(setting("EXCHANGE_ADDRESS"), grpc::InsecureChannelCredentials(), arguments);
}

// What a call is sent with: the key, and a deadline that runs from now.
std::unique_ptr<grpc::ClientContext> soon() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("authorization", "Bearer " + setting("EXCHANGE_KEY"));
  context->set_deadline(std::chrono::system_clock::now() + kDeadline);
  return context;
}

void require(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

// The reason and its data behind a failed call; without one the outcome is unknown, and the failure goes on.
google::rpc::ErrorInfo error_info(const grpc::Status& status) {
  google::rpc::Status told;
  google::rpc::ErrorInfo info;
  if (told.ParseFromString(status.error_details())) {
    for (const auto& detail : told.details()) {
      if (detail.UnpackTo(&info)) return info;
    }
  }
  throw std::runtime_error(status.error_message());
}

void play() {
  const std::string member = setting("EXCHANGE_MEMBER");
  const auto transfers = v1::TransferService::NewStub(connect());

  v1::EarnPointsRequest earn;
  earn.set_request_id(new_key());
  earn.set_member_reference(member);
  *earn.mutable_points() = bnk(250'000);
  v1::EarnPointsResponse earned;
  require(transfers->EarnPoints(soon().get(), earn, &earned));
  std::cout << "earned 250000 BNK\n";

  const auto convert = conversion(member, 100'000);
  v1::ConvertPointsResponse converted;
  require(transfers->ConvertPoints(soon().get(), convert, &converted));
  std::cout << "converted " << converted.transfer().used().units() << " BNK into "
            << converted.transfer().received().units() << " AIR\n";

  v1::ConvertPointsResponse unused;
  const auto refused = transfers->ConvertPoints(soon().get(), conversion(member, 999'000), &unused);
  if (refused.ok()) throw std::runtime_error("too much was converted");
  const auto info = error_info(refused);
  std::cout << "refused: " << info.reason() << ", " << info.metadata().at("available") << " available, "
            << info.metadata().at("requested") << " requested\n";

  v1::ConvertPointsResponse again;
  require(transfers->ConvertPoints(soon().get(), convert, &again));
  std::cout << "replayed: " << std::boolalpha << again.replayed() << "\n";

  std::cout << "listed:";
  v1::ListTransfersRequest listing;
  listing.set_member(earned.transfer().member());
  listing.set_page_size(1);
  v1::ListTransfersResponse page;
  do {
    require(transfers->ListTransfers(soon().get(), listing, &page));
    for (const auto& transfer : page.transfers()) std::cout << ' ' << v1::Transfer_Kind_Name(transfer.kind());
    listing.set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty());
  std::cout << "\n";
}

}  // namespace

int main() {
  try {
    play();
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << "\n";
    return 1;
  }
  return 0;
}
