//! The names of a zone: a persistent radix trie over canonical keys, with pages of nodes as leaves.
//!
//! A [`Branch`] distinguishes keys by one octet, with all octets that they share before it; a [`Page`]
//! is one allocation with the nodes of some consecutive names. So the inner part of a zone of a
//! million names is small enough to stay in the processor's caches, and a lookup misses them about
//! once, in the page. Every octet is compared on the way down: where a descent ends without a match,
//! the ancestors seen are true ancestors, and what is to the left is the predecessor.
//!
//! A copy of a trie shares everything. A change copies the branches on its path and one page, and only
//! if they are shared (`edit.rs`).

use std::sync::Arc;

use super::key;
use super::node::NodeRef;
use crate::wire::NameRef;

mod branch;
mod bulk;
mod descent;
mod edit;
mod page;
mod page_writer;
mod walk;

pub(super) use bulk::{BulkItem, BulkLoader, Cuttings, MANY_ITEMS, Owners, Source, Twig, cuttings};
pub(super) use descent::{Descent, Spotted};
pub use walk::Nodes;

use branch::Branch;
use page::Page;

//------------ Trie ----------------------------------------------------------

/// An ordered set of nodes; cheap to clone.
#[derive(Clone)]
pub(super) struct Trie {
    /// All of it; `None` if there are no nodes.
    root: Option<Link>,
    /// Octets of the apex name, which keys leave out.
    apex_octets: usize,
}

/// A part of a trie.
#[derive(Clone)]
enum Link {
    /// Keys that differ in an octet.
    Branch(Arc<Branch>),
    /// Nodes of consecutive names, at least one.
    Page(Page),
}

impl Trie {
    /// A trie without nodes.
    pub(super) fn empty(apex_octets: usize) -> Self {
        Self { root: None, apex_octets }
    }

    /// The first node: the apex, in the trie of all names.
    pub(super) fn first(&self) -> Option<NodeRef<'_>> {
        let mut link = self.root.as_ref()?;
        loop {
            match link {
                Link::Page(page) => return page.first(),
                Link::Branch(branch) => match &branch.own {
                    Some(own) => return own.first(),
                    None => link = branch.twigs.first()?,
                },
            }
        }
    }

    /// The last node.
    pub(super) fn last(&self) -> Option<NodeRef<'_>> {
        self.root.as_ref()?.last()
    }

    /// Finds a name at or below the apex, or its closest encloser.
    #[inline]
    pub(super) fn find(&self, name: NameRef<'_>) -> Spot<'_> {
        key::with(name, self.apex_octets, |key| self.find_key(name, key))
    }

    /// Finds a name by its key.
    fn find_key<'a>(&'a self, name: NameRef<'_>, key: &[u8]) -> Spot<'a> {
        let mut spot = Spot { exact: None, encloser: None };
        let mut rest = key;
        let mut own = None;
        let mut next = self.root.as_ref();
        while let Some(link) = next {
            let branch = match link {
                Link::Branch(branch) => branch,
                Link::Page(page) => {
                    spot.exact = page.find(name, key::hash(name));
                    if spot.exact.is_none() {
                        spot.encloser = own.and_then(Page::first);
                        spot.find_encloser(name, page, self.apex_octets);
                    }
                    return spot;
                }
            };
            let Some(after) = branch.strip(rest) else { break };
            let Some((&octet, after)) = after.split_first() else {
                spot.exact = branch.own.as_ref().and_then(Page::first);
                break;
            };
            own = branch.own.as_ref().or(own);
            next = branch.twig(octet);
            rest = after;
        }
        spot.encloser = own.and_then(Page::first);
        spot
    }

    /// The last node before a name.
    pub(super) fn before(&self, name: NameRef<'_>) -> Option<NodeRef<'_>> {
        key::with(name, self.apex_octets, |key| self.before_key(key))
    }

    /// The last node before a key.
    fn before_key<'a>(&'a self, key: &[u8]) -> Option<NodeRef<'a>> {
        let mut rest = key;
        // What is nearest to the left of the path, and all of it before the name.
        let mut left = Left::Nothing;
        let mut next = self.root.as_ref();
        while let Some(link) = next {
            let branch = match link {
                Link::Branch(branch) => branch,
                Link::Page(page) => match page.position(key, self.apex_octets) {
                    Ok(0) | Err(0) => break,
                    Ok(at) | Err(at) => return page.node(at - 1),
                },
            };
            let Some(after) = branch.strip(rest) else {
                if *rest > *branch.prefix {
                    left = Left::Link(link);
                }
                break;
            };
            let Some((&octet, after)) = after.split_first() else { break };
            if let Some(own) = &branch.own {
                left = Left::Own(own);
            }
            if let Some(twig) = branch.rank(octet).checked_sub(1) {
                left = Left::Link(&branch.twigs[twig]);
            }
            next = branch.twig(octet);
            rest = after;
        }
        match left {
            Left::Nothing => None,
            Left::Own(page) => page.first(),
            Left::Link(link) => link.last(),
        }
    }
}

/// What is to the left of a descent.
enum Left<'a> {
    /// The name is before all others.
    Nothing,
    /// The node at a branch.
    Own(&'a Page),
    /// A part of the trie.
    Link(&'a Link),
}

impl Link {
    /// The last node.
    fn last(&self) -> Option<NodeRef<'_>> {
        let mut link = self;
        loop {
            match link {
                Self::Page(page) => return page.last(),
                Self::Branch(branch) => link = branch.twigs.last()?,
            }
        }
    }
}

//------------ Spot ----------------------------------------------------------

/// Where a descent ended.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    /// The node of the name.
    exact: Option<NodeRef<'a>>,
    /// The longest existing ancestor.
    encloser: Option<NodeRef<'a>>,
}

impl<'a> Spot<'a> {
    /// The node of the name.
    pub(super) fn exact(&self) -> Option<NodeRef<'a>> {
        self.exact
    }

    /// The longest existing ancestor of a name that does not exist.
    pub(super) fn encloser(&self) -> Option<NodeRef<'a>> {
        self.encloser
    }

    /// Looks for longer ancestors in the page where the name would be. If an ancestor does not
    /// exist, no longer one does.
    fn find_encloser(&mut self, name: NameRef<'_>, page: &'a Page, apex_octets: usize) {
        let known = self.encloser.map_or(apex_octets - 1, |node| node.owner().wire().len());
        let mut above = [0u8; 128];
        let mut count = 0;
        let mut next = name.parent();
        while let Some(parent) = next.filter(|parent| parent.wire().len() > known) {
            // A name has at most 255 octets and 127 labels.
            above[count] = parent.wire().len() as u8;
            count += 1;
            next = parent.parent();
        }
        for octets in above[..count].iter().rev() {
            let wire = name.wire();
            let ancestor = NameRef::from_checked(&wire[wire.len() - usize::from(*octets)..]);
            match page.find(ancestor, key::hash(ancestor)) {
                Some(node) => self.encloser = Some(node),
                None => return,
            }
        }
    }
}
