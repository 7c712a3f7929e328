//! The symbols of one image, kept small and found fast: one text, fixed records, exports in a sorted table with a
//! directory over the hash. Lookup takes constant time for usual images and never more than the logarithm of the table
//! for made-up ones (the order is by hash and name, not by hash alone).

use objfile::{Object, SymbolKind};
use std::collections::HashMap;

/// Where a text lies in the image's one string.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// All names of one image. Repeated texts that come one after the other are stored once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    all: String,
    limit: usize,
    last: Span,
    /// More than the limit was offered: names were left out.
    pub(crate) full: bool,
}

impl Text {
    /// A text that holds as much as names of a file of this size can reasonably need: string tables share suffixes,
    /// and a made-up file could name one long text a million times.
    pub(crate) fn for_file(size: usize) -> Self {
        let limit = size.saturating_mul(4).saturating_add(1 << 16).min(u32::MAX as usize);
        Self { limit, ..Self::default() }
    }

    pub(crate) fn add(&mut self, text: &str) -> Option<Span> {
        if !text.is_empty() && self.get(self.last) == text {
            return Some(self.last);
        }
        if self.all.len() + text.len() > self.limit {
            self.full = true;
            return None;
        }
        let span = Span { start: self.all.len() as u32, len: text.len() as u32 };
        self.all.push_str(text);
        self.last = span;
        Some(span)
    }

    pub(crate) fn get(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.all.get(start..start + span.len as usize).unwrap_or_default()
    }

    pub(crate) fn shrink(&mut self) {
        self.all.shrink_to_fit();
    }
}

/// A hash of a symbol's name: eight bytes at a time, multiply and rotate.
pub(crate) fn hash(name: &str) -> u32 {
    const K: u64 = 0x517c_c1b7_2722_0a95;
    let mut state = name.len() as u64;
    let mut chunks = name.as_bytes().chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.try_into().map_or(0, u64::from_le_bytes);
        state = (state.rotate_left(5) ^ word).wrapping_mul(K);
    }
    let rest = chunks.remainder().iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    state = (state.rotate_left(5) ^ rest).wrapping_mul(K);
    (state >> 32) as u32
}

pub(crate) const WEAK: u8 = 1;
pub(crate) const UNIQUE: u8 = 2;
pub(crate) const DEFAULT: u8 = 4;
pub(crate) const DELAYED: u8 = 8;
pub(crate) const FORWARD: u8 = 16;

