//! A descent in steps: each asks for the memory that the next one reads, and does not wait for it.
//!
//! Of many descents side by side the steps are taken in turn, so that all wait for memory at the same time. What
//! they spot is a guess by hash: whoever uses it compares the name.

use super::{Branch, Link, Page, Trie};
use crate::memory::fetch;
use crate::wire::NameRef;
use crate::zone::key::{self, ShortKey};
use crate::zone::node::NodeRef;

/// Octets of a node that are asked for: owner and first RRset of most names.
const NODE_OCTETS: usize = 128;
/// The same where RRsets have signatures.
const SIGNED_NODE_OCTETS: usize = 384;

//------------ Descent -------------------------------------------------------

/// A look-up on its way.
pub(in crate::zone) struct Descent<'a> {
    /// What was asked for.
    next: Next<'a>,
    /// The key of the name.
    key: ShortKey,
    /// How many octets of it led here.
    at: usize,
    /// The hash of the name.
    hash: u64,
    /// Octets of the apex name.
    apex_octets: usize,
    /// Whether nodes have signatures, and the one before a name proves that there is none.
    is_signed: bool,
}

/// What a step reads.
#[derive(Clone, Copy)]
enum Next<'a> {
    /// Where a part of the trie is.
    Link(&'a Link),
    /// A fork.
    Branch(&'a Branch),
    /// The table of a page.
    Page(&'a Page),
    /// The order of the nodes of a page: the name is not among them, and what comes before it proves that.
    Order(&'a Page),
    /// Nothing more: the node, if one was spotted.
    Over(Option<Spotted<'a>>),
}

/// Where a page has a node whose name has the hash that was looked for.
#[derive(Clone, Copy)]
pub(in crate::zone) struct Spotted<'a> {
    /// The page.
    page: &'a Page,
    /// Where the node starts.
    start: u16,
}

impl<'a> Spotted<'a> {
    /// The node, whose name may be another one.
    pub(in crate::zone) fn node(self) -> Option<NodeRef<'a>> {
        self.page.node_from(self.start)
    }
}

impl Trie {
    /// Begins the descent to a name at or below the apex. None for a long name, which is rare.
    pub(in crate::zone) fn descent(
        &self,
        name: NameRef<'_>,
        is_signed: bool,
    ) -> Option<Descent<'_>> {
        Some(Descent {
            next: Next::Link(self.root.as_ref()?),
            key: ShortKey::short(name, self.apex_octets)?,
            at: 0,
            hash: key::hash(name),
            apex_octets: self.apex_octets,
            is_signed,
        })
    }
}

impl<'a> Descent<'a> {
    /// Takes a step. Returns whether there is another one.
    #[inline]
    pub(in crate::zone) fn step(&mut self) -> bool {
        self.next = match self.next {
            Next::Link(Link::Branch(branch)) => {
                fetch(&**branch, size_of::<Branch>());
                Next::Branch(branch)
            }
            Next::Link(Link::Page(page)) => self.page(page),
            Next::Branch(branch) => self.below(branch),
            Next::Page(page) => self.in_page(page),
            Next::Order(page) => {
                self.fetch_before(page);
                Next::Over(None)
            }
            Next::Over(_) => return false,
        };
        true
    }

    /// What was spotted at the end.
    pub(in crate::zone) fn spotted(&self) -> Option<Spotted<'a>> {
        match self.next {
            Next::Over(spotted) => spotted,
            _ => None,
        }
    }

    /// What is below a fork.
    #[inline]
    fn below(&mut self, branch: &'a Branch) -> Next<'a> {
        let rest = &self.key.bytes()[self.at..];
        let Some(below) = branch.strip(rest) else { return Next::Over(None) };
        let Some((octet, after)) = below.split_first() else {
            return branch.own.as_ref().map_or(Next::Over(None), |own| self.page(own));
        };
        self.at += rest.len() - after.len();
        match branch.twig(*octet) {
            Some(link) => {
                fetch(link, 1);
                Next::Link(link)
            }
            None => Next::Over(None),
        }
    }

    /// Asks for the place in the table of a page.
    #[inline]
    fn page(&self, page: &'a Page) -> Next<'a> {
        page.fetch_slot(self.hash);
        Next::Page(page)
    }

    /// Looks into the table of a page.
    #[inline]
    fn in_page(&self, page: &'a Page) -> Next<'a> {
        let spotted = page.with_hash(self.hash).next().map(|start| Spotted { page, start });
        match spotted {
            Some(Spotted { start, .. }) => page.fetch_node(start, self.node_octets()),
            None if self.is_signed => {
                page.fetch_order();
                return Next::Order(page);
            }
            None => {}
        }
        Next::Over(spotted)
    }

    /// Asks for the node in front of where the name would be.
    fn fetch_before(&self, page: &Page) {
        let (Ok(at) | Err(at)) = page.position(self.key.bytes(), self.apex_octets);
        if let Some(before) = at.checked_sub(1) {
            page.fetch_node(page.start_of(before), self.node_octets());
        }
    }

    /// Octets of a node that are asked for.
    fn node_octets(&self) -> usize {
        if self.is_signed { SIGNED_NODE_OCTETS } else { NODE_OCTETS }
    }
}
