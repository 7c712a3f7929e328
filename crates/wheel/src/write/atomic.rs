//! Files that are there whole or not at all.

use camino::Utf8Path;

use super::folder_of;

/// Writes a file beside its place and renames it there when `write` succeeded. Otherwise, whatever was at `path`
/// stays, and what was written is removed. The file's mode is that of any new file.
///
/// It guards against failure and interruption of the program, not against loss of power.
pub fn atomic_write<T, E: From<std::io::Error>>(
    path: &Utf8Path,
    write: impl FnOnce(&mut fs_err::File) -> Result<T, E>,
) -> Result<T, E> {
    let folder = folder_of(path);
    let named = |error: std::io::Error| std::io::Error::new(error.kind(), format!("`{path}`: {error}"));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wheelproof-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let (file, temporary) = builder.tempfile_in(folder).map_err(named)?.into_parts();
    let mut file = fs_err::File::from_parts(file, &temporary);
    let value = write(&mut file)?;
    // Windows renames no file that is open.
    drop(file);
    temporary.persist(path).map_err(|error| named(error.error))?;
    Ok(value)
}
