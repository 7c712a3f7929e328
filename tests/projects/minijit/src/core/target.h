// The machine this process runs on, as LLVM sees it: optimising for it and emitting code for it.
#pragma once

#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

namespace minijit {

/// The host with all its CPU's features. Initialises LLVM's native target the first time.
const llvm::orc::JITTargetMachineBuilder& host();

/// A target machine of one's own: it must not be used by two threads at a time.
std::unique_ptr<llvm::TargetMachine> make_target_machine();

/// Runs the new pass manager's O2 pipeline; gives the module the machine's triple and data layout.
void optimise(llvm::Module& module, llvm::TargetMachine& machine);

/// What the linker takes. The module is used up: emitting rewrites it.
std::unique_ptr<llvm::MemoryBuffer> emit_object(llvm::Module& module, llvm::TargetMachine& machine);

/// What a person reads, from the same code generator. The module is used up.
std::string emit_assembly(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace minijit
