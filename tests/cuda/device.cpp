// One pretended CUDA device for a CPU build of torch: memory of the host under the name "cuda:0". See device.py.
//
// Tensors are torch's own. Each operation on the device checks CUDA's rules, runs the CPU's kernel on the same memory,
// and reports where CUDA's host would wait. Load it before torch is imported, which asks for its CUDA hooks.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#include <deque>
#include <set>

namespace {
using namespace c10;
using at::Tensor;
const Device HOST(DeviceType::CPU), CUDA(DeviceType::CUDA, 0);

// ---- What Python is told, and what has not arrived on the host yet.
void (*listener)(const char*) = nullptr;
std::deque<std::pair<Tensor, Tensor>> pending;  // (place on the host, value) of asynchronous copies
int64_t arrived = 0;                            // copies that have left `pending`

void arrive(int64_t until) {
  for (; arrived < until && !pending.empty(); ++arrived, pending.pop_front())
    pending.front().first.copy_(pending.front().second);
}
bool forbidden = false;  // torch.cuda.set_sync_debug_mode("error")
void wait(const std::string& why) {
  TORCH_CHECK(!forbidden, "called a synchronizing CUDA operation");
  arrive(INT64_MAX);
  if (listener) listener(why.c_str());
}

// ---- Memory: the CPU's.
struct Memory final : Allocator {
  Device device;
  std::set<const void*> pinned;  // of a host's memory
  explicit Memory(Device device) : device(device) {}
  DataPtr allocate(size_t bytes) override {
    auto* own = new DataPtr(GetAllocator(DeviceType::CPU)->allocate(bytes));
    if (device == HOST) pinned.insert(own->get());
    return {own->get(), own, &free, device};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
  static void free(void* own);
};
Memory on_device(CUDA), pinned(HOST);
void Memory::free(void* own) {
  ::pinned.pinned.erase(static_cast<DataPtr*>(own)->get());
  delete static_cast<DataPtr*>(own);
}

Storage relabelled(const Storage& storage, Device device) {  // the same memory under another device's name
  auto* keeps = new Storage(storage);
  DataPtr data(storage.mutable_data(), keeps, [](void* kept) { delete static_cast<Storage*>(kept); }, device);
  auto* allocator = device == CUDA ? &on_device : GetAllocator(DeviceType::CPU);
  return Storage(Storage::use_byte_size_t(), storage.nbytes(), std::move(data), allocator, true);
}
Tensor relabelled(const Tensor& tensor, Storage storage) {
  auto key = storage.device() == CUDA ? DispatchKey::CUDA : DispatchKey::CPU;
  auto made = at::detail::make_tensor<TensorImpl>(std::move(storage), DispatchKeySet(key), tensor.dtype());
  auto* inside = made.unsafeGetTensorImpl();
  inside->set_sizes_and_strides(tensor.sizes(), tensor.strides(), tensor.storage_offset());
  if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) inside->set_wrapped_number(true);
  return made;
}
Tensor on_host(const Tensor& tensor) {
  return tensor.is_cuda() ? relabelled(tensor, relabelled(tensor.storage(), HOST)) : tensor;
}

// ---- Random numbers: the CPU's, of a twin that is on the CPU.
struct Generator final : GeneratorImpl {
  at::Generator twin;
  uint64_t offset = 0;
  explicit Generator(at::Generator twin)
      : GeneratorImpl(CUDA, DispatchKeySet(DispatchKey::CUDA)), twin(std::move(twin)) {}
  void set_current_seed(uint64_t seed) override { twin.set_current_seed(seed), offset = 0; }
  uint64_t current_seed() const override { return twin.current_seed(); }
  uint64_t seed() override { return offset = 0, twin.seed(); }
  void set_offset(uint64_t to) override {
    TORCH_CHECK(to % 4 == 0, "offset must be a multiple of 4");
    offset = to;
  }
  uint64_t get_offset() const override { return offset; }
  // As on CUDA the state holds the offset too: the twin's state, and 8 bytes.
  intrusive_ptr<TensorImpl> get_state() const override {
    auto own = at::empty({8}, at::kByte);
    std::memcpy(own.mutable_data_ptr(), &offset, 8);
    return at::cat({twin.get_state(), own}).getIntrusivePtr();
  }
  void set_state(const TensorImpl& state) override {
    auto whole = Tensor(intrusive_ptr<TensorImpl>::reclaim_copy(const_cast<TensorImpl*>(&state)));
    auto size = whole.numel() - 8;
    TORCH_CHECK(size == twin.get_state().numel(), "RNG state is wrong size");
    twin.set_state(whole.narrow(0, 0, size).clone());
    std::memcpy(&offset, static_cast<const char*>(whole.const_data_ptr()) + size, 8);
  }
  void graphsafe_set_state(const intrusive_ptr<GeneratorImpl>& from) override {
    auto& other = static_cast<Generator&>(*from);
    twin = other.twin, offset = other.offset;
  }
  intrusive_ptr<GeneratorImpl> graphsafe_get_state() const override { return clone(); }
  GeneratorImpl* clone_impl() const override {
    auto* made = new Generator(twin.clone());
    return made->offset = offset, made;
  }
};
at::Generator new_generator() {
  return at::Generator(make_intrusive<Generator>(at::make_generator<at::CPUGeneratorImpl>()));
}
const at::Generator& default_generator() {  // the first that Python asks for
  static const auto only = new_generator();
  return only;
}

// ---- Operations.
const std::set<std::string> WAITS = {
    "_local_scalar_dense", "nonzero",  "masked_select",   "equal",        "unique_dim",  "_unique2", "unique_consecutive",
    "bincount",            "is_nonzero", "linalg_eigvals", "_linalg_eigvals", "linalg_eig"};
const std::string DIFFERENT = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! (";

struct Call {  // the arguments of an operation, made the CPU's
  std::string name;
  std::vector<std::pair<Tensor, Tensor>> aliases;  // (on the device, the same on the host)
  bool indexes = false;

  Tensor host(const Tensor& given, bool written, bool in_list) {
    if (!given.defined() || !given.is_cuda()) {
      bool single = given.defined() && given.dim() == 0 && !written && !in_list;  // CUDA takes it as a number
      TORCH_CHECK(!given.defined() || single, DIFFERENT, name, ")");
      return given;
    }
    for (auto& [own, alias] : aliases)
      if (own.is_same(given)) return alias;
    aliases.emplace_back(given, on_host(given));
    return aliases.back().second;
  }
  Tensor index(const Tensor& given) {
    if (!given.defined()) return given;
    if (given.scalar_type() == at::kBool || given.scalar_type() == at::kByte) wait(name + " by a mask");
    return on_host(given);
  }
  IValue argument(const IValue& given, bool written) {
    if (given.isTensor()) return host(given.toTensor(), written, false);
    if (given.isTensorList()) {
      List<Tensor> made;
      for (const Tensor& one : given.toTensorVector()) made.push_back(host(one, written, true));
      return made;
    }
    if (given.isOptionalTensorList()) {
      List<std::optional<Tensor>> made;
      for (const auto& one : given.toOptionalTensorVector()) made.push_back(one ? std::optional(index(*one)) : one);
      return made;
    }
    if (given.isDevice()) return HOST;
    if (given.isStorage()) return relabelled(given.toStorage(), HOST);
    if (given.isGenerator()) {
      TORCH_CHECK(given.toGenerator().device().is_cuda(), "Expected a 'cuda' device type for generator but found 'cpu'");
      return given.toGenerator().get<Generator>()->twin;
    }
    return given;
  }
  Tensor result(const Tensor& made) {
    if (!made.defined()) return made;
    for (auto& [own, alias] : aliases)
      if (alias.is_same(made)) return own;
    for (auto& [own, alias] : aliases)
      if (alias.storage().is_alias_of(made.storage())) return relabelled(made, own.storage());  // a view
    return relabelled(made, relabelled(made.storage(), CUDA));
  }
  void resize() {  // what an operation has given other memory or another shape
    for (auto& [own, alias] : aliases) {
      auto* inside = own.unsafeGetTensorImpl();
      if (alias.storage().data() != own.storage().data()) inside->set_storage_keep_dtype(relabelled(alias.storage(), CUDA));
      if (alias.sizes() != own.sizes() || alias.strides() != own.strides())
        inside->set_sizes_and_strides(alias.sizes(), alias.strides(), alias.storage_offset());
    }
  }
};

void run(const OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  Call call{schema.name().substr(schema.name().find("::") + 2)};
  bool indexing = call.name.find("index") != std::string::npos;
  const auto count = schema.arguments().size(), first = stack->size() - count;
  if (indexing && count > 1 && (*stack)[first].isTensor() && (*stack)[first + 1].isOptionalTensorList())
    TORCH_CHECK((*stack)[first].toTensor().is_cuda(),
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)");
  const bool to_host = count && (*stack)[first].isTensor() && !(*stack)[first].toTensor().is_cuda();
  for (size_t i = 0; i < count; ++i)
    TORCH_CHECK(!to_host || !(*stack)[first + i].isGenerator(),
                "Expected a 'cpu' device type for generator but found 'cuda'");
  for (size_t i = 0; i < count; ++i) {
    auto& given = (*stack)[first + i];
    const auto& argument = schema.arguments()[i];
    if (given.isNone() && argument.name() == "generator") given = default_generator();
    given = call.argument(given, argument.alias_info() && argument.alias_info()->isWrite());
  }
  if (WAITS.count(call.name)) wait(call.name);
  op.redispatchBoxed(DispatchKeySet(DispatchKey::CPU), stack);
  call.resize();
  for (auto& made : *stack) {
    if (made.isTensor()) made = call.result(made.toTensor());
    if (made.isTensorList()) {
      List<Tensor> results;
      for (const Tensor& one : made.toTensorVector()) results.push_back(call.result(one));
      made = results;
    }
  }
}

Tensor& copy(Tensor& to, const Tensor& from, bool non_blocking) {
  const Tensor value = on_host(from);
  if (to.is_cuda() == from.is_cuda()) return on_host(to).copy_(value), to;
  // What is converted or laid out anew on its way to the device becomes an unpinned tensor of the host first.
  const bool as_it_is = from.scalar_type() == to.scalar_type() && from.is_non_overlapping_and_dense();
  const bool is_pinned = to.is_cuda() ? from.is_pinned() && as_it_is : to.is_pinned();
  const std::string way = to.is_cuda() ? "copy to the device" : "copy to the host";
  if (!non_blocking || !is_pinned) wait(way + (non_blocking ? ", unpinned" : ""));
  else if (!to.is_cuda()) {  // until somebody waits for it there is nonsense
    pending.emplace_back(to, value.clone());
    return std::memset(to.mutable_data_ptr(), 0xff, to.nbytes()), to;
  }
  return on_host(to).copy_(value), to;
}

// ---- The device itself, for autograd and for the factories of torch.
struct Guard final : impl::DeviceGuardImplInterface {
  DeviceType type() const override { return DeviceType::CUDA; }
  Device exchangeDevice(Device) const override { return CUDA; }
  Device getDevice() const override { return CUDA; }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  Stream getStream(Device d) const noexcept override { return Stream(Stream::DEFAULT, d); }
  Stream getDefaultStream(Device d) const override { return Stream(Stream::DEFAULT, d); }
  Stream getNewStream(Device d, int) const override { return Stream(Stream::DEFAULT, d); }
  Stream exchangeStream(Stream s) const noexcept override { return s; }
  DeviceIndex deviceCount() const noexcept override { return 1; }
  bool queryStream(const Stream&) const override { return true; }
  void synchronizeStream(const Stream&) const override { wait("synchronize"); }
  void synchronizeDevice(const DeviceIndex) const override { wait("synchronize"); }
  void record(void**, const Stream&, const DeviceIndex, const EventFlag) const override {}
  void block(void*, const Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}
};
struct Hooks final : at::CUDAHooksInterface {
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex current_device() const override { return 0; }
  DeviceIndex getCurrentDevice() const override { return 0; }
  DeviceIndex deviceCount() const override { return 1; }
  int getNumGPUs() const override { return 1; }
  void setCurrentDevice(DeviceIndex) const override {}
  DeviceIndex exchangeDevice(DeviceIndex) const override { return 0; }
  DeviceIndex maybeExchangeDevice(DeviceIndex) const override { return 0; }
  Device getDeviceFromPtr(void*) const override { return CUDA; }
  at::Generator getNewGenerator(DeviceIndex) const override {
    static bool first = true;
    return std::exchange(first, false) ? default_generator() : new_generator();
  }
  const at::Generator& getDefaultGenerator(DeviceIndex) const override { return default_generator(); }
  Allocator* getPinnedMemoryAllocator() const override { return &pinned; }
  bool isPinnedPtr(const void* data) const override { return pinned.pinned.count(data) > 0; }
};
// Not C10_REGISTER_CLASS: the class must be known under the very name that torch asks for.
Registerer<std::string, std::unique_ptr<at::CUDAHooksInterface>, at::CUDAHooksArgs> hooks(
    "CUDAHooks", at::CUDAHooksRegistry(),
    [](at::CUDAHooksArgs) -> std::unique_ptr<at::CUDAHooksInterface> { return std::make_unique<Hooks>(); });

TORCH_LIBRARY_IMPL(_, CUDA, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&run>()); }
TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("copy_", &copy);
  // Composed of others on every device, on the CPU of others than on CUDA: here as on the CPU, to the last bit.
  for (auto* name : {"convolution", "convolution_backward"})
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&run>());
}
}  // namespace
namespace c10::impl { C10_REGISTER_GUARD_IMPL(CUDA, Guard) }

extern "C" {
void cuda_listen(void (*to)(const char*)) { listener = to; }
void cuda_forbid(bool so) { forbidden = so; }
int64_t cuda_copies() { return arrived + static_cast<int64_t>(pending.size()); }
void cuda_arrive(int64_t until) { arrive(until); }
}
