//! Opening: whatever a path is, each binary in it is read exactly once.

use crate::binary::{Binary, Inspection, Kind, WheelPlace};
use crate::facts::Facts;
use crate::importing::NoBinary;
use crate::rules;
use crate::stop::Stop;
use crate::{map, walk};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Subject};
use objfile::{Archive, File, FileKind, ParseError, SliceContent};
use platform::{Tag, TagSet, WheelName};
use rayon::prelude::*;
use std::io;
use wheel::{Harm, Member, MemberErrorKind, Wheel, WheelError};

/// How a path is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The path that findings name instead of the given one.
    pub shown: Option<Utf8PathBuf>,
    /// Ends it early, with [`OpenError::Stopped`].
    pub stop: Stop,
}

/// The path itself cannot be read. What is wrong inside of a wheel or folder is a finding instead.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not there, or may not be read; the error names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no wheel that anything could be read from.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// It is neither file nor folder.
    #[error("`{path}` is neither a file nor a folder")]
    Special {
        /// The path.
        path: Utf8PathBuf,
    },
    /// It is none of the kinds of files that are read here.
    #[error("`{path}` is neither a wheel nor a binary (ELF, Mach-O, PE, COFF, static archive)")]
    Unrecognised {
        /// The path.
        path: Utf8PathBuf,
    },
    /// It is a binary whose structure is damaged.
    #[error("`{path}`: {source}")]
    Binary {
        /// The path.
        path: Utf8PathBuf,
        /// What is wrong, and at which offset.
        source: ParseError,
    },
    /// Whoever asked wants to know no more.
    #[error("stopped before the end")]
    Stopped,
}

/// What was read of one file: objects, and what could not be read.
#[derive(Default)]
struct Contents {
    /// With the name inside a static archive.
    objects: Vec<(Option<String>, Facts)>,
    broken: Vec<(Option<String>, ParseError)>,
}

/// Opens a wheel, a binary, a static archive, or a folder with any of these.
///
/// # Errors
/// Only where the path itself cannot be read.
pub fn open(path: &Utf8Path, options: &Options) -> Result<Inspection, OpenError> {
    let shown = options.shown.as_deref().unwrap_or(path);
    let unreadable = |error: io::Error| io::Error::new(error.kind(), format!("`{shown}` cannot be read: {error}"));
    let kind = path.metadata().map_err(unreadable)?.file_type();
    if kind.is_dir() {
        return folder(path, shown, &options.stop);
    }
    if !kind.is_file() {
        return Err(OpenError::Special { path: shown.to_owned() });
    }
    let start = map::start(path)?;
    if is_wheel_name(path) || start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        let mut inspection = empty(shown, Kind::Wheel);
        add_wheel(&mut inspection, path, shown, &options.stop)?;
        return Ok(inspection);
    }
    let broken = |source| match source {
        ParseError::Unrecognised { .. } => OpenError::Unrecognised { path: shown.to_owned() },
        source => OpenError::Binary { path: shown.to_owned(), source },
    };
    let contents = contents(&map::whole(path)?).map_err(broken)?;
    let mut inspection = empty(shown, Kind::Binary);
    add_file(&mut inspection, shown, contents);
    Ok(inspection)
}

fn empty(shown: &Utf8Path, kind: Kind) -> Inspection {
    Inspection { path: shown.to_owned(), kind, binaries: Vec::new(), wheels: Vec::new(), troubles: Vec::new() }
}

fn is_wheel_name(path: &Utf8Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
}

/// Every object in the bytes of one file. Broken members of an archive do not hide the others.
fn contents(bytes: &[u8]) -> Result<Contents, ParseError> {
    let mut contents = Contents::default();
    match objfile::parse(bytes)? {
        File::Object(object) => contents.objects.push((None, Facts::of(&object))),
        File::Archive(archive) => contents.add_archive(&archive),
        File::Universal(slices) => {
            for slice in &slices {
                match &slice.content {
                    SliceContent::Object(object) => contents.objects.push((None, Facts::of(object))),
                    SliceContent::Archive(archive) => contents.add_archive(archive),
                }
            }
        }
    }
    Ok(contents)
}

impl Contents {
    fn add_archive(&mut self, archive: &Archive<'_>) {
        let members: Vec<_> = archive.members().collect();
        let read = members.into_par_iter().map(|member| {
            let member = member.map_err(|error| (None, error))?;
            let name = String::from_utf8_lossy(member.name).into_owned();
            match member.parse() {
                Ok(file) => Ok(file.objects().map(|object| (Some(name.clone()), Facts::of(object))).collect()),
                // Bitcode, texts, index files: nothing that has symbols.
                Err(ParseError::Unrecognised { .. } | ParseError::Empty | ParseError::Unsupported { .. }) => {
                    Ok(Vec::new())
                }
                Err(error) => Err((Some(name), error)),
            }
        });
        for result in read.collect::<Vec<Result<Vec<_>, _>>>() {
            match result {
                Ok(objects) => self.objects.extend(objects),
                Err(broken) => self.broken.push(broken),
            }
        }
    }
}

