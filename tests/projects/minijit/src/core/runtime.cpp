#include "runtime.h"

#include <cstring>

#include <math.h>

namespace minijit {
namespace {

template <typename Result, typename... Parameters>
std::uintptr_t address(Result (*function)(Parameters...)) {
    return reinterpret_cast<std::uintptr_t>(function);
}

// `sin` and `memcpy` are overloaded in C++; these are the C ones.
using Unary = double (*)(double);
using Binary = double (*)(double, double);
using Scale = double (*)(double, int);
using Copy = void* (*)(void*, const void*, std::size_t);
using Fill = void* (*)(void*, int, std::size_t);

}  // namespace

const std::vector<RuntimeFunction>& runtime_functions() {
    static const std::vector<RuntimeFunction> functions = {
        {"sqrt", address(static_cast<Unary>(&::sqrt)), llvm::LibFunc_sqrt},
        {"sin", address(static_cast<Unary>(&::sin)), llvm::LibFunc_sin},
        {"cos", address(static_cast<Unary>(&::cos)), llvm::LibFunc_cos},
        {"exp", address(static_cast<Unary>(&::exp)), llvm::LibFunc_exp},
        {"log", address(static_cast<Unary>(&::log)), llvm::LibFunc_log},
        {"pow", address(static_cast<Binary>(&::pow)), llvm::LibFunc_pow},
        // made from `pow(2, x)`
        {"exp2", address(static_cast<Unary>(&::exp2)), llvm::LibFunc_exp2},
        {"ldexp", address(static_cast<Scale>(&::ldexp)), llvm::LibFunc_ldexp},
        // made from loops that copy or fill
        {"memcpy", address(static_cast<Copy>(&::memcpy)), llvm::LibFunc_memcpy},
        {"memmove", address(static_cast<Copy>(&::memmove)), llvm::LibFunc_memmove},
        {"memset", address(static_cast<Fill>(&::memset)), llvm::LibFunc_memset},
    // made by the code generator from `sin(x)` and `cos(x)` of one `x`
#if defined(__linux__)
        {"sincos", address(static_cast<void (*)(double, double*, double*)>(&::sincos)), std::nullopt},
#endif
    };
    return functions;
}

}  // namespace minijit
