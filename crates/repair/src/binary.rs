//! What the binaries of a wheel say of themselves, owned: the archive's bytes are gone when they are compared.

use crate::error::RepairError;
use crate::image;
use crate::place::{folder, is_moved_program, place_of};
use crate::unreadable::{Broken, Unreadable, is_named_like_a_library, unreadable};
use audit::importing::NoBinary;
use camino::Utf8Path;
use objfile::{Architecture, Format, NeededKind, Object, ObjectKind, RpathKind, System};
use platform::{Arch, MajorMinor};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use wheel::{Archive, Hashes, Member, MemberHash, Wheel};

/// One binary of a wheel; each slice of a universal file is one.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    /// Its path in the archive.
    pub(crate) member: String,
    /// Its path once it is installed, as [`place_of`] says it.
    pub(crate) place: String,
    /// The size of the member, in bytes.
    pub(crate) size: u64,
    pub(crate) format: Format,
    pub(crate) architecture: Architecture,
    pub(crate) kind: ObjectKind,
    /// Soname, install name, name in the export table.
    pub(crate) identity: Option<String>,
    pub(crate) needed: Vec<Needed>,
    /// (library, version) of each version need that is not weak.
    pub(crate) versions: Vec<(String, String)>,
    /// Symbols that must be found and are bound to no version.
    pub(crate) strong_undefined: Vec<String>,
    pub(crate) rpaths: Vec<(String, RpathKind)>,
    /// The oldest macOS that it says it runs on.
    pub(crate) minimum_macos: Option<MajorMinor>,
    /// How many symbols it exports, and a digest of their names.
    pub(crate) exports: (usize, u64),
    /// Its code; empty where nobody compares it.
    pub(crate) code: Vec<image::Code>,
    /// What is broken in it, by the rule that says so.
    pub(crate) faults: Vec<image::Fault>,
    /// Whether macOS on arm64 would refuse it, or kill it later.
    pub(crate) signature: image::Signature,
}

/// A library that a binary needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) name: String,
    /// Loading goes on without it: weak, or loaded only when it is first used.
    pub(crate) optional: bool,
}

impl Binary {
    pub(crate) fn of(member: &str, place: &str, size: u64, object: &Object<'_>) -> Self {
        let versions = object.elf().into_iter().flat_map(|elf| &elf.version_needs).flat_map(|need| {
            let strong = need.versions.iter().filter(|version| !version.weak);
            strong.map(|version| (need.file.to_owned(), version.name.to_owned()))
        });
        let needed = object.needed.iter().map(|needed| Needed {
            name: needed.name.to_owned(),
            optional: matches!(needed.kind, NeededKind::Weak | NeededKind::Lazy),
        });
        let strong = object.imports.iter().filter(|import| !import.weak && import.version.is_none());
        let small = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        let macos = object.minimum_os.iter().find(|minimum| minimum.system == System::MacOs);
        Self {
            member: member.to_owned(),
            place: place.to_owned(),
            size,
            format: object.format,
            architecture: object.architecture,
            kind: object.kind,
            identity: object.identity.map(str::to_owned),
            needed: needed.collect(),
            versions: versions.collect(),
            // Only the blacklists of Linux policies ask for these; a libLLVM imports few, a Mach-O many.
            strong_undefined: match object.format {
                Format::Elf => strong.map(|import| import.name.to_owned()).collect(),
                _ => Vec::new(),
            },
            rpaths: object.rpaths.iter().map(|rpath| (rpath.path.to_owned(), rpath.kind)).collect(),
            minimum_macos: macos.map(|found| (small(found.minimum.major), small(found.minimum.minor))),
            exports: exports(object),
            code: Vec::new(),
            faults: image::faults(object),
            signature: image::signature(object),
        }
    }

    pub(crate) fn file_name(&self) -> &str {
        file_name(&self.member)
    }

    /// Whether it is installed outside of site-packages, at a place that no relative path from there, nor from it, leads to.
    pub(crate) fn is_outside(&self) -> bool {
        self.place.starts_with("../")
    }

    /// The folder that it is installed into, without a slash at the end.
    pub(crate) fn folder(&self) -> &str {
        folder(&self.place)
    }

