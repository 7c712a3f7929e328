//! The header and the load commands.

use goblin::mach::header::{MH_CIGAM, MH_CIGAM_64, MH_DSYM, MH_DYLIB_STUB, MH_MAGIC, MH_MAGIC_64, MH_TWOLEVEL};
use goblin::mach::load_command as lc;

use super::{LoadCommand, MachOFacts, MachSection, MachSegment};
use crate::bytes::{Budget, Data, Names, Record, bad_value};
use crate::error::ParseError;
use crate::object::{DylibVersions, MinimumOs, Needed, NeededKind, OsVersion, Rpath, RpathKind, System};

const LC_DYLD_EXPORTS_TRIE: u32 = 0x8000_0033;
const LC_DYLD_CHAINED_FIXUPS: u32 = 0x8000_0034;
/// `DYLIB_USE_MARKER`: a dylib command that ends in flags of its own (macOS 15's `dylib_use_command`).
const DYLIB_USE_MARKER: u32 = 0x1a74_1800;

/// What the load commands say.
#[derive(Default)]
pub(super) struct Commands<'a> {
    pub(super) facts: MachOFacts<'a>,
    pub(super) wide: bool,
    pub(super) big: bool,
    pub(super) identity: Option<&'a str>,
    pub(super) needed: Vec<Needed<'a>>,
    /// The library of each two-level ordinal from 1 up; none where its name is unreadable.
    pub(super) ordinals: Vec<Option<&'a str>>,
    pub(super) rpaths: Vec<Rpath<'a>>,
    pub(super) minimum_os: Vec<MinimumOs>,
    pub(super) symtab: Option<Symtab>,
    /// Offset and number of the indirect symbol table.
    pub(super) indirect: (u64, u64),
    /// Offset and size of the export trie.
    pub(super) trie: Option<(u64, u64)>,
    /// Offset and size of the binding opcodes: those at load time, the lazy ones.
    pub(super) binds: [(u64, u64); 2],
    /// Offset and size of the chained fixups.
    pub(super) fixups: Option<(u64, u64)>,
    /// Offset and size of the code signature.
    pub(super) signature: Option<(u64, u64)>,
}

#[derive(Clone, Copy)]
pub(super) struct Symtab {
    pub(super) symbols: u64,
    pub(super) count: u64,
    pub(super) strings: u64,
    pub(super) strings_size: u64,
}

pub(super) fn read<'a>(bytes: &'a [u8], names: &mut Names<'a>) -> Result<Commands<'a>, ParseError> {
    const WHAT: &str = "Mach-O header";
    let magic = Data { bytes, big: false }.record(WHAT, 0, 4)?.u32(0);
    let (wide, big) = match magic {
        MH_MAGIC => (false, false),
        MH_CIGAM => (false, true),
        MH_MAGIC_64 => (true, false),
        MH_CIGAM_64 => (true, true),
        _ => return Err(bad_value(WHAT, 0, "magic", magic.into())),
    };
    let data = Data { bytes, big };
    let size = if wide { 32 } else { 28 };
    let header = data.record(WHAT, 0, size)?;
    let [cpu_type, cpu_subtype, file_type, count, commands_size, flags] =
        [4, 8, 12, 16, 20, 24].map(|at| header.u32(at));
    let mut commands = Commands { wide, big, ..Commands::default() };
    let facts = &mut commands.facts;
    (facts.cpu_type, facts.cpu_subtype, facts.file_type, facts.flags) = (cpu_type, cpu_subtype, file_type, flags);
    facts.two_level = flags & MH_TWOLEVEL != 0;
    facts.load_commands_end = size + u64::from(commands_size);
    data.slice("Mach-O load commands", size, commands_size.into())?;

    let mut offset = size;
    for _ in 0..count {
        let head = data.record("Mach-O load command", offset, 8)?;
        let (command, length) = (head.u32(0), head.u32(4));
        let end = offset + u64::from(length);
        if length < 8 || end > commands.facts.load_commands_end {
            return Err(bad_value("Mach-O load command", offset, "cmdsize", length.into()));
        }
        commands.facts.load_commands.push(LoadCommand { command, offset, size: length });
        let part = Data { bytes: data.slice("Mach-O load command", offset, length.into())?, big };
        commands.add(command, part, offset, names).map_err(|error| error.shifted(offset))?;
        offset = end;
    }
    commands.check_segments(data)?;
    commands.facts.header_pad = commands.header_pad();
    Ok(commands)
}