/// No version.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
pub(crate) struct ExportRecord {
    pub(crate) name: Span,
    /// Into [`Symbols::versions`], or [`NONE`].
    pub(crate) version: u32,
    pub(crate) ordinal: Option<u16>,
    pub(crate) flags: u8,
    pub(crate) kind: SymbolKind,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ImportRecord {
    pub(crate) name: Span,
    pub(crate) hash: u32,
    pub(crate) version: u32,
    pub(crate) from: FromRecord,
    pub(crate) ordinal: Option<u16>,
    pub(crate) flags: u8,
    pub(crate) kind: SymbolKind,
}

/// [`objfile::Provider`], with the library as an index into [`Symbols::libraries`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum FromRecord {
    Unbound,
    Library(u32),
    SelfImage,
    MainExecutable,
    Flat,
    BadOrdinal(i32),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ForwardRecord {
    pub(crate) export: u32,
    pub(crate) library: Span,
    pub(crate) symbol: Span,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Symbols {
    pub(crate) text: Text,
    pub(crate) imports: Vec<ImportRecord>,
    pub(crate) exports: Vec<ExportRecord>,
    /// Sorted by export.
    pub(crate) forwards: Vec<ForwardRecord>,
    /// Distinct version names, with the index the file's own tables give them (0: unknown).
    pub(crate) versions: Vec<(Span, u16)>,
    pub(crate) libraries: Vec<Span>,
    table: Table,
}

impl Symbols {
    pub(crate) fn of(object: &Object<'_>) -> Self {
        let mut symbols = Self { text: Text::for_file(object.bytes.len()), ..Self::default() };
        let mut versions = Interned::default();
        let mut libraries = Interned::default();
        let indices: HashMap<&str, u16> = object.elf().map_or_else(HashMap::new, |elf| {
            elf.version_definitions.iter().map(|definition| (definition.name, definition.index)).collect()
        });
        symbols.imports.reserve_exact(object.imports.len());
        for import in &object.imports {
            let version = versions.of(import.version, &mut symbols.text);
            let from = match import.from {
                objfile::Provider::Unbound => FromRecord::Unbound,
                objfile::Provider::Library(library) => {
                    FromRecord::Library(libraries.of(Some(library), &mut symbols.text))
                }
                objfile::Provider::SelfImage => FromRecord::SelfImage,
                objfile::Provider::MainExecutable => FromRecord::MainExecutable,
                objfile::Provider::Flat => FromRecord::Flat,
                objfile::Provider::BadOrdinal(ordinal) => {
                    FromRecord::BadOrdinal(i32::try_from(ordinal).unwrap_or(i32::MAX))
                }
            };
            let Some(name) = symbols.text.add(import.name) else { continue };
            let flags = flag(WEAK, import.weak) | flag(DELAYED, import.delayed);
            symbols.imports.push(ImportRecord {
                name,
                hash: hash(import.name),
                version,
                from,
                ordinal: import.ordinal,
                flags,
                kind: import.kind,
            });
        }
        let mut keys = Vec::with_capacity(object.exports.len());
        symbols.exports.reserve_exact(object.exports.len());
        for export in &object.exports {
            let version = versions.of(export.version.map(|version| version.name), &mut symbols.text);
            let Some(name) = symbols.text.add(&export.name) else { continue };
            let id = symbols.exports.len() as u32;
            let mut flags = flag(WEAK, export.weak)
                | flag(UNIQUE, export.unique)
                | flag(DEFAULT, export.version.is_none_or(|version| version.default));
            if let Some((library, symbol)) = export.forward()
                && let (Some(library), Some(symbol)) = (symbols.text.add(library), symbols.text.add(symbol))
            {
                flags |= FORWARD;
                symbols.forwards.push(ForwardRecord { export: id, library, symbol });
            }
            keys.push((hash(&export.name), id));
            symbols.exports.push(ExportRecord { name, version, ordinal: export.ordinal, flags, kind: export.kind });
        }
        symbols.versions = versions
            .spans
            .iter()
            .map(|&span| (span, indices.get(symbols.text.get(span)).copied().unwrap_or(0)))
            .collect();
        symbols.libraries = libraries.spans;
        symbols.text.shrink();
        symbols.table = Table::of(keys, &symbols.exports, &symbols.text);
        symbols
    }

    pub(crate) fn version(&self, version: u32) -> Option<&str> {
        self.versions.get(version as usize).map(|(span, _)| self.text.get(*span))
    }

    /// The index that the file's version table gives this version; 0 if it has none.
    pub(crate) fn version_index(&self, version: u32) -> u16 {
        self.versions.get(version as usize).map_or(0, |(_, index)| *index)
    }

    /// All exports of this name, in the order of the file; at most [`Table::RUN`].
    pub(crate) fn find(&self, name: &str, hash: u32) -> impl Iterator<Item = u32> + '_ {
        self.table.find(name, hash, &self.exports, &self.text)
    }

    /// The hashes of all exports, sorted, repeated where exports share one.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u32> + '_ {
        self.table.sorted.iter().map(|(hash, _)| *hash)
    }

    pub(crate) fn find_ordinal(&self, ordinal: u16) -> Option<u32> {
        let at = self.table.ordinals.partition_point(|(known, _)| *known < ordinal);
        self.table.ordinals.get(at).filter(|(known, _)| *known == ordinal).map(|(_, id)| *id)
    }