    /// The paths of one kind.
    pub(crate) fn paths(&self, kind: RpathKind) -> impl Iterator<Item = &str> {
        self.rpaths.iter().filter(move |(_, found)| *found == kind).map(|(path, _)| path.as_str())
    }

    pub(crate) fn has_runpath(&self) -> bool {
        self.paths(RpathKind::Runpath).next().is_some()
    }

    /// Whether it answers to this name when another binary needs it.
    pub(crate) fn answers_to(&self, name: &str) -> bool {
        match self.format {
            Format::Pe => self.file_name().eq_ignore_ascii_case(name),
            _ => self.file_name() == name || self.identity.as_deref() == Some(name),
        }
    }
}

fn exports(object: &Object<'_>) -> (usize, u64) {
    let mut names: Vec<(&str, Option<u32>)> =
        object.exports.iter().map(|export| (export.name.as_ref(), export.ordinal.map(u32::from))).collect();
    names.sort_unstable();
    names.dedup();
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    (names.len(), hasher.finish())
}

/// A wheel as it was read: everything that is compared later.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) wheel: Wheel,
    pub(crate) binaries: Vec<Binary>,
    /// Files that are named like libraries, or look like binaries, and cannot be read.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Of every file, except of the large ones of a given wheel until somebody asks ([`Snapshot::hash_of`]).
    pub(crate) hashes: Hashes,
    /// By index, what was hashed because somebody asked.
    late: RefCell<BTreeMap<usize, Option<MemberHash>>>,
}

/// The bytes of a wheel's large files by the index of their members, kept from when they were read.
pub(crate) type Inflated = BTreeMap<usize, Vec<u8>>;

/// What is large: worth to be read and hashed once only.
const LARGE: u64 = 1 << 20;
/// At most that many bytes are kept of a wheel.
const MOST_KEPT: u64 = 256 << 20;

/// How a wheel is read.
#[derive(Debug, Clone, Copy)]
enum Reading<'a> {
    /// Every file is hashed, none is kept; the code is of interest where the given wheel has some to compare it with.
    Made(&'a Snapshot),
    /// Large files are kept and not hashed.
    Given,
}

