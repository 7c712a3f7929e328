//! The one pass over a wheel: every member is inflated, hashed and read once.

use super::optional::Mentions;
use super::sizes::Sizes;
use super::sources::Source;
use crate::importing::NoBinary;
use crate::open::OpenError;
use crate::stop::Stop;
use camino::{Utf8Path, Utf8PathBuf};
use linkage::{Image, Tree};
use objfile::{Architecture, Format, ParseError, SliceContent};
use platform::{TagSet, WheelName};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use wheel::{Hashes, Member, Place, Scheme, Wheel};

/// What was read of a wheel.
pub(super) struct Contents {
    /// The archive and its texts.
    pub(super) wheel: Wheel,
    /// How findings name the file.
    pub(super) shown: Utf8PathBuf,
    /// Its name, if it is one.
    pub(super) name: Option<WheelName>,
    /// Its tags: from the name, else from WHEEL.
    pub(super) tags: Option<TagSet>,
    /// Every binary, in the order of the archive.
    pub(super) binaries: Vec<Binary>,
    /// Binaries that could not be read, with the reason.
    pub(super) broken: Vec<(String, ParseError)>,
    /// Files that are called like extension modules and begin as no binary.
    pub(super) pretenders: Vec<(String, NoBinary)>,
    /// Python files that open libraries or add folders.
    pub(super) sources: Vec<Source>,
    /// Of all files.
    pub(super) hashes: Hashes,
    /// The binaries where the loader finds them.
    pub(super) tree: Tree,
    /// What the Python code says of the modules; gathered when something asks.
    mentions: OnceLock<Mentions>,
    /// Which of `binaries` lies at a path; the first, where several do.
    by_path: HashMap<String, usize>,
}

/// A binary of the wheel: one, or one for each slice.
pub(super) struct Binary {
    /// Its name in the archive.
    pub(super) member: String,
    /// Where it lies below site-packages after installation.
    pub(super) path: Utf8PathBuf,
    /// Its images, one per architecture.
    pub(super) images: Vec<Arc<Image>>,
    /// Its size.
    pub(super) sizes: Sizes,
    /// Whether the archive marks it as executable.
    pub(super) executable: bool,
}

/// What one member is.
enum Found {
    /// Nothing of interest.
    Other,
    Images(Vec<Image>),
    Broken(ParseError),
    Pretender(NoBinary),
    Source(Source),
}

impl Contents {
    /// Reads the wheel at `path`.
    pub(super) fn read(path: &Utf8Path, shown: Option<&Utf8Path>, stop: &Stop) -> Result<Self, OpenError> {
        let shown = shown.unwrap_or(path).to_owned();
        let wheel = Wheel::of(wheel::Archive::open(path)?);
        let name = shown.file_name().and_then(|name| name.parse::<WheelName>().ok());
        let tags = name.as_ref().map(|name| name.tags.clone()).or_else(|| tags_of(&wheel));
        let layout = wheel.dist_info.as_ref().ok();
        let processed = wheel.archive.par_process_until(
            &|| stop.is_due(),
            |member| !member.is_dir,
            |member, bytes| {
                let path = installed(layout.map(|info| info.place(&member.name)), &member.name);
                (wheel::hash(bytes), look(&path, bytes))
            },
        );
        stop.check()?;
        let mut contents = Parts::default();
        let mut hashes = Vec::with_capacity(processed.len());
        for done in processed {
            match done.result {
                Ok((hash, found)) => {
                    hashes.push((done.member.index, Ok(hash)));
                    contents.add(layout, done.member, found);
                }
                Err(error) => hashes.push((done.member.index, Err(error))),
            }
        }
        let Parts { binaries, broken, pretenders, sources, tree } = contents;
        let mut by_path = HashMap::new();
        for (binary, index) in binaries.iter().zip(0..) {
            by_path.entry(plain(&binary.path).into_owned()).or_insert(index);
        }
        let hashes = Hashes::collect(hashes);
        let mentions = OnceLock::new();
        Ok(Self { wheel, shown, name, tags, binaries, broken, pretenders, sources, hashes, tree, mentions, by_path })
    }

    /// Every image with the binary it is of.
    pub(super) fn images(&self) -> impl Iterator<Item = (&Binary, &Arc<Image>)> {
        self.binaries.iter().flat_map(|binary| binary.images.iter().map(move |image| (binary, image)))
    }

    /// The member that an installed path came from.
    pub(super) fn member_at(&self, path: &Utf8Path) -> Option<&str> {
        self.binary_at(path).map(|binary| binary.member.as_str())
    }

    /// The Python file that opens a library, as far as its texts tell.
    pub(super) fn opener(&self, path: &Utf8Path) -> Option<&Source> {
        let name = path.file_name()?;
        self.sources.iter().find(|source| source.opens && source.names(name))
    }

