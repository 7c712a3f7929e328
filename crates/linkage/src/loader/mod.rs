//! How each system's loader searches for a library.

mod dyld;
mod glibc;
mod musl;
pub(crate) mod windows;

pub use dyld::Dyld;
pub use glibc::Glibc;
pub use musl::Musl;
pub use windows::Windows;

use crate::closure::{By, MemberId, Missing};
use crate::files::Case;
use crate::image::Image;
use crate::walk::{Located, Walk};
use camino::Utf8Path;
use objfile::{Architecture, NeededKind};

/// A loader with what the environment tells it.
#[derive(Debug, Clone)]
pub enum Loader {
    /// glibc's `ld.so`.
    Glibc(Glibc),
    /// musl's.
    Musl(Musl),
    /// macOS' dyld.
    Dyld(Dyld),
    /// Windows', as CPython 3.8 and later call it.
    Windows(Windows),
}

/// What a search does with files that do not serve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) case: Case,
    pub(crate) other_architecture_stops: bool,
    pub(crate) unusable_stops: bool,
}

impl Loader {
    /// The architecture of the process.
    pub const fn architecture(&self) -> Architecture {
        match self {
            Self::Glibc(loader) => loader.architecture,
            Self::Musl(loader) => loader.architecture,
            Self::Dyld(loader) => loader.architecture,
            Self::Windows(loader) => loader.architecture,
        }
    }

    pub(crate) const fn rules(&self) -> Rules {
        match self {
            Self::Glibc(_) => glibc::RULES,
            Self::Musl(_) => musl::RULES,
            Self::Dyld(_) => dyld::RULES,
            Self::Windows(_) => windows::RULES,
        }
    }

    pub(crate) fn locate(
        &self,
        walk: &Walk<'_>,
        from: MemberId,
        name: &str,
        kind: NeededKind,
    ) -> Result<Located, Missing> {
        match self {
            Self::Glibc(loader) => loader.locate(walk, from, name),
            Self::Musl(loader) => loader.locate(walk, from, name),
            Self::Dyld(loader) => loader.locate(walk, from, name),
            Self::Windows(loader) => loader.locate(walk, from, name, kind),
        }
    }

    /// The names by which an image that is in the process is recognised.
    pub(crate) fn keys_of_image(&self, image: &Image, path: &Utf8Path) -> Vec<Box<str>> {
        let path_key: Box<str> = path.as_str().into();
        match self {
            Self::Glibc(_) | Self::Dyld(_) => [Some(path_key), image.identity.clone()].into_iter().flatten().collect(),
            // musl knows the paths (inodes) alone; a name counts once a search found it.
            Self::Musl(_) => vec![path_key],
            Self::Windows(_) => vec![windows::base_name(path.as_str())],
        }
    }

    /// The names by which something that was just found is recognised from now on.
    pub(crate) fn keys_of_request(&self, name: &str, by: By) -> Option<Box<str>> {
        match (self, by) {
            (_, By::Loaded) => None,
            (Self::Windows(_), _) => Some(windows::base_name(name)),
            (Self::Dyld(_), _) if name.starts_with('@') => None,
            _ => Some(name.into()),
        }
    }

    /// The form of a name in which libraries outside are compared.
    pub(crate) fn key(&self, name: &str) -> Box<str> {
        if matches!(self, Self::Windows(_)) { windows::base_name(name) } else { name.into() }
    }

    /// The DLLs that exports of this image are forwarded to.
    pub(crate) fn forwarded(&self, image: &Image) -> Vec<String> {
        if matches!(self, Self::Windows(_)) { windows::forwarded(image) } else { Vec::new() }
    }
}