    pub(crate) fn forward(&self, export: u32) -> Option<(&str, &str)> {
        let at = self.forwards.partition_point(|forward| forward.export < export);
        let forward = self.forwards.get(at).filter(|forward| forward.export == export)?;
        Some((self.text.get(forward.library), self.text.get(forward.symbol)))
    }
}

const fn flag(bit: u8, set: bool) -> u8 {
    if set { bit } else { 0 }
}

/// Names of which there are few: versions and libraries.
#[derive(Default)]
struct Interned {
    spans: Vec<Span>,
    known: HashMap<String, u32>,
    last: u32,
}

impl Interned {
    fn of(&mut self, name: Option<&str>, text: &mut Text) -> u32 {
        let Some(name) = name else { return NONE };
        // Symbols of one version or library mostly follow one another.
        if self.spans.get(self.last as usize).is_some_and(|span| text.get(*span) == name) {
            return self.last;
        }
        if let Some(id) = self.known.get(name) {
            self.last = *id;
            return *id;
        }
        let Some(span) = text.add(name) else { return NONE };
        let id = self.spans.len() as u32;
        self.spans.push(span);
        self.known.insert(name.to_owned(), id);
        self.last = id;
        id
    }
}

/// Exports by hash and name.
#[derive(Debug, Clone, Default)]
struct Table {
    /// Sorted by hash, name, place in the file.
    sorted: Box<[(u32, u32)]>,
    /// Where the hashes with the first `bits` bits equal to the index begin in `sorted`; one more entry than buckets.
    buckets: Box<[u32]>,
    shift: u32,
    /// PE: exports by ordinal, sorted.
    ordinals: Box<[(u16, u32)]>,
}

impl Table {
    /// More exports of one name than any library has versions.
    const RUN: usize = 256;

    fn of(mut sorted: Vec<(u32, u32)>, exports: &[ExportRecord], text: &Text) -> Self {
        let name = |id: u32| exports.get(id as usize).map_or("", |export| text.get(export.name));
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| name(a.1).cmp(name(b.1))).then(a.1.cmp(&b.1)));
        let bits = sorted.len().max(1).ilog2().clamp(1, 20);
        let shift = 32 - bits;
        let mut buckets = vec![0_u32; (1 << bits) + 1];
        for (hash, _) in &sorted {
            if let Some(count) = buckets.get_mut((hash >> shift) as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut buckets {
            sum += *count;
            *count = sum;
        }
        let mut ordinals: Vec<(u16, u32)> = exports
            .iter()
            .zip(0_u32..)
            .filter_map(|(export, id)| export.ordinal.map(|ordinal| (ordinal, id)))
            .collect();
        ordinals.sort_unstable();
        Self { sorted: sorted.into(), buckets: buckets.into(), shift, ordinals: ordinals.into() }
    }

    fn find<'a>(
        &'a self,
        name: &str,
        hash: u32,
        exports: &'a [ExportRecord],
        text: &'a Text,
    ) -> impl Iterator<Item = u32> + 'a {
        let bucket = (hash.checked_shr(self.shift).unwrap_or(0)) as usize;
        let start = self.buckets.get(bucket).copied().unwrap_or(0) as usize;
        let end = self.buckets.get(bucket + 1).copied().unwrap_or(0) as usize;
        let slice = self.sorted.get(start..end).unwrap_or_default();
        let named = |id: u32| exports.get(id as usize).map_or("", |export| text.get(export.name));
        let first = if slice.len() <= 8 {
            slice.iter().position(|(known, id)| *known == hash && named(*id) == name).unwrap_or(slice.len())
        } else {
            slice.partition_point(|(known, id)| (*known, named(*id)) < (hash, name))
        };
        let run = slice.get(first..).unwrap_or_default();
        let len = run.iter().take(Self::RUN).take_while(|(known, id)| *known == hash && named(*id) == name).count();
        run.get(..len).unwrap_or_default().iter().map(|(_, id)| *id)
    }
}
