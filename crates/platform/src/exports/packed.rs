//! The packed form of the export lists, which `data/make_exports.py` writes: a header of `#` lines, an empty line, and
//! a deflate stream of groups. A group is a line of cells (the first is the library) and front-coded symbols.

use std::collections::HashMap;
use std::io::Read as _;
use std::ops::Range;
use std::sync::OnceLock;

/// More than any of the files unpacks to (the largest has 2 MB): a limit, should one be damaged.
const LIMIT: u64 = 64 << 20;

/// One file, unpacked; its libraries are read when asked for.
#[derive(Debug, Default)]
pub(super) struct Packed {
    text: String,
    latest: String,
    libraries: HashMap<String, Library>,
}

#[derive(Debug, Default)]
struct Library {
    /// Where each group's cells and its symbols stand in the text.
    groups: Vec<(Range<usize>, Range<usize>)>,
    /// Symbol and the groups that have it.
    symbols: OnceLock<HashMap<String, Vec<u16>>>,
}

impl Packed {
    /// Unpacks a file. The files are part of the program and tested to be whole; a damaged one knows no library.
    pub(super) fn new(file: &[u8]) -> Self {
        let end = file.windows(2).position(|pair| pair == b"\n\n").unwrap_or(file.len());
        let header = String::from_utf8_lossy(file.get(..end).unwrap_or_default());
        let latest = header.lines().find_map(|line| line.strip_prefix("# latest: ")).unwrap_or_default().to_owned();
        let mut text = String::new();
        let body = file.get(end + 2..).unwrap_or_default();
        if flate2::read::DeflateDecoder::new(body).take(LIMIT).read_to_string(&mut text).is_err() {
            return Self::default();
        }
        let mut libraries: HashMap<String, Library> = HashMap::new();
        let mut start = 0;
        // A tab stands at the start of a group and between its cells; only the first one follows a line's end.
        for next in text.match_indices("\n\t").map(|(at, _)| at + 1).chain([text.len()]) {
            let group = text.get(start..next).unwrap_or_default();
            if let Some((cells, _)) = group.split_once('\n') {
                let name = cells.split('\t').nth(1).unwrap_or_default();
                let body = start + cells.len() + 1..next;
                let library = libraries.entry(name.to_owned()).or_default();
                library.groups.push((start + 1..start + cells.len(), body));
            }
            start = next;
        }
        Self { text, latest, libraries }
    }

    /// What the file's header names as its newest release.
    pub(super) fn latest(&self) -> &str {
        &self.latest
    }

    /// The libraries there are, in no order.
    pub(super) fn libraries(&self) -> impl Iterator<Item = &str> {
        self.libraries.keys().map(String::as_str)
    }

    /// The list's own copy of a library's name.
    pub(super) fn library_name(&self, library: &str) -> Option<&str> {
        self.libraries.get_key_value(library).map(|(name, _)| name.as_str())
    }

    pub(super) fn has_library(&self, library: &str) -> bool {
        self.libraries.contains_key(library)
    }

    /// The cells (after the library's name) of each of a library's groups.
    pub(super) fn groups(&self, library: &str) -> impl Iterator<Item = Vec<&str>> {
        let library = self.libraries.get(library);
        library
            .into_iter()
            .flat_map(|library| (0_u16..).zip(&library.groups).filter_map(|(at, _)| self.cells(library, at)))
    }

    /// A symbol of a library, and the cells (after the library's name) of the groups that have it.
    pub(super) fn find(&self, library: &str, symbol: &str) -> Option<(&str, Vec<Vec<&str>>)> {
        let library = self.libraries.get(library)?;
        let (symbol, groups) = self.symbols(library).get_key_value(symbol)?;
        Some((symbol, groups.iter().filter_map(|at| self.cells(library, *at)).collect()))
    }

    /// The symbols of a library in the groups whose cells (after the library's name) are wanted.
    pub(super) fn list(&self, library: &str, wanted: impl Fn(&[&str]) -> bool) -> Vec<&str> {
        let Some(library) = self.libraries.get(library) else { return Vec::new() };
        let groups: Vec<u16> = (0_u16..)
            .zip(&library.groups)
            .filter_map(|(at, _)| self.cells(library, at).is_some_and(|cells| wanted(&cells)).then_some(at))
            .collect();
        if groups.is_empty() {
            return Vec::new();
        }
        let symbols = self.symbols(library).iter();
        symbols.filter(|(_, of)| of.iter().any(|at| groups.contains(at))).map(|(symbol, _)| symbol.as_str()).collect()
    }

    fn cells(&self, library: &Library, at: u16) -> Option<Vec<&str>> {
        let (cells, _) = library.groups.get(usize::from(at))?;
        Some(self.text.get(cells.clone())?.split('\t').skip(1).collect())
    }

    fn symbols<'a>(&'a self, library: &'a Library) -> &'a HashMap<String, Vec<u16>> {
        library.symbols.get_or_init(|| {
            let mut symbols: HashMap<String, Vec<u16>> = HashMap::new();
            for (at, (_, body)) in (0_u16..).zip(&library.groups) {
                let mut symbol = String::new();
                for line in self.text.get(body.clone()).unwrap_or_default().lines() {
                    let mut rest = line.chars();
                    let shared = rest.next().map_or(0, |count| (count as usize).saturating_sub(33));
                    symbol.truncate(shared);
                    symbol.push_str(rest.as_str());
                    symbols.entry(symbol.clone()).or_default().push(at);
                }
            }
            symbols
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn pack(body: &str) -> Vec<u8> {
        let mut file = b"# latest: 2.1\n# other\n\n".to_vec();
        let mut encoder = flate2::write::DeflateEncoder::new(&mut file, flate2::Compression::default());
        encoder.write_all(body.as_bytes()).unwrap();
        encoder.finish().unwrap();
        file
    }

    #[test]
    fn groups_and_what_symbols_share() {
        let packed = Packed::new(&pack("\ta\tone\n!open\n%64\n#at\n\ta\ttwo\tx\n!open\n\tb\tone\n!close\n"));
        assert_eq!(packed.latest(), "2.1");
        assert_eq!(packed.find("a", "open"), Some(("open", vec![vec!["one"], vec!["two", "x"]])));
        assert_eq!(packed.find("a", "open64"), Some(("open64", vec![vec!["one"]])));
        assert_eq!(packed.find("a", "opat"), Some(("opat", vec![vec!["one"]])));
        assert_eq!(packed.find("a", "close"), None);
        assert_eq!(packed.find("b", "close"), Some(("close", vec![vec!["one"]])));
        assert_eq!(packed.find("c", "close"), None);
        assert_eq!(packed.groups("a").collect::<Vec<_>>(), [vec!["one"], vec!["two", "x"]]);
        assert_eq!(packed.groups("c").count(), 0);
        assert_eq!(packed.list("a", |cells| cells == ["two", "x"]), ["open"]);
        assert!(packed.has_library("b") && !packed.has_library("c"));
        assert_eq!(packed.libraries().count(), 2);
    }

    #[test]
    fn a_damaged_file_knows_nothing() {
        let whole = pack("\ta\tone\n!open\n");
        for file in [&b""[..], b"\n\n", b"# x", &whole[..whole.len() - 3], b"# latest: 1\n\nno stream"] {
            assert_eq!(Packed::new(file).libraries().count(), 0);
        }
        // Front coding that points nowhere, and groups without cells.
        let odd = Packed::new(&pack("open\n\t\n\ta\n~open\n\u{20ac}open\n\n"));
        assert_eq!(odd.find("a", "nothing"), None);
    }
}
