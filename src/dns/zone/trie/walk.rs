//! Walks over a trie in canonical order.

use std::sync::Arc;

use super::{Link, Page, Trie};
use crate::wire::NameRef;
use crate::zone::key;
use crate::zone::node::NodeRef;

/// Nodes in canonical order.
#[derive(Clone)]
pub struct Nodes<'a> {
    /// What is still to come, the nearest last.
    ahead: Vec<std::slice::Iter<'a, Link>>,
    /// The page at hand, and the position in it.
    page: Option<(&'a Page, usize)>,
}

impl Trie {
    /// All nodes.
    pub(in crate::zone) fn iter(&self) -> Nodes<'_> {
        let ahead = self.root.as_ref().map(|root| std::slice::from_ref(root).iter());
        Nodes { ahead: ahead.into_iter().collect(), page: None }
    }

    /// The same in about so many walks or more, one behind the other; in fewer if there are few pages.
    pub(in crate::zone) fn parts(&self, count: usize) -> Vec<Nodes<'_>> {
        let mut parts = vec![self.iter()];
        loop {
            let before = parts.len();
            if before >= count {
                return parts;
            }
            parts = parts.into_iter().flat_map(Nodes::split).collect();
            if parts.len() == before {
                return parts;
            }
        }
    }

    /// The nodes after a name.
    pub(in crate::zone) fn iter_after(&self, name: NameRef<'_>) -> Nodes<'_> {
        key::with(name, self.apex_octets, |key| self.iter_after_key(key))
    }

    /// The nodes after a key.
    fn iter_after_key<'a>(&'a self, key: &[u8]) -> Nodes<'a> {
        let mut rest = key;
        let mut nodes = Nodes { ahead: Vec::new(), page: None };
        let mut next = self.root.as_ref();
        while let Some(link) = next {
            let branch = match link {
                Link::Branch(branch) => branch,
                Link::Page(page) => {
                    let at = match page.position(key, self.apex_octets) {
                        Ok(at) => at + 1,
                        Err(at) => at,
                    };
                    nodes.page = Some((page, at));
                    break;
                }
            };
            let Some(after) = branch.strip(rest) else {
                if *rest < *branch.prefix {
                    nodes.ahead.push(std::slice::from_ref(link).iter());
                }
                break;
            };
            let Some((&octet, after)) = after.split_first() else {
                nodes.ahead.push(branch.twigs.iter());
                break;
            };
            next = branch.twig(octet);
            nodes
                .ahead
                .push(branch.twigs[branch.rank(octet) + usize::from(next.is_some())..].iter());
            rest = after;
        }
        nodes
    }
}

impl<'a> Nodes<'a> {
    /// A walk that was not begun, as walks over the parts of the one branch that it is over.
    fn split(self) -> Vec<Self> {
        let [links] = &self.ahead[..] else { return vec![self] };
        let [Link::Branch(branch)] = links.as_slice() else { return vec![self] };
        let own = branch.own.iter().map(|own| Self { ahead: Vec::new(), page: Some((own, 0)) });
        let twig = |link| Self { ahead: vec![std::slice::from_ref(link).iter()], page: None };
        own.chain(branch.twigs.iter().map(twig)).collect()
    }
}

impl Nodes<'_> {
    /// Goes past parts that both walks have next and that are the same in memory.
    pub(in crate::zone) fn skip_shared(&mut self, other: &mut Nodes<'_>) {
        loop {
            let (Some(mine), Some(theirs)) = (self.next_link(), other.next_link()) else { return };
            let shared = match (mine, theirs) {
                (Link::Branch(a), Link::Branch(b)) => Arc::ptr_eq(a, b),
                (Link::Page(a), Link::Page(b)) => a.is_same(b),
                _ => false,
            };
            if !shared {
                return;
            }
            self.ahead.last_mut().and_then(Iterator::next);
            other.ahead.last_mut().and_then(Iterator::next);
        }
    }

    /// The part that comes next, if the walk is not inside a page.
    fn next_link(&mut self) -> Option<&Link> {
        if let Some((page, at)) = self.page {
            if at < page.count() {
                return None;
            }
            self.page = None;
        }
        while self.ahead.last().is_some_and(|links| links.as_slice().is_empty()) {
            self.ahead.pop();
        }
        self.ahead.last()?.as_slice().first()
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = NodeRef<'a>;

    fn next(&mut self) -> Option<NodeRef<'a>> {
        loop {
            if let Some((page, at)) = &mut self.page {
                let node = page.node(*at);
                *at += 1;
                if node.is_some() {
                    return node;
                }
                self.page = None;
            }
            match self.ahead.last_mut()?.next() {
                None => drop(self.ahead.pop()),
                Some(Link::Page(page)) => self.page = Some((page, 0)),
                Some(Link::Branch(branch)) => {
                    self.page = branch.own.as_ref().map(|own| (own, 0));
                    self.ahead.push(branch.twigs.iter());
                }
            }
        }
    }
}
