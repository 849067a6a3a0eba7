// Runs every signature of a SavedModel through tensorflow::LoadSavedModel, the
// loader that TensorFlow Serving calls. No Python, no Keras.
//
// Usage: load_saved_model MODEL FOLDER
//
// For each signature NAME it reads FOLDER/NAME.INPUT.pb and writes
// FOLDER/NAME.OUTPUT.out.pb for every output: files of tensorflow.TensorProto.

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor.pb.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session_options.h"

namespace {

namespace tf = tensorflow;

absl::Status RunSignature(tf::Session* session, const tf::SignatureDef& signature,
                        const std::string& prefix) {
  std::vector<std::pair<std::string, tf::Tensor>> inputs;
  for (const auto& [name, info] : signature.inputs()) {
    tf::TensorProto proto;
    TF_RETURN_IF_ERROR(tf::ReadBinaryProto(
        tf::Env::Default(), prefix + "." + name + ".pb", &proto));
    tf::Tensor tensor;
    if (!tensor.FromProto(proto)) {
      return absl::InvalidArgumentError("Not a tensor: " + name);
    }
    inputs.emplace_back(info.name(), std::move(tensor));
  }
  std::vector<std::string> names, fetches;
  for (const auto& [name, info] : signature.outputs()) {
    names.push_back(name);
    fetches.push_back(info.name());
  }
  std::vector<tf::Tensor> outputs;
  TF_RETURN_IF_ERROR(session->Run(inputs, fetches, {}, &outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    tf::TensorProto proto;
    outputs[i].AsProtoTensorContent(&proto);
    TF_RETURN_IF_ERROR(tf::WriteBinaryProto(
        tf::Env::Default(), prefix + "." + names[i] + ".out.pb", proto));
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "Usage: load_saved_model MODEL FOLDER\n";
    return 2;
  }
  tf::SavedModelBundle bundle;
  absl::Status status =
      tf::LoadSavedModel(tf::SessionOptions(), tf::RunOptions(), argv[1],
                         {"serve"}, &bundle);
  for (const auto& [name, signature] : bundle.GetSignatures()) {
    if (!status.ok()) break;
    if (name.rfind("__", 0) == 0) continue;  // TensorFlow's own.
    status = RunSignature(bundle.GetSession(), signature,
                          std::string(argv[2]) + "/" + name);
    std::cout << name << ": " << status << std::endl;
  }
  if (!status.ok()) std::cerr << status << std::endl;
  return status.ok() ? 0 : 1;
}
