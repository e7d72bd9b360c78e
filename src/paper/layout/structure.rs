//! What the marks mean: the tree of headings, paragraphs, lists and tables that a reader is read.

/// The node of the whole document.
const ROOT: usize = 0;

/// What a node is.
#[derive(Clone, Debug)]
pub(in crate::paper) enum Tag {
    /// A part of the document.
    Part,
    /// A heading: level and text.
    Heading(u16, String),
    /// A paragraph.
    Paragraph,
    /// A list.
    List(Numbering),
    /// An item of a list.
    Item,
    /// The label of an item.
    Label,
    /// The text of an item.
    Body,
    /// A table, and what it shows.
    Table(String),
    /// The title of a table or figure.
    Caption,
    /// The head of a table.
    Head,
    /// The rows of a table.
    Rows,
    /// A row.
    Row,
    /// A cell that names its column.
    HeadCell,
    /// A cell.
    Cell,
    /// A picture, and what it shows.
    Figure(String),
}

/// What stands before the items of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::paper) enum Numbering {
    /// Numbers.
    Numbers,
    /// Bullets.
    Bullets,
    /// A label of its own for each.
    Labels,
}

/// A node.
#[derive(Clone, Debug)]
pub(in crate::paper) struct Node {
    /// What it is.
    pub(in crate::paper) tag: Tag,
    /// The nodes below it, in reading order.
    pub(in crate::paper) children: Vec<usize>,
}

/// The tree.
pub(in crate::paper) struct Structure {
    /// All nodes; the first one is the document.
    nodes: Vec<Node>,
}

impl Default for Structure {
    fn default() -> Self {
        Self { nodes: vec![Node { tag: Tag::Part, children: Vec::new() }] }
    }
}

impl Structure {
    /// The document.
    pub(in crate::paper) fn root(&self) -> usize {
        ROOT
    }

    /// A new last node below `parent`.
    pub(in crate::paper) fn add(&mut self, parent: usize, tag: Tag) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { tag, children: Vec::new() });
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.push(node);
        }
        node
    }

    /// A node by its number.
    pub(in crate::paper) fn node(&self, node: usize) -> Option<&Node> {
        self.nodes.get(node)
    }

    /// How many there are.
    pub(in crate::paper) fn len(&self) -> usize {
        self.nodes.len()
    }
}
