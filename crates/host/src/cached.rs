//! Answers that stay true as long as certain files stay as they are, kept in one JSON file.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What is compared to tell that a file did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    size: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl Stamp {
    /// Of a file or folder, links followed; `None` if there is none.
    pub(crate) fn of(path: &Utf8Path) -> Option<Self> {
        let metadata = fs_err::metadata(path).ok()?;
        Some(Self { size: if metadata.is_dir() { 0 } else { metadata.len() }, modified: modified(&metadata) })
    }

    /// For keys.
    pub(crate) fn text(self) -> String {
        format!("{}:{}", self.size, self.modified)
    }
}

/// When a file was written, in nanoseconds since 1970; 0 where the system does not say.
pub(crate) fn modified(metadata: &std::fs::Metadata) -> u64 {
    metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// A file or folder on which an answer depends, also by not being there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Witness {
    path: Utf8PathBuf,
    stamp: Option<Stamp>,
}

impl Witness {
    pub(crate) fn of(path: impl Into<Utf8PathBuf>) -> Self {
        let path = path.into();
        Self { stamp: Stamp::of(&path), path }
    }

    fn still_holds(&self) -> bool {
        Stamp::of(&self.path) == self.stamp
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry<T> {
    witnesses: Vec<Witness>,
    answer: T,
}

/// Answers by question.
#[derive(Debug)]
pub(crate) struct Answers<T> {
    file: Option<Utf8PathBuf>,
    /// What asks; answers of another asker are forgotten.
    asker: String,
    entries: BTreeMap<String, Entry<T>>,
    changed: bool,
}

#[derive(Serialize)]
struct Written<'a, T> {
    asker: &'a str,
    entries: &'a BTreeMap<String, Entry<T>>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Read<T> {
    asker: String,
    entries: BTreeMap<String, Entry<T>>,
}

impl<T: Serialize + DeserializeOwned + Clone> Answers<T> {
    /// Those of a file; none if it is not there, damaged, or another asker's. Without a file nothing is kept.
    pub(crate) fn open(file: Option<Utf8PathBuf>, asker: &str) -> Self {
        let entries = file
            .as_ref()
            .and_then(|file| fs_err::read(file).ok())
            .and_then(|bytes| serde_json::from_slice::<Read<T>>(&bytes).ok())
            .filter(|read| read.asker == asker)
            .map(|read| read.entries)
            .unwrap_or_default();
        Self { file, asker: asker.to_owned(), entries, changed: false }
    }

    /// The answer, if all its witnesses are as they were.
    pub(crate) fn get(&self, question: &str) -> Option<&T> {
        let entry = self.entries.get(question)?;
        entry.witnesses.iter().all(Witness::still_holds).then_some(&entry.answer)
    }

    pub(crate) fn put(&mut self, question: &str, witnesses: Vec<Witness>, answer: T) {
        self.changed = true;
        self.entries.insert(question.to_owned(), Entry { witnesses, answer });
    }

    /// Writes the file if something changed: beside it and renamed, so that two programs at once do no harm. Not
    /// being able to is no error: the next run asks again.
    pub(crate) fn save(self) {
        let Some(file) = self.file.filter(|_| self.changed) else { return };
        if let Ok(bytes) = serde_json::to_vec(&Written { asker: &self.asker, entries: &self.entries }) {
            let _ = disk::write(&file, &bytes);
        }
    }
}
