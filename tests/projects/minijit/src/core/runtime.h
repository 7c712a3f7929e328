// The C functions that compiled code may call: the one list that the optimiser, the linker and this extension's own imports agree on.
#pragma once

#include <llvm/Analysis/TargetLibraryInfo.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace minijit {

struct RuntimeFunction {
    const char* name;
    /// Where it is in this process, as the loader bound it for this extension.
    std::uintptr_t address;
    /// What the optimiser knows it as; nothing for one that only the code generator forms.
    std::optional<llvm::LibFunc> known_as;
};

/// Every function there is. Code that calls another does not link.
const std::vector<RuntimeFunction>& runtime_functions();

}  // namespace minijit
