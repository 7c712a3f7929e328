//! Before and after the tool: a wheel that it understands, and a result that is the same every time.

use crate::binary::{Inflated, Snapshot};
use crate::error::RepairError;
use crate::repairer::{Left, Repairer};
use crate::request::Request;
use camino::{Utf8Path, Utf8PathBuf};
use exec::Runner;
use wheel::{Archive, Content, Edits, Place, WriteError, WriteOptions};

/// The wheel that the tool gets: the given one, or, where extensions lie in `.data/platlib`, the same with them at the
/// root. Installers put both into the same folder, but the tools compute run paths from where files lie in the archive,
/// and would lead them two folders too far up. A root that was for pure Python becomes the platform's with that: grafted
/// libraries lie there too, and have to be where the extensions are. What was inflated to be read is not compressed again for the tool, whose own
/// inflate is slow.
pub(crate) fn input(
    request: &Request,
    given: &Utf8Path,
    before: &mut Snapshot,
    inflated: &Inflated,
) -> Result<Utf8PathBuf, RepairError> {
    let out = request.work_dir.join("input").join(given.file_name().unwrap_or_default());
    if let Some(edits) = moved(before) {
        before.hash_the_rest(inflated);
        make_folder_of(&out)?;
        wheel::rewrite(&before.wheel.archive, &edits, Some(&before.hashes), &out, &options(request))?;
        return Ok(out);
    }
    // The tool is given nothing but what it would have found in a faultless archive; any other it gets as it is.
    if inflated.is_empty() || !before.wheel.archive.problems().is_empty() {
        return Ok(given.to_owned());
    }
    make_folder_of(&out)?;
    wheel::with_stored(&before.wheel.archive, inflated, &out, &options(request))?;
    Ok(out)
}

/// What has to be moved from `.data/platlib` to the root.
fn moved(before: &Snapshot) -> Option<Edits> {
    let wheel = &before.wheel;
    let (Ok(dist_info), Some(wheel_file)) = (&wheel.dist_info, &wheel.wheel_file) else { return None };
    let prefix = format!("{}/platlib/", dist_info.data_dir());
    let mut edits = Edits::new();
    let mut moved = 0;
    for member in wheel.archive.members().iter().filter(|member| !member.is_dir && member.name.starts_with(&prefix)) {
        let Place::Site(place) = dist_info.place(&member.name) else { continue };
        if wheel.archive.member(place).is_some() {
            // Two files for one place: the installer's last one wins, whichever that is. Not ours to decide.
            return None;
        }
        edits.rename(&member.name, place);
        moved += 1;
    }
    if wheel_file.root_is_purelib {
        if !before.binaries.iter().any(|binary| binary.member.starts_with(&prefix)) {
            // Nothing that a run path would be computed for.
            return None;
        }
        let member = wheel.archive.member(&dist_info.path("WHEEL"))?;
        let text = wheel.archive.read(member).ok()?;
        edits.put(
            &member.name,
            Content::Bytes(with_platform_root(&String::from_utf8_lossy(&text)).into_bytes()),
            0o644,
        );
    }
    (moved > 0).then_some(edits)
}

/// WHEEL with this one line changed.
fn with_platform_root(text: &str) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((key, _)) if key.trim().eq_ignore_ascii_case("Root-Is-Purelib") => {
            let end = line.trim_end_matches(['\r', '\n']).len();
            format!("{key}: false{}", line.get(end..).unwrap_or_default())
        }
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

fn make_folder_of(file: &Utf8Path) -> std::io::Result<()> {
    file.parent().map_or(Ok(()), fs_err::create_dir_all)
}

/// The result, read back: what the tool left undone is done, and the archive is canonical, of the same bytes every time.
pub(crate) fn finish(
    request: &Request,
    tool: &dyn Repairer,
    before: &Snapshot,
    made: &Utf8Path,
    runner: &Runner<'_>,
) -> Result<Snapshot, RepairError> {
    let out = request.work_dir.join("repaired").join(made.file_name().unwrap_or_default());
    make_folder_of(&out)?;
    match tool.archive() {
        Left::Uncompressed => {
            let archive = Archive::open(made).map_err(|error| bad(made, &error))?;
            match wheel::compress_anew(&archive, &before.wheel.archive, &out, &options(request)) {
                Ok(_) => Snapshot::made(&out, before),
                Err(WriteError::Io(error)) => Err(error.into()),
                Err(error) => Err(bad(made, &error)),
            }
        }
        Left::InDisorder => {
            let snapshot = Snapshot::made(made, before)?;
            let edits = tool.complete(request, &snapshot, runner)?;
            let hashes = Some(&snapshot.hashes);
            let unedited = edits.is_none();
            let edits = edits.unwrap_or_default();
            wheel::rewrite(&snapshot.wheel.archive, &edits, hashes, &out, &options(request))?;
            if unedited { snapshot.rewritten(&out, before) } else { Snapshot::made(&out, before) }
        }
    }
}

fn bad(made: &Utf8Path, error: &dyn std::fmt::Display) -> RepairError {
    RepairError::BadWheel { wheel: made.file_name().unwrap_or_default().to_owned(), reason: error.to_string() }
}

fn options(request: &Request) -> WriteOptions {
    WriteOptions { epoch: request.source_date_epoch, ..WriteOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::with_platform_root;

    #[test]
    fn one_line_of_wheel() {
        for (given, made) in [
            ("A: 1\nRoot-Is-Purelib: true\nTag: x\n", "A: 1\nRoot-Is-Purelib: false\nTag: x\n"),
            ("A: 1\r\nroot-is-purelib:True\r\n", "A: 1\r\nroot-is-purelib: false\r\n"),
            ("Root-Is-Purelib: true", "Root-Is-Purelib: false"),
        ] {
            assert_eq!(with_platform_root(given), made);
        }
    }
}
