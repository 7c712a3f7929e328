//! Symbols: what an object takes from others and what it gives to them.

use std::borrow::Cow;

/// A symbol that an object takes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import<'a> {
    /// The C name; empty where a PE image imports by ordinal alone. [`Import::label`] is never empty.
    pub name: &'a str,
    /// Where the format says it comes from.
    pub from: Provider<'a>,
    /// ELF: the version asked for, such as `GLIBC_2.28`.
    pub version: Option<&'a str>,
    /// What it is, where the format says so: ELF and COFF objects partly do, Mach-O where it is called through a stub,
    /// PE images never.
    pub kind: SymbolKind,
    /// Loading succeeds without it.
    pub weak: bool,
    /// PE: bound at the first call only, through a delay import.
    pub delayed: bool,
    /// PE: the ordinal of an import by ordinal.
    pub ordinal: Option<u16>,
}

impl<'a> Import<'a> {
    /// The name, or `#12` for an import by ordinal: for people.
    pub fn label(&self) -> Cow<'a, str> {
        label(Cow::Borrowed(self.name), self.ordinal)
    }
}

fn label(name: Cow<'_, str>, ordinal: Option<u16>) -> Cow<'_, str> {
    match ordinal {
        Some(ordinal) if name.is_empty() => format!("#{ordinal}").into(),
        _ => name,
    }
}

/// Where a symbol is to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider<'a> {
    /// The format does not say: ELF without a version, relocatable objects.
    Unbound,
    /// A library: for ELF the file of the version need (which file had the version at link time; any library in
    /// scope with that version serves), for Mach-O the install name of the two-level ordinal, for PE the DLL.
    Library(&'a str),
    /// Mach-O: the importing image itself.
    SelfImage,
    /// Mach-O: the program (`-bundle_loader`).
    MainExecutable,
    /// Mach-O: any image that is loaded (`-undefined dynamic_lookup`, or an image without two-level namespace).
    Flat,
    /// Mach-O: an ordinal beyond the list of libraries, which dyld refuses.
    BadOrdinal(i64),
}

/// What kind of thing a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// A variable or constant.
    Data,
    /// A thread-local variable.
    Tls,
    /// The file does not say.
    Unknown,
}

/// A symbol that an object gives to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export<'a> {
    /// The C name (owned only where a Mach-O export trie has it in pieces); empty for a PE export by ordinal alone.
    /// [`Export::label`] is never empty.
    pub name: Cow<'a, str>,
    /// ELF: the version it is defined at.
    pub version: Option<ExportVersion<'a>>,
    /// What it is.
    pub kind: SymbolKind,
    /// A weak definition.
    pub weak: bool,
    /// ELF `STB_GNU_UNIQUE`: one definition for the whole process, and the library is never unloaded.
    pub unique: bool,
    /// PE: its ordinal.
    pub ordinal: Option<u16>,
    /// Where it is.
    pub target: ExportTarget<'a>,
}

impl Export<'_> {
    /// The name, or `#12` for an export by ordinal alone: for people.
    pub fn label(&self) -> Cow<'_, str> {
        label(Cow::Borrowed(&*self.name), self.ordinal)
    }

    /// For a forwarded export, the library and the name there.
    pub fn forward(&self) -> Option<(&str, &str)> {
        match self.target {
            ExportTarget::Address(_) => None,
            ExportTarget::Forward { library, symbol: "" } => Some((library, &self.name)),
            ExportTarget::Forward { library, symbol } => Some((library, symbol)),
        }
    }
}

/// The version an ELF symbol is defined at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExportVersion<'a> {
    /// Its name, such as `LLVM_19.1`.
    pub name: &'a str,
    /// Whether it is the default (`name@@VERSION`), which the linker takes for references without a version.
    pub default: bool,
}

/// Where an exported symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportTarget<'a> {
    /// At this address: ELF `st_value`, Mach-O unslid address, PE RVA, a relocatable object's section offset.
    Address(u64),
    /// In another library: a PE forwarder (`NTDLL.RtlMoveMemory`, the library without `.dll` as written), or a
    /// Mach-O re-export from the export trie. By ordinal the symbol is `#12`.
    Forward {
        /// The other library.
        library: &'a str,
        /// The name there; empty where a Mach-O re-export keeps the name. See [`Export::forward`].
        symbol: &'a str,
    },
}
