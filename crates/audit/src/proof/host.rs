//! Libraries outside of the wheel that the user points to: `--lib-dir` and `--host`. Read when the loader asks for them.

use super::options::ProofOptions;
use camino::{Utf8Path, Utf8PathBuf};
use linkage::{Image, OnDemand, Opened};
use objfile::{Architecture, FileKind, Format, SliceContent};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Larger than any library; a file beyond is not read.
const MOST_BYTES: u64 = 2 << 30;

/// The system's usual folders on Linux: those of `ld.so.conf` on Debian and of the default search elsewhere.
pub(super) fn folders(architecture: Architecture) -> Vec<Utf8PathBuf> {
    let triplet = match architecture {
        Architecture::X86_64 => "x86_64-linux-gnu",
        Architecture::Aarch64 => "aarch64-linux-gnu",
        Architecture::I686 => "i386-linux-gnu",
        _ => "",
    };
    let mut folders = vec!["/usr/local/lib".into()];
    if !triplet.is_empty() {
        folders.push(format!("/lib/{triplet}").into());
        folders.push(format!("/usr/lib/{triplet}").into());
    }
    folders.extend(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(Utf8PathBuf::from));
    folders
}

/// Opens files below the folders of the options, and none elsewhere.
pub(super) fn on_demand(options: &ProofOptions) -> Option<OnDemand> {
    if options.lib_dirs.is_empty() && !options.host {
        return None;
    }
    let (dirs, host) = (options.lib_dirs.clone(), options.host);
    let known: Mutex<HashMap<Utf8PathBuf, Vec<Arc<Image>>>> = Mutex::default();
    Some(Box::new(move |path: &Utf8Path| {
        if !host && !dirs.iter().any(|dir| path.starts_with(dir)) {
            return Opened::Absent;
        }
        // The same file through symbolic links is one image.
        let Ok(real) = disk::real(path) else { return Opened::Absent };
        if let Some(images) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&real) {
            return Opened::Images(images.clone());
        }
        match images(&real) {
            Ok(images) if images.is_empty() => Opened::Absent,
            Ok(images) => {
                known.lock().unwrap_or_else(PoisonError::into_inner).insert(real, images.clone());
                Opened::Images(images)
            }
            Err(why) => Opened::Unusable(why),
        }
    }))
}

fn images(path: &Utf8Path) -> Result<Vec<Arc<Image>>, String> {
    let metadata = fs_err::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Ok(Vec::new());
    }
    let bytes = crate::map::whole(path).map_err(|error| error.to_string())?;
    let start = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    match objfile::sniff(start) {
        Some(FileKind::Object(Format::Elf | Format::MachO | Format::Pe) | FileKind::Universal) => {}
        // A linker script (`libc.so` of a -dev package), which no loader takes.
        _ => return Err("it is no binary".to_owned()),
    }
    let file = objfile::parse(&bytes).map_err(|error| error.to_string())?;
    let image = |object: &objfile::Object<'_>| Arc::new(Image::from_object(path.to_owned(), object));
    Ok(match &file {
        objfile::File::Object(object) => vec![image(object)],
        objfile::File::Universal(slices) => slices
            .iter()
            .filter_map(|slice| match &slice.content {
                SliceContent::Object(object) => Some(image(object)),
                SliceContent::Archive(_) => None,
            })
            .collect(),
        objfile::File::Archive(_) => Vec::new(),
    })
}
