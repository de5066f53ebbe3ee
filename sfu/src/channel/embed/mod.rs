//! A channel on other people's pages: the framed player and chat, who may show them, and oEmbed.

pub mod oembed;
pub mod routes;
mod service;
pub mod token;

use shared::embed::Embedding;

/// The sources of `frame-ancestors`: which pages may show a channel that says this.
pub fn frame_ancestors(embedding: &Embedding) -> String {
    match embedding {
        Embedding::Anywhere => ANY_PAGE.to_owned(),
        Embedding::Nowhere => OWN_PAGES.to_owned(),
        Embedding::Sites { sites } => {
            sites.iter().fold(OWN_PAGES.to_owned(), |sources, site| format!("{sources} {site}"))
        }
    }
}

/// All pages.
pub const ANY_PAGE: &str = "*";

/// This server's own pages alone.
pub const OWN_PAGES: &str = "'self'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_s_rule_becomes_sources() {
        assert_eq!(frame_ancestors(&Embedding::Anywhere), "*");
        assert_eq!(frame_ancestors(&Embedding::Nowhere), "'self'");
        let sites = ["https://a.example", "http://localhost:3000"].map(|site| site.parse().unwrap()).to_vec();
        assert_eq!(
            frame_ancestors(&Embedding::Sites { sites }),
            "'self' https://a.example http://localhost:3000"
        );
    }
}
