//! The tree of a wheel's binaries as lines: roots are what nothing else of the wheel needs.

use audit::proof::{BinaryNode, NeedNode, Proof, Provider, Slice, spoken_size};
use std::collections::{BTreeMap, BTreeSet};

/// One line.
pub(super) struct Line {
    /// The branches before it.
    pub(super) prefix: String,
    /// The member or library.
    pub(super) name: String,
    /// Size, how it was found, who provides it.
    pub(super) detail: String,
    /// How deep it is.
    pub(super) depth: usize,
    /// Who has it; nothing for a root.
    pub(super) provider: Option<Provider>,
}

/// Modules of one shape are many in scientific packages; so many are drawn.
const ROOTS: usize = 200;

/// All lines.
pub(super) fn lines(proof: &Proof) -> Vec<Line> {
    let needed: BTreeSet<&str> = proof
        .binaries
        .iter()
        .flat_map(|binary| &binary.slices)
        .flat_map(|slice| &slice.needs)
        .filter_map(|need| need.found.as_deref())
        .collect();
    let nodes: BTreeMap<&str, &BinaryNode> =
        proof.binaries.iter().map(|binary| (binary.member.as_str(), binary)).collect();
    let mut drawing = Drawing { proof, nodes, shown: BTreeSet::new(), lines: Vec::new() };
    let mut roots: Vec<&BinaryNode> = proof
        .binaries
        .iter()
        .filter(|binary| binary.module.is_some() || !needed.contains(binary.member.as_str()))
        .collect();
    roots.sort_by_key(|binary| (binary.module.is_none(), std::cmp::Reverse(binary.sizes.packed)));
    let more = roots.len().saturating_sub(ROOTS);
    for root in roots.into_iter().take(ROOTS) {
        drawing.root(root);
    }
    if more > 0 {
        drawing.push(String::new(), format!("and {more} more"), String::new(), 0, None);
    }
    drawing.lines
}

/// The binaries, largest first.
pub(super) fn by_size(proof: &Proof) -> Vec<&BinaryNode> {
    let mut binaries: Vec<&BinaryNode> = proof.binaries.iter().collect();
    binaries.sort_by_key(|binary| std::cmp::Reverse(binary.sizes.packed));
    binaries
}

/// Percent of the wheel's packed size.
pub(super) fn share(proof: &Proof, packed: u64) -> f64 {
    if proof.sizes.packed == 0 { 0.0 } else { packed as f64 * 100.0 / proof.sizes.packed as f64 }
}

struct Drawing<'a> {
    proof: &'a Proof,
    nodes: BTreeMap<&'a str, &'a BinaryNode>,
    shown: BTreeSet<&'a str>,
    lines: Vec<Line>,
}

impl<'a> Drawing<'a> {
    fn push(&mut self, prefix: String, name: String, detail: String, depth: usize, provider: Option<Provider>) {
        self.lines.push(Line { prefix, name, detail, depth, provider });
    }

    fn root(&mut self, binary: &'a BinaryNode) {
        let module = binary.module.as_ref().map(|module| format!(" {module}")).unwrap_or_default();
        let detail = format!("{}{module}, {}", binary.kind, self.size(binary));
        self.push(String::new(), binary.member.clone(), detail, 0, None);
        self.shown.insert(&binary.member);
        self.below(binary, "", 1);
    }

    fn size(&self, binary: &BinaryNode) -> String {
        let sizes = binary.sizes;
        let share = share(self.proof, sizes.packed);
        format!("{} packed, {} unpacked ({share:.1} %)", spoken_size(sizes.packed), spoken_size(sizes.unpacked))
    }

    /// What a binary needs, the slices of a universal file together.
    fn below(&mut self, binary: &'a BinaryNode, prefix: &str, depth: usize) {
        let mut seen = BTreeSet::new();
        let needs: Vec<&'a NeedNode> = binary
            .slices
            .iter()
            .flat_map(|slice| &slice.needs)
            .filter(|need| seen.insert(need.name.as_str()))
            .collect();
        let (system, own): (Vec<_>, Vec<_>) = needs.into_iter().partition(|need| need.provider == Provider::System);
        let owners = owners(&binary.slices);
        let mut rest = own.len() + usize::from(!system.is_empty()) + usize::from(!owners.is_empty());
        let mut branch = || {
            rest -= 1;
            if rest == 0 { ("└─ ", "   ") } else { ("├─ ", "│  ") }
        };
        for need in own {
            let (mark, next) = branch();
            self.need(need, &format!("{prefix}{mark}"), &format!("{prefix}{next}"), depth);
        }
        if !system.is_empty() {
            let (mark, _) = branch();
            let names: Vec<&str> = system.iter().map(|need| need.name.as_str()).collect();
            self.push(
                format!("{prefix}{mark}"),
                names.join(", "),
                "(the system)".into(),
                depth,
                Some(Provider::System),
            );
        }
        if !owners.is_empty() {
            let (mark, _) = branch();
            self.push(format!("{prefix}{mark}"), owners, String::new(), depth, Some(Provider::System));
        }
    }

    fn need(&mut self, need: &'a NeedNode, line: &str, next: &str, depth: usize) {
        let found = need.found.as_deref().and_then(|member| self.nodes.get(member).copied());
        let Some(binary) = found.filter(|_| need.provider == Provider::Wheel) else {
            let word = match need.provider {
                Provider::Missing => "MISSING",
                Provider::Assumed => "assumed",
                Provider::Outside => "outside of the wheel",
                Provider::Wheel | Provider::System => "",
            };
            let place = need.found.as_deref().map(|path| format!(" {path}")).unwrap_or_default();
            self.push(
                line.to_owned(),
                need.name.clone(),
                format!("{word}{place}: {}", need.by),
                depth,
                Some(need.provider),
            );
            return;
        };
        let again = !self.shown.insert(&binary.member);
        let detail = if again { "(shown above)".to_owned() } else { format!("{}, by {}", self.size(binary), need.by) };
        self.push(line.to_owned(), binary.member.clone(), detail, depth, Some(Provider::Wheel));
        if !again {
            self.below(binary, next, depth + 1);
        }
    }
}

/// `symbols: 165 of Python, 90 of libLLVM…`: who owns what a binary takes.
fn owners(slices: &[Slice]) -> String {
    let Some(slice) = slices.first() else { return String::new() };
    let mut owners: Vec<(&String, &usize)> = slice.owners.iter().collect();
    owners.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), name.as_str()));
    let shown: Vec<String> = owners
        .iter()
        .take(4)
        .map(|(name, count)| format!("{count} of {}", name.rsplit(['/', '\\']).next().unwrap_or(name)))
        .collect();
    let more = owners.len().saturating_sub(4);
    match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!("symbols: {}", shown.join(", ")),
        (false, more) => format!("symbols: {} and of {more} more", shown.join(", ")),
    }
}
