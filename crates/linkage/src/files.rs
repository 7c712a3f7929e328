//! Which files exist where: a value, so that everything can be asked without a disk.

use crate::image::Image;
use crate::paths;
use camino::{Utf8Path, Utf8PathBuf};
use objfile::Architecture;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// What the loader may open.
pub trait Files {
    /// What lies at a normalised path (relative ones: below site-packages), for a process of this architecture.
    fn at(&self, path: &Utf8Path, architecture: Architecture, case: Case) -> At;

    /// All binaries of the package and its `--lib-dir` folders: where else a symbol may be defined.
    fn images(&self) -> Vec<Arc<Image>>;

    /// Where files of this name lie, wherever that is.
    fn named(&self, file_name: &str, case: Case) -> Vec<Utf8PathBuf>;
}

/// How names of files compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Byte for byte.
    Sensitive,
    /// As Windows does, ASCII letters only.
    Insensitive,
}

/// What lies at a path.
#[derive(Debug, Clone)]
pub enum At {
    /// Nothing.
    Absent,
    /// A binary for this architecture. The same file reached by two paths gives the same `Arc`.
    Image(Arc<Image>),
    /// A binary, but for another architecture.
    OtherArchitecture(Architecture),
    /// A file that is no binary the loader could use, and why: truncated, a text.
    Unusable(Arc<str>),
}

/// What [`Tree::on_demand`] is told about a path.
#[derive(Debug, Clone)]
pub enum Opened {
    /// Nothing there.
    Absent,
    /// The images in the file: one, or one for each architecture.
    Images(Vec<Arc<Image>>),
    /// A file that is no usable binary, and why.
    Unusable(String),
}

/// Asked for absolute paths that the tree does not have.
pub type OnDemand = Box<dyn Fn(&Utf8Path) -> Opened + Send + Sync>;

/// Files by their paths.
#[derive(Default)]
pub struct Tree {
    places: HashMap<Utf8PathBuf, Place>,
    /// Lower-case path → path as written, made for Windows.
    folded: HashMap<String, Utf8PathBuf>,
    /// Lower-case file name → paths.
    names: BTreeMap<String, Vec<Utf8PathBuf>>,
    images: Vec<Arc<Image>>,
    on_demand: Option<OnDemand>,
    asked: Mutex<HashMap<Utf8PathBuf, Place>>,
}

#[derive(Debug, Clone)]
enum Place {
    Absent,
    Images(Vec<Arc<Image>>),
    Unusable(Arc<str>),
}

impl Place {
    fn of(opened: Opened) -> Self {
        match opened {
            Opened::Absent => Self::Absent,
            Opened::Images(images) => Self::Images(images),
            Opened::Unusable(why) => Self::Unusable(why.into()),
        }
    }

    fn at(&self, architecture: Architecture) -> At {
        match self {
            Self::Absent => At::Absent,
            Self::Unusable(why) => At::Unusable(Arc::clone(why)),
            Self::Images(images) => {
                let fitting = images.iter().find(|image| image.architecture == architecture);
                match (fitting, images.first()) {
                    (Some(image), _) => At::Image(Arc::clone(image)),
                    (None, Some(other)) => At::OtherArchitecture(other.architecture),
                    (None, None) => At::Absent,
                }
            }
        }
    }
}

impl Tree {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image at its own path. The slices of a universal file are added one by one at the same path.
    pub fn add(&mut self, image: Image) -> Arc<Image> {
        let image = Arc::new(image);
        let path = paths::normalise(image.path.as_str(), true);
        match self.place(path) {
            Place::Images(images) => images.push(Arc::clone(&image)),
            place => *place = Place::Images(vec![Arc::clone(&image)]),
        }
        self.images.push(Arc::clone(&image));
        image
    }

    /// The same file at a second path: a symbolic or hard link.
    pub fn link(&mut self, path: impl AsRef<Utf8Path>, image: &Arc<Image>) {
        let path = paths::normalise(path.as_ref().as_str(), true);
        match self.place(path) {
            Place::Images(images) => images.push(Arc::clone(image)),
            place => *place = Place::Images(vec![Arc::clone(image)]),
        }
    }

    /// A file that a loader would find and could not use, and why.
    pub fn unusable(&mut self, path: impl AsRef<Utf8Path>, why: impl Into<Arc<str>>) {
        let path = paths::normalise(path.as_ref().as_str(), true);
        *self.place(path) = Place::Unusable(why.into());
    }

    /// Asks `open` for absolute paths that are not in the tree: how the host's own libraries are found. Each path is
    /// asked for once.
    pub fn on_demand(&mut self, open: OnDemand) {
        self.on_demand = Some(open);
    }

    fn place(&mut self, path: Utf8PathBuf) -> &mut Place {
        if !self.places.contains_key(&path) {
            self.folded.insert(path.as_str().to_ascii_lowercase(), path.clone());
            let name = paths::file_name(path.as_str()).to_ascii_lowercase();
            self.names.entry(name).or_default().push(path.clone());
        }
        self.places.entry(path).or_insert(Place::Absent)
    }

    fn demand(&self, path: &Utf8Path, architecture: Architecture) -> At {
        let Some(open) = self.on_demand.as_ref().filter(|_| paths::is_absolute(path)) else { return At::Absent };
        if let Some(place) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return place.at(architecture);
        }
        let place = Place::of(open(path));
        let at = place.at(architecture);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), place);
        at
    }
}

impl Files for Tree {
    fn at(&self, path: &Utf8Path, architecture: Architecture, case: Case) -> At {
        let place = match case {
            Case::Sensitive => self.places.get(path),
            Case::Insensitive => {
                self.folded.get(&path.as_str().to_ascii_lowercase()).and_then(|path| self.places.get(path))
            }
        };
        place.map_or_else(|| self.demand(path, architecture), |place| place.at(architecture))
    }

    fn images(&self) -> Vec<Arc<Image>> {
        self.images.clone()
    }

    fn named(&self, file_name: &str, case: Case) -> Vec<Utf8PathBuf> {
        let paths = self.names.get(&file_name.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default();
        let fits = |path: &&Utf8PathBuf| case == Case::Insensitive || paths::file_name(path.as_str()) == file_name;
        paths.iter().filter(fits).cloned().collect()
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("places", &self.places.keys()).finish_non_exhaustive()
    }
}
