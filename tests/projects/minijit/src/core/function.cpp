#include "function.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/raw_ostream.h>

#include <utility>

#include "codegen.h"
#include "parser.h"
#include "target.h"

namespace minijit {
namespace {

/// Expression to optimised module, then `finish(module, machine)` while both are alive.
template <typename Finish>
auto compile(const Expression& expression, const Finish& finish) {
    llvm::LLVMContext context;
    const auto machine = make_target_machine();
    const auto module = generate(expression, context);
    optimise(*module, *machine);
    return finish(*module, *machine);
}

}  // namespace

Function::Function(std::string text, std::vector<std::string> variables)
    : expression_(parse(std::move(text), std::move(variables))), code_(compile(expression_, emit_object)) {}

std::string Function::ir() const {
    return compile(expression_, [](llvm::Module& module, llvm::TargetMachine&) {
        std::string text;
        llvm::raw_string_ostream out(text);
        module.print(out, nullptr);
        return out.str();
    });
}

std::string Function::assembly() const { return compile(expression_, emit_assembly); }

}  // namespace minijit
