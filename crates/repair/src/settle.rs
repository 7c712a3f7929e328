//! Before and after the tool: a wheel that it understands, and a result that is the same every time.

use crate::binary::Snapshot;
use crate::error::RepairError;
use crate::repairer::Repairer;
use crate::request::Request;
use camino::{Utf8Path, Utf8PathBuf};
use exec::Runner;
use wheel::{Edits, Place, WriteOptions};

/// The wheel that the tool gets: the given one, or, where extensions lie in `.data/platlib`, the same with them at the
/// root. Installers put both into the same folder, but the tools compute run paths from where files lie in the archive,
/// and would lead them two folders too far up.
pub(crate) fn input(request: &Request, given: &Utf8Path, before: &Snapshot) -> Result<Utf8PathBuf, RepairError> {
    let wheel = &before.wheel;
    let (Ok(dist_info), Some(wheel_file)) = (&wheel.dist_info, &wheel.wheel_file) else { return Ok(given.to_owned()) };
    let prefix = format!("{}/platlib/", dist_info.data_dir());
    let mut edits = Edits::new();
    let mut moved = 0;
    for member in wheel.archive.members().iter().filter(|member| !member.is_dir && member.name.starts_with(&prefix)) {
        let Place::Site(place) = dist_info.place(&member.name) else { continue };
        if wheel.archive.member(place).is_some() {
            // Two files for one place: the installer's last one wins, whichever that is. Not ours to decide.
            return Ok(given.to_owned());
        }
        edits.rename(&member.name, place);
        moved += 1;
    }
    if moved == 0 || wheel_file.root_is_purelib {
        return Ok(given.to_owned());
    }
    let out = request.work_dir.join("input").join(given.file_name().unwrap_or_default());
    if let Some(dir) = out.parent() {
        fs_err::create_dir_all(dir)?;
    }
    wheel::rewrite(&wheel.archive, &edits, Some(&before.hashes), &out, &options(request))?;
    Ok(out)
}

/// The result, read back: what the tool left undone is done, and the archive is canonical unless the tool's own is
/// reproducible.
pub(crate) fn finish(
    request: &Request,
    tool: &dyn Repairer,
    made: &Utf8Path,
    runner: &Runner<'_>,
) -> Result<Snapshot, RepairError> {
    let snapshot = Snapshot::read(made)?;
    if tool.is_reproducible() {
        return Ok(snapshot);
    }
    let name = made.file_name().unwrap_or_default();
    let edits = tool.complete(request, &snapshot, runner)?;
    let out = request.work_dir.join("repaired").join(name);
    if let Some(dir) = out.parent() {
        fs_err::create_dir_all(dir)?;
    }
    let archive = &snapshot.wheel.archive;
    match edits {
        Some(edits) => {
            wheel::rewrite(archive, &edits, Some(&snapshot.hashes), &out, &options(request))?;
            Snapshot::read(&out)
        }
        None => {
            wheel::rewrite(archive, &Edits::new(), Some(&snapshot.hashes), &out, &options(request))?;
            snapshot.rewritten(&out)
        }
    }
}

fn options(request: &Request) -> WriteOptions {
    WriteOptions { epoch: request.source_date_epoch, ..WriteOptions::default() }
}
