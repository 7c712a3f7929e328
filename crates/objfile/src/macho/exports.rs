//! The export trie, which is what dyld looks names up in.
//!
//! A node is: the size of its terminal part (ULEB128), that part, the number of edges (one byte), and for each edge the
//! text it adds to the name and the place of the next node.

use std::borrow::Cow;

use super::MachSection;
use super::c_name;
use super::commands::Commands;
use crate::bytes::{Budget, Data, Names, RawName, bad_value};
use crate::error::{ParseError, Problem};
use crate::object::Unreadable;
use crate::symbol::{Export, ExportTarget, SymbolKind};

const WHAT: &str = "export trie";
const KIND_THREAD_LOCAL: u64 = 1;
const WEAK_DEFINITION: u64 = 4;
const REEXPORT: u64 = 8;
const STUB_AND_RESOLVER: u64 = 0x10;

/// A node that is still to be read.
struct Pending {
    node: u64,
    /// How much of the name so far belongs to this node's parent.
    parent: usize,
    /// The text of the edge to it.
    edge: (u64, usize),
}

pub(super) fn read<'a>(
    data: Data<'a>,
    commands: &Commands<'a>,
    (offset, size): (u64, u64),
    names: &mut Names<'a>,
) -> Result<Vec<Export<'a>>, ParseError> {
    let trie = Data { bytes: data.slice(WHAT, offset, size)?, big: false };
    let mut walk = Walk {
        trie,
        commands,
        code: CodeRanges::new(&commands.facts.sections),
        base: commands.facts.segments.iter().find(|segment| segment.name == "__TEXT").map_or(0, |text| text.address),
        budget: Budget::for_bytes(trie.bytes),
        exports: Vec::new(),
    };
    walk.run(offset, names).map_err(|error| error.shifted(offset))?;
    Ok(walk.exports)
}

struct Walk<'a, 'c> {
    trie: Data<'a>,
    commands: &'c Commands<'a>,
    code: CodeRanges,
    base: u64,
    budget: Budget,
    exports: Vec<Export<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self, offset: u64, names: &mut Names<'a>) -> Result<(), ParseError> {
        // A node has one parent: one that is met twice would make the trie a graph, perhaps with a cycle.
        let mut seen = vec![false; self.trie.bytes.len()];
        // Nodes may overlap, but cannot have more edges than there are bytes.
        let mut edges_left = self.trie.bytes.len();
        let mut name: Vec<u8> = Vec::new();
        let mut pending = vec![Pending { node: 0, parent: 0, edge: (0, 0) }];
        while let Some(Pending { node, parent, edge }) = pending.pop() {
            name.truncate(parent);
            let (edge_at, edge_size) = edge;
            name.extend_from_slice(self.trie.slice(WHAT, edge_at, edge_size as u64)?);
            match usize::try_from(node).ok().and_then(|node| seen.get_mut(node)) {
                None => return Err(bad_value(WHAT, edge_at, "place of a node", node)),
                Some(true) => {
                    return Err(ParseError::Malformed { structure: WHAT, offset: node, problem: Problem::Cycle });
                }
                Some(seen) => *seen = true,
            }
            let (terminal_size, terminal) = uleb128(self.trie, node)?;
            let children = terminal
                .checked_add(terminal_size)
                .ok_or_else(|| bad_value(WHAT, node, "size of a terminal", terminal_size))?;
            if terminal_size != 0 {
                self.trie.slice(WHAT, terminal, terminal_size)?;
                self.budget.spend(WHAT, node, name.len())?;
                match String::from_utf8(name.clone()) {
                    Ok(text) => {
                        let export = self.export(&text, terminal, offset, names)?;
                        self.exports.push(export);
                    }
                    Err(error) => names.unreadable.push(Unreadable {
                        what: "export",
                        offset: offset + node,
                        bytes: Cow::Owned(error.into_bytes()),
                    }),
                }
            }
            let count = self.trie.record(WHAT, children, 1)?.u8(0);
            let mut at = children + 1;
            let first = pending.len();
            for _ in 0..count {
                edges_left = edges_left.checked_sub(1).ok_or(ParseError::Malformed {
                    structure: WHAT,
                    offset: node,
                    problem: Problem::Overlap,
                })?;
                let text = self.trie.text(WHAT, at, &mut self.budget)?;
                let edge = (at, text.bytes.len());
                let (node, next) = uleb128(self.trie, at + edge.1 as u64 + 1)?;
                pending.push(Pending { node, parent: name.len(), edge });
                at = next;
            }
            // The stack hands out the last first: turned round, names come in the trie's order.
            if let Some(children) = pending.get_mut(first..) {
                children.reverse();
            }
        }
        Ok(())
    }

    fn export(&mut self, symbol: &str, at: u64, offset: u64, names: &mut Names<'a>) -> Result<Export<'a>, ParseError> {
        let (flags, at) = uleb128(self.trie, at)?;
        let mut export = Export {
            name: Cow::Owned(c_name(symbol).to_owned()),
            version: None,
            kind: SymbolKind::Unknown,
            weak: flags & WEAK_DEFINITION != 0,
            unique: false,
            ordinal: None,
            target: ExportTarget::Address(0),
        };
        if flags & REEXPORT != 0 {
            let (ordinal, at) = uleb128(self.trie, at)?;
            let library =
                usize::try_from(ordinal).ok().and_then(|ordinal| self.commands.ordinals.get(ordinal.checked_sub(1)?));
            let library = *library.ok_or_else(|| bad_value(WHAT, at, "ordinal of a re-export", ordinal))?;
            let RawName { bytes, offset: name_at } = self.trie.text(WHAT, at, &mut self.budget)?;
            let there = names.text("export", RawName { bytes, offset: offset + name_at }).unwrap_or_default();
            export.target = ExportTarget::Forward { library: library.unwrap_or_default(), symbol: c_name(there) };
        } else {
            let (address, _) = uleb128(self.trie, at)?;
            let address = self.base.wrapping_add(address);
            export.kind = if flags & 3 == KIND_THREAD_LOCAL {
                SymbolKind::Tls
            } else if flags & STUB_AND_RESOLVER != 0 || self.code.contains(address) {
                SymbolKind::Function
            } else {
                SymbolKind::Data
            };
            export.target = ExportTarget::Address(address);
        }
        Ok(export)
    }
}

/// Which addresses hold code.
struct CodeRanges(Vec<(u64, u64)>);

impl CodeRanges {
    fn new(sections: &[MachSection<'_>]) -> Self {
        let code = sections.iter().filter(|section| section.is_code() && section.size > 0);
        let mut ranges: Vec<_> =
            code.map(|section| (section.address, section.address.saturating_add(section.size))).collect();
        ranges.sort_unstable();
        Self(ranges)
    }

    fn contains(&self, address: u64) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= address);
        after.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|(_, end)| address < *end)
    }
}

/// A number of seven bits a byte, and where it ends.
pub(super) fn uleb128(data: Data<'_>, start: u64) -> Result<(u64, u64), ParseError> {
    let mut value = 0;
    for index in 0..10 {
        let byte = data.record(WHAT, start + index, 1)?.u8(0);
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, start + index + 1));
        }
    }
    Err(bad_value(WHAT, start, "number longer than 64 bits", value))
}