impl Snapshot {
    /// Opens the wheel that a tool made of another and reads everything once.
    ///
    /// # Errors
    /// The file is no wheel, or a member cannot be unpacked: such a wheel is nobody's to repair.
    pub(crate) fn made(path: &Utf8Path, given: &Self) -> Result<Self, RepairError> {
        let name = path.file_name().unwrap_or_default();
        let bad = |reason: String| RepairError::BadWheel { wheel: name.to_owned(), reason };
        let wheel = Wheel::open(path).map_err(|error| bad(error.to_string()))?;
        match &wheel.dist_info {
            Ok(_) => Self::of(wheel, name, Reading::Made(given)).map(|(snapshot, _)| snapshot),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    /// The same for a wheel as the build made it. Whether its large files are as they were is seen from their checksums
    /// most of the time, so they are hashed only when somebody asks; a tool gets them as they were read here.
    ///
    /// # Errors
    /// As of [`Snapshot::made`].
    pub(crate) fn given(path: &Utf8Path) -> Result<(Self, Inflated), RepairError> {
        let name = path.file_name().unwrap_or_default();
        let bad = |reason: String| RepairError::BadWheel { wheel: name.to_owned(), reason };
        let wheel = Wheel::open(path).map_err(|error| bad(error.to_string()))?;
        match &wheel.dist_info {
            Ok(_) => Self::of(wheel, name, Reading::Given),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    /// A file's digest, computed now where nobody asked before; nothing if it cannot be read.
    pub(crate) fn hash_of(&self, member: &Member) -> Option<MemberHash> {
        if let Some(known) = self.hashes.get(member) {
            return known.as_ref().ok().copied();
        }
        let mut late = self.late.borrow_mut();
        *late
            .entry(member.index)
            .or_insert_with(|| self.wheel.archive.read(member).ok().map(|bytes| wheel::hash(&bytes)))
    }

    /// Hashes what was not hashed yet, most of it from the bytes that were kept.
    pub(crate) fn hash_the_rest(&mut self, inflated: &Inflated) {
        let archive = &self.wheel.archive;
        for member in archive.members().iter().filter(|member| !member.is_dir) {
            if self.hashes.get(member).is_some() {
                continue;
            }
            let hash = match inflated.get(&member.index) {
                Some(bytes) => Ok(wheel::hash(bytes)),
                None => archive.read(member).map(|bytes| wheel::hash(&bytes)),
            };
            self.hashes.set(member, hash);
        }
    }

    /// Whether a file has the same bytes as one of another wheel. Both were inflated and their checksums (CRC-32) verified
    /// when the wheels were read: different ones are different files, without a look at either.
    pub(crate) fn has_same(&self, member: &Member, other: &Self, counterpart: &Member) -> bool {
        if std::ptr::eq(self, other) {
            return member.index == counterpart.index;
        }
        (member.crc32, member.size) == (counterpart.crc32, counterpart.size)
            && (self.wheel.archive.stands_alike(member, &other.wheel.archive, counterpart)
                || matches!((self.hash_of(member), other.hash_of(counterpart)), (Some(one), Some(two)) if one == two))
    }

    /// The same wheel after its archive was rewritten without a change to its files: what was read of a member holds for
    /// the one with the same checksum and sizes, whose compressed bytes were copied. Anything else is read again.
    ///
    /// # Errors
    /// As of [`Snapshot::made`].
    pub(crate) fn rewritten(self, path: &Utf8Path, given: &Self) -> Result<Self, RepairError> {
        const SMALL: u64 = 1 << 20;
        let bad =
            |reason: String| RepairError::BadWheel { wheel: path.file_name().unwrap_or_default().to_owned(), reason };
        let wheel = Wheel::open(path).map_err(|error| bad(error.to_string()))?;
        let mut hashes = Vec::new();
        for member in wheel.archive.members().iter().filter(|member| !member.is_dir) {
            let same = self.wheel.archive.member(&member.name).filter(|old| {
                (old.crc32, old.size, old.compressed_size) == (member.crc32, member.size, member.compressed_size)
            });
            let hash = match same.and_then(|old| self.hashes.get(old)) {
                Some(Ok(hash)) => *hash,
                _ if member.size <= SMALL => {
                    wheel::hash(&wheel.archive.read(member).map_err(|error| bad(error.to_string()))?)
                }
                _ => return Self::made(path, given),
            };
            hashes.push((member.index, hash));
        }
        let lost = self.members().into_iter().any(|name| wheel.archive.member(name).is_none());
        if lost || !wheel.archive.problems().is_empty() {
            return Self::made(path, given);
        }
        let hashes = Hashes::collect(hashes.into_iter().map(|(index, hash)| (index, Ok(hash))));
        Ok(Self { wheel, binaries: self.binaries, unreadable: self.unreadable, hashes, late: RefCell::default() })
    }

    fn of(wheel: Wheel, name: &str, reading: Reading<'_>) -> Result<(Self, Inflated), RepairError> {
        let dist_info = wheel.dist_info.as_ref().ok();
        let kept = AtomicU64::new(0);
        let compared: Option<BTreeSet<&str>> = match reading {
            Reading::Given => None,
            Reading::Made(given) => Some(given.binaries.iter().map(|binary| binary.place.as_str()).collect()),
        };
        let whole = compared.is_some();
        let processed = wheel.archive.par_consume(
            |member| !member.is_dir,
            |member, content| {
                let bytes: &[u8] = &content;
                let place = place_of(dist_info, &member.name);
                let compared =
                    compared.as_ref().is_none_or(|places| places.contains(place.as_str()) || is_moved_program(&place));
                let examine = || examine(member, &place, bytes, compared);
                if whole || member.size < LARGE {
                    let (hash, found) = hashed_meanwhile(bytes, examine);
                    return (Some(hash), found, None);
                }
                let found = examine();
                // What stands uncompressed in the archive costs nothing to read again.
                let keep = matches!(content, Cow::Owned(_))
                    && kept.fetch_add(member.size, Ordering::Relaxed).saturating_add(member.size) <= MOST_KEPT;
                (None, found, keep.then(|| content.into_owned()))
            },
        );
        let mut binaries = Vec::new();
        let mut broken: Vec<(&Member, Broken)> = Vec::new();
        let mut hashes: Vec<(usize, MemberHash)> = Vec::new();
        let mut inflated = Inflated::new();
        for one in processed {
            let (hash, found, bytes) = one
                .result
                .map_err(|error| RepairError::BadWheel { wheel: name.to_owned(), reason: error.to_string() })?;
            hashes.extend(hash.map(|hash| (one.member.index, hash)));
            inflated.extend(bytes.map(|bytes| (one.member.index, bytes)));
            match found {
                Found::Binaries(found) => binaries.extend(found),
                Found::Broken(what) => broken.push((one.member, what)),
                Found::Other => {}
            }
        }
        let unreadable = unreadable(&wheel, name, broken);
        let hashes = Hashes::collect(hashes.into_iter().map(|(index, hash)| (index, Ok(hash))));
        Ok((Self { wheel, binaries, unreadable, hashes, late: RefCell::default() }, inflated))
    }

    /// Every file by where it goes when it is installed.
    pub(crate) fn files(&self) -> BTreeMap<String, &Member> {
        let archive: &Archive = &self.wheel.archive;
        let dist_info = self.wheel.dist_info.as_ref().ok();
        let files = archive.members().iter().filter(|member| !member.is_dir);
        files.map(|member| (place_of(dist_info, &member.name), member)).collect()
    }

    /// The names of the members that are binaries.
    pub(crate) fn members(&self) -> BTreeSet<&str> {
        self.binaries.iter().map(|binary| binary.member.as_str()).collect()
    }

    /// The architectures that a wheel's tags name.
    pub(crate) fn arches(tags: &platform::TagSet) -> BTreeSet<Arch> {
        tags.platforms().flat_map(platform::PlatformTag::arches).collect()
    }
}

/// Hashes bytes while something else is made of them; in most wheels one file is most of the work.
fn hashed_meanwhile<T>(bytes: &[u8], examine: impl FnOnce() -> T) -> (MemberHash, T) {
    const WORTH_A_THREAD: usize = 8 << 20;
    if bytes.len() < WORTH_A_THREAD {
        return (wheel::hash(bytes), examine());
    }
    std::thread::scope(|scope| {
        let hashing = std::thread::Builder::new().spawn_scoped(scope, || wheel::hash(bytes));
        let examined = examine();
        let hash = hashing.ok().and_then(|hashing| hashing.join().ok());
        (hash.unwrap_or_else(|| wheel::hash(bytes)), examined)
    })
}

/// The architecture of a binary in the words of tags.
pub(crate) fn arch_of(architecture: Architecture) -> Option<Arch> {
    Some(match architecture {
        Architecture::X86_64 => Arch::X86_64,
        Architecture::Aarch64 => Arch::Arm64,
        Architecture::I686 => Arch::I686,
        Architecture::Armv7l => Arch::Armv7l,
        Architecture::Ppc64le => Arch::Ppc64le,
        Architecture::S390x => Arch::S390x,
        Architecture::Riscv64 => Arch::Riscv64,
        _ => return None,
    })
}

/// What one member is.
enum Found {
    Binaries(Vec<Binary>),
    Broken(Broken),
    Other,
}

fn examine(member: &Member, place: &str, bytes: &[u8], compared: bool) -> Found {
    match NoBinary::of(bytes) {
        None => match objfile::parse(bytes) {
            Ok(file) => Found::Binaries(
                file.objects()
                    .filter(|object| object.kind.is_loadable() || object.kind == ObjectKind::Executable)
                    .map(|object| {
                        let code = if compared { image::code(object) } else { Vec::new() };
                        Binary { code, ..Binary::of(&member.name, place, member.size, object) }
                    })
                    .collect(),
            ),
            Err(error) => Found::Broken(Broken::Damaged(error.to_string().trim_end_matches('.').to_owned())),
        },
        Some(what) if is_named_like_a_library(&member.name) => Found::Broken(Broken::None(what)),
        Some(_) => Found::Other,
    }
}

pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
