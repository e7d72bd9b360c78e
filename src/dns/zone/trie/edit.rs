//! Changes to a trie. What is shared with other versions is copied first, so they stay as they are.

use std::sync::Arc;

use super::page_writer::PageWriter;
use super::{Branch, Link, Page, Trie};
use crate::wire::NameRef;
use crate::zone::key::Key;
use crate::zone::node::NodeRef;

/// Octets of nodes that a page may have before it is split, if it holds more than one.
pub(super) const PAGE_OCTETS_MAX: usize = 12 * 1024;
/// Nodes that a page may have before it is split. Few in tests, so that small zones have deep tries.
pub(super) const PAGE_NODES_MAX: usize = if cfg!(test) { 4 } else { 128 };
/// About the octets that a full page has beside its nodes.
const PAGE_TABLES_MAX: usize = 2 * 1024;
/// Octets that pages beside each other must not exceed to become one page again.
const MERGE_OCTETS_MAX: usize = PAGE_OCTETS_MAX / 4;

impl Trie {
    /// Adds a node, or puts it in the place of the one of the same name.
    pub(in crate::zone) fn put(&mut self, node: NodeRef<'_>) {
        let key = Key::new(node.owner(), self.apex_octets);
        match &mut self.root {
            None => self.root = Some(Link::Page(page_with(&[node], self.apex_octets))),
            Some(root) => put(root, key.bytes(), 0, node, self.apex_octets),
        }
    }

    /// Takes the node of a name away, if there is one.
    pub(in crate::zone) fn remove(&mut self, name: NameRef<'_>) {
        if self.find(name).exact().is_none() {
            return;
        }
        let key = Key::new(name, self.apex_octets);
        if let Some(root) = &mut self.root
            && remove(root, key.bytes(), 0, self.apex_octets)
        {
            self.root = None;
        }
    }
}