    /// What the Python code says of the modules.
    pub(super) fn mentions(&self) -> &Mentions {
        self.mentions.get_or_init(|| Mentions::of(self))
    }

    /// The binary at an installed path.
    pub(super) fn binary_at(&self, path: &Utf8Path) -> Option<&Binary> {
        self.by_path.get(&*plain(path)).and_then(|index| self.binaries.get(*index))
    }
}

/// A path as its components make it: archives may hold `a//b` and `./a`.
fn plain(path: &Utf8Path) -> Cow<'_, str> {
    let text = path.as_str();
    if !(text.contains("//") || text.contains("/./") || text.ends_with(['/', '.'])) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(path.components().collect::<Utf8PathBuf>().into_string())
}

#[derive(Default)]
struct Parts {
    binaries: Vec<Binary>,
    broken: Vec<(String, ParseError)>,
    pretenders: Vec<(String, NoBinary)>,
    sources: Vec<Source>,
    tree: Tree,
}

impl Parts {
    fn add(&mut self, layout: Option<&wheel::DistInfo>, member: &Member, found: Found) {
        match found {
            Found::Other => {}
            Found::Broken(error) => {
                self.tree
                    .unusable(installed(layout.map(|info| info.place(&member.name)), &member.name), error.to_string());
                self.broken.push((member.name.clone(), error));
            }
            Found::Pretender(what) => self.pretenders.push((member.name.clone(), what)),
            Found::Source(source) => self.sources.push(source),
            Found::Images(images) => self.binaries.push(Binary {
                member: member.name.clone(),
                path: installed(layout.map(|info| info.place(&member.name)), &member.name).into(),
                images: images.into_iter().map(|image| self.tree.add(image)).collect(),
                sizes: Sizes { packed: member.compressed_size, unpacked: member.size },
                executable: member.is_executable(),
            }),
        }
    }
}

/// Where a member lies after installation, seen from site-packages. Other schemes' folders are where a virtual environment
/// of a Unix system has them: `lib/pythonX.Y/site-packages` is three levels below its root.
pub(super) fn installed(place: Option<Place<'_>>, name: &str) -> String {
    match place {
        Some(Place::Site(path)) => path.to_owned(),
        Some(Place::Scheme(Scheme::Scripts, path)) => format!("../../../bin/{path}"),
        Some(Place::Scheme(Scheme::Headers, path)) => format!("../../../include/{path}"),
        Some(Place::Scheme(Scheme::Data, path)) => format!("../../../{path}"),
        Some(Place::Scheme(Scheme::Purelib | Scheme::Platlib, path)) => path.to_owned(),
        Some(Place::DistInfo(_) | Place::Outside(_)) | None => name.to_owned(),
    }
}

fn look(path: &str, bytes: &[u8]) -> Found {
    if path.ends_with(".py") {
        return Source::scan(path, bytes).map_or(Found::Other, Found::Source);
    }
    // Objects and archives are for linkers; no loader sees them.
    if let Some(what) = NoBinary::of(bytes) {
        let called_like_a_module = [".so", ".pyd"].iter().any(|suffix| path.ends_with(suffix));
        return if called_like_a_module { Found::Pretender(what) } else { Found::Other };
    }
    match objfile::parse(bytes) {
        Ok(objfile::File::Object(object)) => Found::Images(vec![image(path, &object)]),
        Ok(objfile::File::Universal(slices)) => {
            let objects = slices.iter().filter_map(|slice| match &slice.content {
                SliceContent::Object(object) => Some(image(path, object)),
                SliceContent::Archive(_) => None,
            });
            let images: Vec<Image> = objects.collect();
            if images.is_empty() { Found::Other } else { Found::Images(images) }
        }
        Ok(objfile::File::Archive(_)) => Found::Other,
        Err(error) => Found::Broken(error),
    }
}

fn image(path: &str, object: &objfile::Object<'_>) -> Image {
    let mut image = Image::from_object(path, object);
    // Only arm64 checks signatures; hashing every page for nothing takes as long as inflating them.
    if object.format == Format::MachO
        && object.architecture == Architecture::Aarch64
        && let Ok(state) = objfile::verify_signature(object)
    {
        image.set_signature(&state);
    }
    image
}

fn tags_of(wheel: &Wheel) -> Option<TagSet> {
    let texts = wheel.wheel_file.iter().flat_map(|file| &file.tags);
    let tags: Vec<_> =
        texts.filter_map(|text| text.parse::<TagSet>().ok()).flat_map(|set| set.expand().collect::<Vec<_>>()).collect();
    TagSet::compress(&tags)
}