fn add_file(inspection: &mut Inspection, shown: &Utf8Path, contents: Contents) {
    add(inspection, shown, None, None, contents);
}

fn add(inspection: &mut Inspection, file: &Utf8Path, member: Option<&str>, wheel: Option<usize>, contents: Contents) {
    for (part, error) in contents.broken {
        let whole = match (member, part) {
            (Some(member), Some(part)) => Some(format!("{member}({part})")),
            (Some(member), None) => Some(member.to_owned()),
            (None, part) => part,
        };
        inspection.troubles.push(unreadable(file, whole, &error));
    }
    for (part, facts) in contents.objects {
        let member = member.map(str::to_owned);
        inspection.binaries.push(Binary { file: file.to_owned(), member, part, wheel, facts });
    }
}

fn unreadable(file: &Utf8Path, member: Option<String>, error: &ParseError) -> Finding {
    let subject = Subject { member, ..Subject::file(file) };
    let kind = if matches!(error, ParseError::ThinArchive) {
        diagnostics::Severity::Info
    } else {
        rules::UNREADABLE_BINARY.severity
    };
    Finding::new(&rules::UNREADABLE_BINARY, subject, sentence(&error.to_string())).severity(kind)
}

/// Messages carry no full stop.
fn sentence(text: &str) -> String {
    text.trim_end_matches('.').to_owned()
}

/// Opens every wheel and binary under a folder. Wheels one after the other, so that memory stays that of one; the rest in
/// parallel.
fn folder(path: &Utf8Path, shown: &Utf8Path, stop: &Stop) -> Result<Inspection, OpenError> {
    let mut inspection = empty(shown, Kind::Folder);
    let listing = walk::files(path);
    for (at, error) in &listing.unreadable {
        let subject = Subject::file(renamed(at, path, shown));
        inspection.troubles.push(Finding::new(&rules::UNREADABLE_BINARY, subject, sentence(error)));
    }
    let (wheels, others): (Vec<_>, Vec<_>) = listing.files.into_iter().partition(|file| is_wheel_name(file));
    for file in wheels {
        let shown = renamed(&file, path, shown);
        if let Err(error) = add_wheel(&mut inspection, &file, &shown, stop) {
            stop.check()?;
            let subject = Subject::file(shown);
            inspection.troubles.push(Finding::new(&rules::UNREADABLE_WHEEL, subject, sentence(&error.to_string())));
        }
    }
    let read: Vec<_> = others
        .into_par_iter()
        .filter(|_| !stop.is_due())
        .filter_map(|file| {
            let start = map::start(&file).map_err(|error| (file.clone(), Err(error.to_string())));
            let start = match start {
                Ok(start) => start,
                Err(error) => return Some(error),
            };
            let Some(kind) = objfile::sniff(&start) else {
                let error = pretended(file.file_name().unwrap_or_default(), &start)?;
                return Some((file, Err(error)));
            };
            if kind == FileKind::ThinArchive {
                return None; // names its members instead of holding them; they lie beside it
            }
            let bytes = match map::whole(&file) {
                Ok(bytes) => bytes,
                Err(error) => return Some((file, Err(error.to_string()))),
            };
            let contents =
                contents(&bytes).unwrap_or_else(|error| Contents { objects: Vec::new(), broken: vec![(None, error)] });
            Some((file, Ok(contents)))
        })
        .collect();
    stop.check()?;
    for (file, result) in read {
        let shown = renamed(&file, path, shown);
        match result {
            Ok(contents) => add_file(&mut inspection, &shown, contents),
            Err(error) => {
                let finding = Finding::new(&rules::UNREADABLE_BINARY, Subject::file(shown), sentence(&error));
                inspection.troubles.push(finding);
            }
        }
    }
    Ok(inspection)
}

fn renamed(file: &Utf8Path, root: &Utf8Path, shown: &Utf8Path) -> Utf8PathBuf {
    file.strip_prefix(root).map_or_else(|_| file.to_owned(), |rest| shown.join(rest))
}