/// A page of these nodes.
fn page_with(nodes: &[NodeRef<'_>], apex_octets: usize) -> Page {
    let mut writer = PageWriter::new(apex_octets);
    nodes.iter().for_each(|node| writer.add(*node));
    writer.finish()
}

//--- Adding

/// Puts a node below a link to which the first `at` octets of its key led.
fn put(link: &mut Link, key: &[u8], at: usize, node: NodeRef<'_>, apex_octets: usize) {
    let shared = match link {
        Link::Page(page) => {
            *link = with_node(page, key, at, node, apex_octets);
            return;
        }
        Link::Branch(branch) => shared_octets(&branch.prefix, &key[at..]),
    };
    let Link::Branch(branch) = link else { return };
    let branch = Arc::make_mut(branch);
    if shared < branch.prefix.len() {
        // The key leaves in the middle of the prefix: fork there.
        let mut fork = Branch::new(&branch.prefix[..shared]);
        let octet = branch.prefix[shared];
        branch.prefix = branch.prefix[shared + 1..].into();
        fork.add(octet, link.clone());
        attach(&mut fork, key, at + shared, node, apex_octets);
        *link = Link::Branch(Arc::new(fork));
    } else {
        attach(branch, key, at + shared, node, apex_octets);
    }
}

/// Puts a node at or below a branch to whose fork the first `at` octets of its key led.
fn attach(branch: &mut Branch, key: &[u8], at: usize, node: NodeRef<'_>, apex_octets: usize) {
    let Some(&octet) = key.get(at) else {
        branch.own = Some(page_with(&[node], apex_octets));
        return;
    };
    match branch.twig_mut(octet) {
        Some(twig) => put(twig, key, at + 1, node, apex_octets),
        None => branch.add(octet, Link::Page(page_with(&[node], apex_octets))),
    }
}

/// A page with a node added or replaced; split if it became too large.
fn with_node(page: &Page, key: &[u8], at: usize, node: NodeRef<'_>, apex_octets: usize) -> Link {
    let position = page.position(key, apex_octets);
    let octets = page.octets() + node.bytes().len();
    let fits = page.count() < PAGE_NODES_MAX && octets <= PAGE_OCTETS_MAX + PAGE_TABLES_MAX;
    if fits && let Some(page) = page.changed(position, Some((node, key)), apex_octets) {
        return Link::Page(page);
    }
    let mut nodes: Vec<NodeRef<'_>> = page.nodes().collect();
    match position {
        Ok(position) => nodes[position] = node,
        Err(position) => nodes.insert(position, node),
    }
    let keyed: Vec<_> = nodes.iter().map(|n| (Key::new(n.owner(), apex_octets), *n)).collect();
    split(&keyed, at, apex_octets)
}

/// A page of nodes, at least one, which share the first `at` octets of their keys; forks with pages if
/// they are too much for one.
fn split(nodes: &[(Key, NodeRef<'_>)], at: usize, apex_octets: usize) -> Link {
    let page = |nodes: &[(Key, NodeRef<'_>)]| {
        page_with(&nodes.iter().map(|(_, node)| *node).collect::<Vec<_>>(), apex_octets)
    };
    let octets: usize = nodes.iter().map(|(_, node)| node.bytes().len()).sum();
    if nodes.len() == 1 || nodes.len() <= PAGE_NODES_MAX && octets <= PAGE_OCTETS_MAX {
        return Link::Page(page(nodes));
    }
    let (first, last) = (nodes[0].0.bytes(), nodes[nodes.len() - 1].0.bytes());
    let shared = at + shared_octets(&first[at..], &last[at..]);
    let mut fork = Branch::new(&first[at..shared]);
    let (own, rest) = nodes.split_at(usize::from(first.len() == shared));
    fork.own = (!own.is_empty()).then(|| page(own));
    for group in rest.chunk_by(|a, b| a.0.bytes()[shared] == b.0.bytes()[shared]) {
        fork.add(group[0].0.bytes()[shared], split(group, shared + 1, apex_octets));
    }
    Link::Branch(Arc::new(fork))
}

//--- Taking away

/// Takes away the node of a key that exists. Returns whether nothing is left.
fn remove(link: &mut Link, key: &[u8], at: usize, apex_octets: usize) -> bool {
    let branch = match link {
        Link::Page(page) => {
            let position = page.position(key, apex_octets);
            let Some(smaller) = page.changed(position, None, apex_octets) else { return true };
            *link = Link::Page(smaller);
            return false;
        }
        Link::Branch(branch) => Arc::make_mut(branch),
    };
    let at = at + branch.prefix.len();
    match key.get(at) {
        None => branch.own = None,
        Some(&octet) => {
            let twig = branch.twig_mut(octet);
            if twig.is_some_and(|twig| remove(twig, key, at + 1, apex_octets)) {
                branch.take(octet);
            }
        }
    }
    match shrunk(branch, apex_octets) {
        Some(smaller) => *link = smaller,
        None => return branch.twigs.is_empty() && branch.own.is_none(),
    }
    false
}

/// What a branch becomes that is no fork any more, or has so little that a page holds it.
fn shrunk(branch: &Branch, apex_octets: usize) -> Option<Link> {
    let mut octets = branch.own.as_ref().map_or(0, Page::octets);
    let mut nodes = branch.own.as_ref().map_or(0, Page::count);
    for twig in &branch.twigs {
        match twig {
            Link::Page(page) => {
                octets += page.octets();
                nodes += page.count();
            }
            // One branch below and nothing beside it: the two prefixes become one.
            Link::Branch(below) if branch.twigs.len() == 1 && branch.own.is_none() => {
                let mut prefix = branch.prefix.to_vec();
                prefix.extend(branch.first_octet());
                prefix.extend_from_slice(&below.prefix);
                let mut joined = Branch::clone(below);
                joined.prefix = prefix.into();
                return Some(Link::Branch(Arc::new(joined)));
            }
            Link::Branch(_) => return None,
        }
    }
    let is_fork = branch.twigs.len() + usize::from(branch.own.is_some()) > 1;
    if nodes == 0 || is_fork && (octets > MERGE_OCTETS_MAX || nodes > PAGE_NODES_MAX / 2) {
        return None;
    }
    let mut writer = PageWriter::new(apex_octets);
    let twigs = branch.twigs.iter().filter_map(|twig| match twig {
        Link::Page(page) => Some(page),
        Link::Branch(_) => None,
    });
    branch.own.iter().chain(twigs).flat_map(Page::nodes).for_each(|node| writer.add(node));
    Some(Link::Page(writer.finish()))
}

/// How many octets two keys share from the start.
pub(super) fn shared_octets(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
