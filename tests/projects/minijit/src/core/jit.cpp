#include "jit.h"

#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>

#include <atomic>

#include "codegen.h"
#include "runtime.h"
#include "target.h"

namespace minijit {
namespace {

namespace orc = llvm::orc;

#if LLVM_VERSION_MAJOR >= 17
orc::ExecutorSymbolDef callable(std::uintptr_t address) {
    return {orc::ExecutorAddr(address), llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
}
#else
llvm::JITEvaluatedSymbol callable(std::uintptr_t address) {
    return {address, llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
}
#endif

/// What went wrong inside the linker, which ORC reports apart from the lookup that fails because of it.
thread_local std::string last_report;

class Engine {
public:
    Engine() : jit_(start()), runtime_(session().createBareJITDylib("runtime")) {
        orc::SymbolMap symbols;
        for (const auto& function : runtime_functions()) symbols[jit_->mangleAndIntern(function.name)] = callable(function.address);
        check(runtime_.define(orc::absoluteSymbols(std::move(symbols))));
    }

    orc::JITDylib& open() {
        // Bare, because a platform's bookkeeping for a JITDylib would outlive it.
        auto& dylib = session().createBareJITDylib("function" + std::to_string(++count_));
        dylib.addToLinkOrder(runtime_);
        return dylib;
    }

    /// Frees everything that was linked into it.
    void close(orc::JITDylib& dylib) {
        // There is nobody to tell, and nothing to be done about it.
        llvm::consumeError(session().removeJITDylib(dylib));
    }

    void add(orc::JITDylib& dylib, std::unique_ptr<llvm::MemoryBuffer> object) { check(jit_->addObjectFile(dylib, std::move(object))); }

    template <typename Function>
    Function find(orc::JITDylib& dylib, const char* name) {
        last_report.clear();
        auto found = jit_->lookup(dylib, name);
        if (!found) throw JitError("LLVM could not link the code: " + llvm::toString(found.takeError()) + last_report);
#if LLVM_VERSION_MAJOR >= 15
        return reinterpret_cast<Function>(static_cast<std::uintptr_t>(found->getValue()));
#else
        return reinterpret_cast<Function>(static_cast<std::uintptr_t>(found->getAddress()));
#endif
    }

private:
    static std::unique_ptr<orc::LLJIT> start() {
        orc::LLJITBuilder builder;
        builder.setJITTargetMachineBuilder(host());
        // There are no initialisers to run and no process symbols to find.
        builder.setPlatformSetUp(orc::setUpInactivePlatform);
#if LLVM_VERSION_MAJOR >= 17
        builder.setLinkProcessSymbolsByDefault(false);
#endif
        auto jit = take(builder.create(), "a JIT");
        jit->getExecutionSession().setErrorReporter([](llvm::Error error) { last_report += "; " + llvm::toString(std::move(error)); });
        return jit;
    }

    static void check(llvm::Error error) {
        if (error) throw JitError("LLVM could not link the code: " + llvm::toString(std::move(error)));
    }

    orc::ExecutionSession& session() { return jit_->getExecutionSession(); }

    std::unique_ptr<orc::LLJIT> jit_;
    orc::JITDylib& runtime_;
    std::atomic<std::uint64_t> count_{0};
};

/// Made when first needed and never destroyed: functions may live until the interpreter is gone.
Engine& engine() {
    static Engine& instance = *new Engine;
    return instance;
}

/// Closes the JITDylib again if linking fails.
struct Opened {
    orc::JITDylib* dylib;
    ~Opened() {
        if (dylib) engine().close(*dylib);
    }
};

}  // namespace

Code::Code(std::unique_ptr<llvm::MemoryBuffer> object) : dylib_(engine().open()) {
    Opened opened{&dylib_};
    engine().add(dylib_, std::move(object));
    scalar_ = engine().find<Scalar>(dylib_, kScalarSymbol);
    array_ = engine().find<Array>(dylib_, kArraySymbol);
    opened.dylib = nullptr;
}

Code::~Code() { engine().close(dylib_); }

}  // namespace minijit