fn add_wheel(inspection: &mut Inspection, path: &Utf8Path, shown: &Utf8Path, stop: &Stop) -> Result<(), OpenError> {
    let wheel = Wheel::of(wheel::Archive::open(path)?);
    let archive = &wheel.archive;
    for problem in archive.problems() {
        let rule = match problem.kind.harm() {
            Harm::Unreadable => &rules::UNREADABLE_MEMBER,
            Harm::Unsafe => &rules::UNSAFE_MEMBER,
            Harm::Odd => &rules::ODD_MEMBER,
        };
        let subject = Subject { member: problem.member.clone(), ..Subject::file(shown) };
        let text = match problem.member {
            Some(_) => problem.kind.to_string(),
            None => problem.to_string(),
        };
        inspection.troubles.push(Finding::new(rule, subject, sentence(&text)));
    }
    let tags = match shown.file_name().unwrap_or_default().parse::<WheelName>() {
        Ok(name) => Some(name.tags),
        Err(error) => {
            let finding = Finding::new(&rules::WHEEL_NAME, Subject::file(shown), sentence(&error.to_string()));
            inspection.troubles.push(finding);
            let tags = wheel.wheel_file.iter().flat_map(|file| &file.tags);
            let tags: Vec<Tag> = tags
                .filter_map(|tags| tags.parse::<TagSet>().ok())
                .flat_map(|set| set.expand().collect::<Vec<_>>())
                .collect();
            TagSet::compress(&tags)
        }
    };
    let looks = archive.members().iter().take_while(|_| !stop.is_due()).map(|member| look(archive, member));
    let looks: Vec<_> = looks.collect();
    stop.check()?;
    for (member, look) in archive.members().iter().zip(&looks) {
        if let Look::Pretends(text) = look {
            let subject = Subject::file(shown).member(member.name.as_str());
            inspection.troubles.push(Finding::new(&rules::UNREADABLE_BINARY, subject, text.clone()));
        }
    }
    let is_binary = |member: &Member| looks.get(member.index) == Some(&Look::Binary);
    let processed = archive.par_process_until(&|| stop.is_due(), is_binary, |_, bytes| contents(bytes));
    stop.check()?;
    let place = inspection.wheels.len();
    inspection.wheels.push(WheelPlace { path: shown.to_owned(), tags });
    for done in processed {
        let name = done.member.name.as_str();
        match done.result {
            Ok(Ok(contents)) => add(inspection, shown, Some(name), Some(place), contents),
            Ok(Err(error)) => inspection.troubles.push(unreadable(shown, Some(name.to_owned()), &error)),
            // The archive's own problems are reported already.
            Err(error) if matches!(error.kind, MemberErrorKind::Problem(_)) => {}
            Err(error) => {
                let subject = Subject::file(shown).member(name);
                inspection.troubles.push(Finding::new(
                    &rules::UNREADABLE_MEMBER,
                    subject,
                    sentence(&error.kind.to_string()),
                ));
            }
        }
    }
    Ok(())
}

/// What the start of a member tells.
#[derive(PartialEq, Eq)]
enum Look {
    Binary,
    /// It is named like a binary and is none, which the text says.
    Pretends(String),
    Other,
}

/// Looks at a member's start. Texts by their name are not even looked at.
fn look(archive: &wheel::Archive, member: &Member) -> Look {
    /// No linker writes the PE header further out; all other marks stand in the first 64 bytes.
    const PREFIX: usize = 1024;
    const TEXTS: [&str; 18] = [
        ".py", ".pyi", ".pyx", ".pxd", ".pxi", ".txt", ".md", ".rst", ".json", ".toml", ".yaml", ".yml", ".h", ".hpp",
        ".c", ".cpp", ".csv", ".html",
    ];
    if member.is_dir || TEXTS.iter().any(|suffix| member.name.ends_with(suffix)) {
        return Look::Other;
    }
    match archive.read_prefix(member, PREFIX) {
        Ok(start) if objfile::sniff(&start).is_some() => Look::Binary,
        Ok(start) => pretended(member.file_name(), &start).map_or(Look::Other, Look::Pretends),
        // A damaged member is a finding only if it is meant to be a binary: processing it says what is wrong.
        Err(_) if is_binary_name(member.file_name()) => Look::Binary,
        Err(_) => Look::Other,
    }
}

fn is_binary_name(name: &str) -> bool {
    is_loadable_name(name)
        || [".a", ".lib", ".o", ".obj"].iter().any(|suffix| name.ends_with(suffix))
        || name.contains(".so.")
}

fn is_loadable_name(name: &str) -> bool {
    [".so", ".pyd", ".dll", ".dylib"].iter().any(|suffix| name.ends_with(suffix))
}

/// What is wrong with a file that is called like a binary and does not begin as one: nothing, if it is a text for the linker.
fn pretended(name: &str, start: &[u8]) -> Option<String> {
    if !is_loadable_name(name) {
        return None;
    }
    match NoBinary::of(start)? {
        // A folder of libraries may hold what is for a linker.
        NoBinary::LinkerScript | NoBinary::ForLinkers => None,
        no_binary => Some(no_binary.what().to_owned()),
    }
}
