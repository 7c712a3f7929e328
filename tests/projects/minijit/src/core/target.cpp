#include "target.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/Analysis/CGSCCPassManager.h>
#include <llvm/Analysis/LoopAnalysisManager.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CodeGen.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include "jit.h"
#include "runtime.h"

namespace minijit {
namespace {

llvm::orc::JITTargetMachineBuilder detect() {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto builder = take(llvm::orc::JITTargetMachineBuilder::detectHost(), "the host's CPU");
    // Code may lie far from the functions it calls; the linker puts stubs between them.
    builder.setRelocationModel(llvm::Reloc::PIC_);
    builder.setCodeModel(llvm::CodeModel::Small);
    return builder;
}

/// The optimiser may form calls to the runtime's functions and to no others.
llvm::TargetLibraryInfoImpl known_functions(const llvm::Triple& triple) {
    llvm::TargetLibraryInfoImpl known(triple);
    known.disableAllFunctions();
    for (const auto& function : runtime_functions()) {
        if (function.known_as) known.setAvailable(*function.known_as);
    }
    return known;
}

}  // namespace

const llvm::orc::JITTargetMachineBuilder& host() {
    static const llvm::orc::JITTargetMachineBuilder builder = detect();
    return builder;
}

std::unique_ptr<llvm::TargetMachine> make_target_machine() {
    auto builder = host();  // a copy: creating a machine is not const
    return take(builder.createTargetMachine(), "a target machine");
}

void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
    module.setDataLayout(machine.createDataLayout());
#if LLVM_VERSION_MAJOR >= 21
    module.setTargetTriple(machine.getTargetTriple());
#else
    module.setTargetTriple(machine.getTargetTriple().str());
#endif

    llvm::PipelineTuningOptions tuning;
    tuning.LoopVectorization = true;
    tuning.SLPVectorization = true;
    // The loops' time is in their bodies; copies of them would cost more to compile than they ever save.
    tuning.LoopUnrolling = false;
    llvm::PassBuilder builder(&machine, tuning);
    // In this order: each manager is destroyed before those it refers to.
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager sccs;
    llvm::ModuleAnalysisManager modules;
    const auto known = known_functions(machine.getTargetTriple());
    functions.registerPass([&] { return llvm::TargetLibraryAnalysis(known); });
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(sccs);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, sccs, modules);
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

std::unique_ptr<llvm::MemoryBuffer> emit_object(llvm::Module& module, llvm::TargetMachine& machine) {
    return take(llvm::orc::SimpleCompiler(machine)(module), "the object code");
}

std::string emit_assembly(llvm::Module& module, llvm::TargetMachine& machine) {
#if LLVM_VERSION_MAJOR >= 18
    const auto kind = llvm::CodeGenFileType::AssemblyFile;
#else
    const auto kind = llvm::CGFT_AssemblyFile;
#endif
    llvm::SmallString<0> text;
    llvm::raw_svector_ostream out(text);
    llvm::legacy::PassManager passes;
    if (machine.addPassesToEmitFile(passes, out, nullptr, kind)) throw JitError("this target cannot print assembly");
    passes.run(module);
    return std::string(text);
}

}  // namespace minijit
