//! goblin's own parsers, which share no code with ours but constants, must see the same symbols.
#![allow(clippy::unwrap_used)]

mod fixture;

use std::collections::BTreeSet;

use fixture::{bytes, object};
use goblin::Object as Goblin;
use wheelproof_objfile::Format;

#[test]
fn goblin_agrees() {
    let mut compared = 0;
    for name in fixture::ALL.into_iter().filter(|name| !name.contains(".obj") && !name.contains("universal")) {
        let bytes = bytes(name);
        let ours = match wheelproof_objfile::parse(&bytes).unwrap() {
            wheelproof_objfile::File::Object(_) => object(&bytes),
            _ => continue,
        };
        let imports: BTreeSet<&str> =
            ours.imports.iter().map(|import| import.name).filter(|name| !name.is_empty()).collect();
        let exports: BTreeSet<&str> =
            ours.exports.iter().map(|export| &*export.name).filter(|name| !name.is_empty()).collect();
        let (their_imports, their_exports): (BTreeSet<String>, BTreeSet<String>) = match Goblin::parse(&bytes).unwrap()
        {
            Goblin::Elf(elf) if elf.header.e_type == goblin::elf::header::ET_REL => {
                let symbols = || elf.syms.iter().filter(|symbol| symbol.st_bind() != 0 && symbol.st_name != 0);
                let text = |at| elf.strtab.get_at(at).unwrap().split('@').next().unwrap().to_owned();
                (
                    symbols().filter(|symbol| symbol.st_shndx == 0).map(|symbol| text(symbol.st_name)).collect(),
                    symbols().filter(|symbol| symbol.st_shndx != 0).map(|symbol| text(symbol.st_name)).collect(),
                )
            }
            Goblin::Elf(elf) => {
                let text = |at| elf.dynstrtab.get_at(at).unwrap().to_owned();
                let versions = ["DEMO_1".to_owned(), "DEMO_2".to_owned()];
                (
                    // Not goblin's `is_import`: that takes a thread-local symbol at offset 0 for one.
                    elf.dynsyms.iter().filter(|s| s.st_shndx == 0 && s.st_name != 0).map(|s| text(s.st_name)).collect(),
                    elf.dynsyms
                        .iter()
                        .filter(|s| s.st_shndx != 0 && s.st_bind() != 0)
                        .map(|s| text(s.st_name))
                        .filter(|name| !versions.contains(name))
                        .collect(),
                )
            }
            Goblin::PE(pe) => (
                pe.imports
                    .iter()
                    .map(|import| import.name.to_string())
                    .filter(|name| !name.starts_with("ORDINAL "))
                    .collect(),
                pe.exports.iter().filter_map(|export| export.name.map(ToOwned::to_owned)).collect(),
            ),
            Goblin::Mach(goblin::mach::Mach::Binary(macho)) => {
                let symbols: Vec<_> =
                    macho.symbols().map(Result::unwrap).filter(|(_, s)| s.is_global() && !s.is_stab()).collect();
                let strip = |name: &str| name.strip_prefix('_').unwrap_or(name).to_owned();
                (
                    symbols.iter().filter(|(_, s)| s.is_undefined()).map(|(name, _)| strip(name)).collect(),
                    if ours.macho().unwrap().export_trie {
                        macho.exports().unwrap().iter().map(|export| strip(&export.name)).collect()
                    } else {
                        let defined = symbols.iter().filter(|(_, s)| !s.is_undefined() && s.n_type & 0x10 == 0);
                        defined.map(|(name, _)| strip(name)).collect()
                    },
                )
            }
            other => panic!("{name}: {other:?}"),
        };
        if ours.pe().is_none_or(|pe| pe.import_descriptors.iter().all(|descriptor| !descriptor.delayed)) {
            assert!(
                imports.iter().copied().eq(their_imports.iter().map(String::as_str)),
                "{name}: {imports:?} {their_imports:?}"
            );
        }
        assert!(
            exports.iter().copied().eq(their_exports.iter().map(String::as_str)),
            "{name}: {exports:?} {their_exports:?}"
        );
        assert!(ours.format != Format::Elf || !exports.is_empty());
        compared += 1;
    }
    assert!(compared >= 15, "only {compared} were compared");
}
