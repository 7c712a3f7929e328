// An expression to LLVM IR. Knows what each operation computes; nothing about optimising, emitting or running.
#pragma once

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <memory>

#include "expression.h"

namespace minijit {

/// `double minijit_evaluate(const double* arguments)`: the value for one argument per variable.
constexpr char kScalarSymbol[] = "minijit_evaluate";

/// `void minijit_evaluate_array(double* out, const double* const* arguments, const int64_t* steps, int64_t count)`: `count` values; the i-th
/// takes `arguments[k][i * steps[k]]` for the k-th variable, so a step of 0 repeats a number and 1 walks an array.
constexpr char kArraySymbol[] = "minijit_evaluate_array";

/// A module with both functions, not yet optimised. `context` must outlive it.
std::unique_ptr<llvm::Module> generate(const Expression& expression, llvm::LLVMContext& context);

}  // namespace minijit
