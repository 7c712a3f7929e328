//! Signs by which a binary gives away what was compiled into it: LLVM, a JIT, dynamic look-up, Rust, binding frameworks.

use capi::{Framework, Marker};
use memchr::memmem;
use objfile::{Object, ReadOnlySection};

/// How LLVM is in a binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LlvmSign {
    /// Not at all.
    #[default]
    None,
    /// It takes LLVM's symbols from another library.
    Linked,
    /// LLVM's code is in it.
    Carried,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// LLVM.
    pub llvm: LlvmSign,
    /// A code generator that runs in the process: ORC, MCJIT, asmjit, Cranelift, libgccjit.
    pub jit: bool,
    /// `dlsym`, `GetProcAddress` or their kin.
    pub lookup: bool,
    /// `assert` that was not compiled out.
    pub asserts: bool,
    /// Rust's standard library.
    pub rust: bool,
}

impl Signs {
    /// Whether code is generated at run time, as far as one can tell.
    pub fn generates_code(self) -> bool {
        self.jit || self.llvm != LlvmSign::None
    }
}

/// Functions that find an address by name.
const LOOKUPS: [&str; 6] =
    ["dlsym", "dlvsym", "GetProcAddress", "NSLookupSymbolInImage", "PyOS_GetProcAddress", "g_module_symbol"];

/// What `assert` calls: glibc and musl, macOS, Windows.
const ASSERTS: [&str; 6] = ["__assert_fail", "__assert_rtn", "__assert", "_assert", "_wassert", "__assert_func"];

/// Texts that code generators carry, also stripped: LLVM's fatal errors, ORC's look-ups, others' namespaces.
const LLVM_TEXT: &[u8] = b"LLVM ERROR: ";
const JIT_TEXTS: [&[u8]; 4] = [b"JITDylib", b"asmjit::", b"cranelift_jit", b"LLVMCreateMCJITCompiler"];
const RUST_TEXT: &[u8] = b"/rustc/";

/// Whether a symbol is one of LLVM's C or C++ API (Itanium and Microsoft mangling).
pub(crate) fn is_llvm_symbol(name: &str) -> bool {
    match name.as_bytes() {
        [b'L', b'L', b'V', b'M', next, ..] => next.is_ascii_uppercase(),
        [b'_', b'Z', rest @ ..] => {
            rest.starts_with(b"N4llvm")
                || rest.starts_with(b"NK4llvm")
                || rest.starts_with(b"TVN4llvm")
                || rest.starts_with(b"TIN4llvm")
        }
        [b'?', ..] => name.contains("@llvm@@"),
        _ => false,
    }
}

/// Functions that no header instantiates: who exports one of them has LLVM's core inside. Clang's and MLIR's libraries
/// export thousands of instantiations of LLVM's templates and none of these.
pub(crate) const LLVM_CORE: [&str; 3] =
    ["LLVMContextCreate", "_ZN4llvm11LLVMContextC1Ev", "??0LLVMContext@llvm@@QEAA@XZ"];

pub(crate) fn is_llvm_core(name: &str) -> bool {
    LLVM_CORE.contains(&name)
}

/// From symbols and needed libraries alone.
pub(crate) fn of_symbols(object: &Object<'_>) -> Signs {
    let mut signs = Signs::default();
    for import in &object.imports {
        let name = import.name;
        signs.lookup |= LOOKUPS.contains(&name);
        signs.asserts |= ASSERTS.contains(&name);
        if is_llvm_symbol(name) {
            signs.llvm = signs.llvm.max(LlvmSign::Linked);
            signs.jit |= name.contains("3orc")
                || name.contains("@orc@")
                || name.starts_with("LLVMOrc")
                || name.contains("MCJIT");
        }
    }
    for needed in &object.needed {
        if llvm::recognise(needed.name).is_some() {
            signs.llvm = signs.llvm.max(LlvmSign::Linked);
        }
        signs.jit |= needed.name.contains("libgccjit");
    }
    if object.exports.iter().any(|export| is_llvm_core(&export.name)) {
        signs.llvm = LlvmSign::Carried;
    }
    signs
}

/// Adds what the constant data give away.
pub(crate) fn add_texts(signs: &mut Signs, sections: &[ReadOnlySection<'_>]) {
    if has_text(sections, LLVM_TEXT) {
        signs.llvm = LlvmSign::Carried;
    }
    signs.jit |= JIT_TEXTS.iter().any(|text| has_text(sections, text));
    signs.rust |= has_text(sections, RUST_TEXT);
}

fn has_text(sections: &[ReadOnlySection<'_>], text: &[u8]) -> bool {
    let finder = memmem::Finder::new(text);
    sections.iter().any(|section| finder.find(section.bytes).is_some())
}

/// Whether a framework made the object, by any of its markers.
pub(crate) fn made_by(framework: Framework, object: &Object<'_>, sections: &[ReadOnlySection<'_>]) -> bool {
    let symbol = |test: &dyn Fn(&str) -> bool| {
        object.imports.iter().any(|import| test(import.name)) || object.exports.iter().any(|export| test(&export.name))
    };
    framework.markers().iter().any(|marker| match *marker {
        Marker::Text(text) => has_text(sections, text.as_bytes()),
        Marker::SymbolPrefix(prefix) => symbol(&|name| name.starts_with(prefix)),
        Marker::SymbolContains(part) => symbol(&|name| name.contains(part)),
    })
}
