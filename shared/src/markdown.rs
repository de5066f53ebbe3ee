//! What Markdown becomes: a small tree of words, and nothing that a page could run. Whoever shows it sets each text as text.

use serde::{Deserialize, Serialize};

/// A piece that stands by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Block {
    /// A heading.
    Heading {
        /// 1 to 3, below whatever heading the page itself gives it.
        level: u8,
        /// Its words.
        spans: Vec<Span>,
    },
    /// A paragraph.
    Paragraph {
        /// Its words.
        spans: Vec<Span>,
    },
    /// What somebody else said.
    Quote {
        /// That.
        #[cfg_attr(feature = "openapi", schema(no_recursion))]
        blocks: Vec<Block>,
    },
    /// A list.
    List {
        /// The first number; null if it isn't numbered.
        start: Option<u32>,
        /// What stands at each point.
        #[cfg_attr(feature = "openapi", schema(no_recursion))]
        items: Vec<Vec<Block>>,
    },
    /// Text as it was typed.
    Code {
        /// Its lines.
        text: String,
    },
    /// A line across.
    Rule,
}

/// Words that look the same. Those next to each other with the same address are one link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// The words. A line that was broken on purpose has a line feed.
    pub text: String,
    /// They are important.
    #[serde(default, skip_serializing_if = "is_not")]
    pub strong: bool,
    /// They are stressed.
    #[serde(default, skip_serializing_if = "is_not")]
    pub emphasis: bool,
    /// They don't hold any more.
    #[serde(default, skip_serializing_if = "is_not")]
    pub struck: bool,
    /// They are as one would type them.
    #[serde(default, skip_serializing_if = "is_not")]
    pub code: bool,
    /// Where they lead: an address of http, https or mailto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

fn is_not(flag: &bool) -> bool {
    !flag
}
