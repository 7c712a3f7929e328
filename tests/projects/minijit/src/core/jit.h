// Object code to functions that run, through LLVM's ORC.
//
// One LLJIT serves the process. Each piece of code lives in a JITDylib of its own that sees the runtime's functions and nothing else: no
// symbol is looked up by name in the process.
#pragma once

#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBuffer.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace minijit {

/// LLVM could not do what it should always be able to.
class JitError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The value, or a JitError that names what was wanted.
template <typename T>
T take(llvm::Expected<T> value, const char* wanted) {
    if (!value) throw JitError(std::string("LLVM could not make ") + wanted + ": " + llvm::toString(value.takeError()));
    return std::move(*value);
}

/// Native code in memory. Owns it: the functions must not be called once this is gone.
class Code {
public:
    using Scalar = double (*)(const double* arguments);
    using Array = void (*)(double* out, const double* const* arguments, const std::int64_t* steps, std::int64_t count);

    /// Links an object that `codegen.h` describes. Any number of threads may do so at once.
    explicit Code(std::unique_ptr<llvm::MemoryBuffer> object);
    ~Code();
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    Scalar scalar() const { return scalar_; }
    Array array() const { return array_; }

private:
    llvm::orc::JITDylib& dylib_;
    Scalar scalar_ = nullptr;
    Array array_ = nullptr;
};

}  // namespace minijit
