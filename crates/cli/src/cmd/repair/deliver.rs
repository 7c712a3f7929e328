//! How a wheel gets into the output folder: whole or not at all, and never in the place of another one of this call.

use super::asked::reason;
use camino::{Utf8Path, Utf8PathBuf};
use repair::{How, Repaired};
use std::collections::BTreeMap;

/// The folder, and who has put what into it.
pub(super) struct Delivery {
    out: Utf8PathBuf,
    /// By the result's name in lower case: to some systems that is the same file.
    taken: BTreeMap<String, Utf8PathBuf>,
}

impl Delivery {
    pub(super) fn to(out: Utf8PathBuf) -> Self {
        Self { out, taken: BTreeMap::new() }
    }

    /// Puts a wheel that passed into the folder, by rename.
    ///
    /// # Errors
    /// A sentence: another wheel of this call is there under that name, or the system says no.
    pub(super) fn put(&mut self, given: &Utf8Path, repaired: &Repaired) -> Result<Utf8PathBuf, String> {
        let name = repaired.wheel.file_name().unwrap_or_default();
        if let Some(other) = self.taken.get(&name.to_lowercase()) {
            return Err(format!(
                "it became `{name}`, as `{other}` did before, and the folder has room for one of that name; repair it in a \
                 call of its own"
            ));
        }
        let place = self.out.join(name);
        // What was made here is moved where that is possible; the given wheel stays where it is.
        let moved = repaired.how == How::Repaired && disk::replace(&repaired.wheel, &place).is_ok();
        if !moved {
            copy(&repaired.wheel, &place)
                .map_err(|error| format!("it could not be put into `{}`: {}", self.out, reason(&error)))?;
        }
        self.taken.insert(name.to_lowercase(), given.to_owned());
        Ok(place)
    }
}

/// Beside its place first, then renamed there.
fn copy(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    let mut source = fs_err::File::open(from)?;
    disk::write_with(to, |file| std::io::copy(&mut source, file)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(wheel: Utf8PathBuf, how: How) -> Repaired {
        Repaired {
            wheel,
            how,
            grafted: Vec::new(),
            origins: repair::Origins::default(),
            assumed: Vec::new(),
            platform: String::new(),
            why_not_wider: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// A wheel of the build and one that was repaired before come out under one name.
    #[test]
    fn two_that_became_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let [one, other] = ["one", "other"].map(|folder| {
            fs_err::create_dir_all(dir.join(folder)).unwrap();
            let wheel =
                dir.join(folder).join(if folder == "one" { "x-1-py3-none-any.whl" } else { "X-1-py3-none-any.whl" });
            fs_err::write(&wheel, folder).unwrap();
            wheel
        });
        fs_err::create_dir_all(dir.join("out")).unwrap();
        let mut delivery = Delivery::to(dir.join("out"));
        let place = delivery.put("one.whl".into(), &made(one.clone(), How::Repaired)).unwrap();
        assert!(!one.exists(), "what was made here is moved");
        let error = delivery.put("other.whl".into(), &made(other.clone(), How::HeldAlready)).unwrap_err();
        assert!(error.starts_with("it became `X-1-py3-none-any.whl`, as `one.whl` did before"), "{error}");
        assert_eq!(fs_err::read_to_string(place).unwrap(), "one");
        assert_eq!(fs_err::read_dir(dir.join("out")).unwrap().count(), 1);
        // The next call replaces what this one left; the given wheel stays.
        Delivery::to(dir.join("out")).put("other.whl".into(), &made(other.clone(), How::HeldAlready)).unwrap();
        assert!(other.exists());
    }
}
