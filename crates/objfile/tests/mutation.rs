//! Changed and truncated copies of every fixture: whatever comes out, nothing panics, hangs or grows out of proportion.
#![allow(clippy::unwrap_used)]

mod fixture;

use std::time::{Duration, Instant};

use wheelproof_objfile as objfile;
use wheelproof_objfile::{Export, File, Import, Object, SliceContent};

/// Reads all there is. What it gives is how many bytes the results hold.
fn read_all(bytes: &[u8]) -> usize {
    match objfile::parse(bytes) {
        Err(error) => error.to_string().len(),
        Ok(File::Object(object)) => held(&object),
        Ok(File::Universal(slices)) => slices
            .iter()
            .map(|slice| match &slice.content {
                SliceContent::Object(object) => held(object),
                SliceContent::Archive(archive) => archive.members().count(),
            })
            .sum(),
        Ok(File::Archive(archive)) => archive
            .members()
            .filter_map(Result::ok)
            .filter_map(|member| member.parse().ok())
            .flat_map(|file| file.objects().map(held).collect::<Vec<_>>())
            .sum(),
    }
}

fn held(object: &Object<'_>) -> usize {
    let sections = object.read_only_sections();
    let mut end = 0;
    for section in &sections {
        assert!(section.offset >= end, "read-only sections overlap");
        end = section.offset + section.bytes.len() as u64;
        let start = usize::try_from(section.offset).unwrap();
        assert_eq!(&object.bytes[start..start + section.bytes.len()], section.bytes);
    }
    let _ = objfile::verify_signature(object);
    let _ = object.init_functions().count();
    let names: usize = object.exports.iter().map(|export| export.name.len() + export.label().len()).sum();
    let unreadable: usize = object.unreadable.iter().map(|name| name.bytes.len()).sum();
    object.imports.len() * size_of::<Import<'_>>()
        + object.exports.len() * size_of::<Export<'_>>()
        + sections.len() * 64
        + (object.needed.len() + object.rpaths.len() + object.minimum_os.len()) * 40
        + names
        + unreadable
}

/// Xorshift: the same numbers on every run and system.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound.max(1)
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const EXTREMES: [u64; 8] = [0, 1, 0x7f, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1, u64::MAX];
    for _ in 0..=random.below(4) {
        // Headers and tables stand at the start and the end; the middle is data.
        let at = match random.below(3) {
            0 => random.below(bytes.len().min(1024)),
            1 => random.below(bytes.len()),
            _ => bytes.len() - 1 - random.below(bytes.len().min(2048)),
        };
        match random.below(8) {
            0 => {
                let kept = random.below(bytes.len()).max(1);
                bytes.truncate(kept);
            }
            1..=3 => bytes[at] ^= 1 << random.below(8),
            4 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            kind => {
                let width = [2, 4, 8][kind - 5];
                let value = EXTREMES[random.below(EXTREMES.len())].to_le_bytes();
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&value[..end - at]);
            }
        }
    }
}

#[test]
fn changed_files_are_read_or_refused() {
    const ROUNDS: usize = 4000;
    let mut random = Random(0x5eed_1234_abcd_ef01);
    let mut refused = 0;
    for name in fixture::ALL {
        let original = fixture::bytes(name);
        let rounds = if original.len() > 20_000 { ROUNDS / 5 } else { ROUNDS };
        for round in 0..rounds {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut random);
            let started = Instant::now();
            let held = read_all(&bytes);
            assert!(started.elapsed() < Duration::from_secs(5), "{name}, round {round}: {:?}", started.elapsed());
            let limit = bytes.len() * 100 + (4 << 20);
            assert!(held < limit, "{name}, round {round}: {held} bytes held for {}", bytes.len());
            refused += usize::from(objfile::parse(&bytes).is_err());
        }
    }
    assert!(refused > 1000, "only {refused} were refused: the changes do not reach the structures");
}

#[test]
fn every_truncation_of_a_small_file() {
    for name in ["extension-x86.so", "extension-x86.pyd", "extension-x86.obj", "python313-x86.lib", "extension-macho.o"]
    {
        let whole = fixture::bytes(name);
        for length in 0..whole.len() {
            read_all(&whole[..length]);
        }
    }
}