impl<'a> Commands<'a> {
    /// Takes up one command. Offsets in errors count from the command's start.
    fn add(&mut self, command: u32, part: Data<'a>, at: u64, names: &mut Names<'a>) -> Result<(), ParseError> {
        match command {
            lc::LC_SEGMENT => self.segment(part, false),
            lc::LC_SEGMENT_64 => self.segment(part, true),
            lc::LC_ID_DYLIB => {
                let name = name(part, at, 8, "install name", names)?;
                self.identity = name;
                self.facts.identity_versions = Some(dylib_versions(part.record("LC_ID_DYLIB command", 0, 24)?));
                Ok(())
            }
            lc::LC_LOAD_DYLIB | lc::LC_LOAD_WEAK_DYLIB => self.dylib(command, part, at, names),
            lc::LC_REEXPORT_DYLIB | lc::LC_LOAD_UPWARD_DYLIB | lc::LC_LAZY_LOAD_DYLIB => {
                self.dylib(command, part, at, names)
            }
            lc::LC_RPATH => {
                if let Some(path) = name(part, at, 8, "search path", names)? {
                    self.rpaths.push(Rpath { path, kind: RpathKind::LcRpath });
                }
                Ok(())
            }
            lc::LC_UUID => {
                let uuid = part.slice("LC_UUID command", 8, 16)?;
                self.facts.uuid = uuid.first_chunk().copied();
                Ok(())
            }
            lc::LC_SYMTAB => {
                let table = part.record("LC_SYMTAB command", 0, 24)?;
                let [symbols, count, strings, strings_size] = [8, 12, 16, 20].map(|at| u64::from(table.u32(at)));
                self.symtab = Some(Symtab { symbols, count, strings, strings_size });
                Ok(())
            }
            lc::LC_DYSYMTAB => {
                let table = part.record("LC_DYSYMTAB command", 0, 80)?;
                self.indirect = (table.u32(56).into(), table.u32(60).into());
                Ok(())
            }
            lc::LC_DYLD_INFO | lc::LC_DYLD_INFO_ONLY => {
                let info = part.record("LC_DYLD_INFO command", 0, 48)?;
                if info.u32(44) != 0 {
                    self.trie = Some((info.u32(40).into(), info.u32(44).into()));
                }
                self.binds = [16, 32].map(|at| (info.u32(at).into(), info.u32(at + 4).into()));
                self.facts.export_trie = true;
                Ok(())
            }
            LC_DYLD_EXPORTS_TRIE => {
                self.trie = Some(linkedit(part)?).filter(|(_, size)| *size != 0);
                self.facts.export_trie = true;
                Ok(())
            }
            LC_DYLD_CHAINED_FIXUPS => {
                self.fixups = Some(linkedit(part)?);
                self.facts.chained_fixups = true;
                Ok(())
            }
            lc::LC_CODE_SIGNATURE => {
                self.signature = Some(linkedit(part)?);
                Ok(())
            }
            lc::LC_ENCRYPTION_INFO | lc::LC_ENCRYPTION_INFO_64 => {
                self.facts.encrypted = part.record("LC_ENCRYPTION_INFO command", 0, 20)?.u32(16) != 0;
                Ok(())
            }
            lc::LC_VERSION_MIN_MACOSX => self.version_min(part, System::MacOs),
            lc::LC_VERSION_MIN_IPHONEOS => self.version_min(part, System::Ios),
            lc::LC_BUILD_VERSION => {
                let version = part.record("LC_BUILD_VERSION command", 0, 24)?;
                let system = match version.u32(8) {
                    1 => System::MacOs,
                    2 => System::Ios,
                    6 => System::MacCatalyst,
                    7 => System::IosSimulator,
                    other => System::Other(other),
                };
                let sdk = Some(packed(version.u32(16))).filter(|sdk| sdk.major != 0);
                self.minimum_os.push(MinimumOs { system, minimum: packed(version.u32(12)), sdk });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn version_min(&mut self, part: Data<'a>, system: System) -> Result<(), ParseError> {
        let version = part.record("LC_VERSION_MIN command", 0, 16)?;
        let sdk = Some(packed(version.u32(12))).filter(|sdk| sdk.major != 0);
        self.minimum_os.push(MinimumOs { system, minimum: packed(version.u32(8)), sdk });
        Ok(())
    }

    fn dylib(&mut self, command: u32, part: Data<'a>, at: u64, names: &mut Names<'a>) -> Result<(), ParseError> {
        let fields = part.record("dylib command", 0, 24)?;
        let name = name(part, at, 8, "needed library", names)?;
        let marked = fields.u32(12) == DYLIB_USE_MARKER && part.len() >= 28;
        let flags = if marked { part.record("dylib command", 0, 28)?.u32(24) } else { 0 };
        let kind = match command {
            lc::LC_LOAD_WEAK_DYLIB => NeededKind::Weak,
            lc::LC_REEXPORT_DYLIB => NeededKind::Reexport,
            lc::LC_LOAD_UPWARD_DYLIB => NeededKind::Upward,
            lc::LC_LAZY_LOAD_DYLIB => NeededKind::Lazy,
            _ if flags & 0x2 != 0 => NeededKind::Reexport,
            _ if flags & 0x1 != 0 => NeededKind::Weak,
            _ if flags & 0x4 != 0 => NeededKind::Upward,
            _ if flags & 0x8 != 0 => NeededKind::Lazy,
            _ => NeededKind::Normal,
        };
        self.ordinals.push(name);
        self.needed.extend(name.map(|name| Needed { name, kind, versions: Some(dylib_versions(fields)) }));
        Ok(())
    }

    fn segment(&mut self, part: Data<'a>, wide: bool) -> Result<(), ParseError> {
        const WHAT: &str = "LC_SEGMENT command";
        let size = if wide { 72 } else { 56 };
        let head = part.record(WHAT, 0, size)?;
        let [address, memory_size, offset, file_size] =
            if wide { [24, 32, 40, 48] } else { [24, 28, 32, 36] }.map(|at| head.word(at, wide));
        let [max_protection, initial_protection, sections, flags] =
            if wide { [56, 60, 64, 68] } else { [40, 44, 48, 52] }.map(|at| head.u32(at));
        self.facts.segments.push(MachSegment {
            name: head.padded(8, 16),
            address,
            memory_size,
            offset,
            file_size,
            max_protection,
            initial_protection,
            flags,
        });
        for record in part.table(WHAT, size, sections.into(), if wide { 80 } else { 68 })? {
            let base = if wide { 48 } else { 40 };
            self.facts.sections.push(MachSection {
                segment: record.padded(16, 16),
                name: record.padded(0, 16),
                address: record.word(32, wide),
                size: record.word(if wide { 40 } else { 36 }, wide),
                offset: record.u32(base).into(),
                align: record.u32(base + 4),
                flags: record.u32(base + 16),
                reserved1: record.u32(base + 20),
                reserved2: record.u32(base + 24),
            });
        }
        Ok(())
    }

    /// Every segment must lie in the file, but for files that describe another one.
    fn check_segments(&self, data: Data<'_>) -> Result<(), ParseError> {
        if matches!(self.facts.file_type, MH_DSYM | MH_DYLIB_STUB) {
            return Ok(());
        }
        for segment in &self.facts.segments {
            data.slice("Mach-O segment", segment.offset, segment.file_size)?;
        }
        Ok(())
    }

    fn header_pad(&self) -> u64 {
        let sections = self.facts.sections.iter().filter(|section| section.size > 0 && !section.is_zero_fill());
        let first = sections.map(|section| section.offset).filter(|offset| *offset > 0).min();
        let segments = self.facts.segments.iter().filter(|segment| segment.offset > 0 && segment.file_size > 0);
        let first = first.or_else(|| segments.map(|segment| segment.offset).min());
        first.unwrap_or(0).saturating_sub(self.facts.load_commands_end)
    }
}

/// The `dataoff` and `datasize` of a command that names a part of `__LINKEDIT`.
fn linkedit(part: Data<'_>) -> Result<(u64, u64), ParseError> {
    let command = part.record("linkedit data command", 0, 16)?;
    Ok((command.u32(8).into(), command.u32(12).into()))
}

/// A name inside a command, which starts where the `lc_str` at `field` says and ends at a NUL or with the command.
fn name<'a>(
    part: Data<'a>,
    at: u64,
    field: usize,
    what: &'static str,
    names: &mut Names<'a>,
) -> Result<Option<&'a str>, ParseError> {
    const WHAT: &str = "name in a load command";
    let start = u64::from(part.record(WHAT, 0, field as u64 + 4)?.u32(field));
    let rest = part.slice(WHAT, start, part.len().saturating_sub(start))?;
    let mut raw = if memchr::memchr(0, rest).is_some() {
        part.text(WHAT, start, &mut Budget::for_bytes(rest))?
    } else {
        crate::bytes::RawName { bytes: rest, offset: start }
    };
    raw.offset += at;
    Ok(names.text(what, raw))
}

fn dylib_versions(command: Record<'_>) -> DylibVersions {
    DylibVersions { current: packed(command.u32(16)), compatibility: packed(command.u32(20)) }
}

/// A version packed as `xxxx.yy.zz`.
fn packed(version: u32) -> OsVersion {
    OsVersion { major: version >> 16, minor: version >> 8 & 0xff, patch: version & 0xff }
}
