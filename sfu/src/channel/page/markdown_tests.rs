use super::*;

/// Every word of a tree, and everything that it leads to.
fn all<'a>(blocks: &'a [Block], spans: &mut Vec<&'a Span>, code: &mut Vec<&'a str>) {
    for block in blocks {
        match block {
            Block::Heading { spans: some, .. } | Block::Paragraph { spans: some } => spans.extend(some),
            Block::Quote { blocks } => all(blocks, spans, code),
            Block::List { items, .. } => items.iter().for_each(|item| all(item, spans, code)),
            Block::Code { text } => code.push(text),
            Block::Rule => {}
        }
    }
}

fn hrefs(text: &str) -> Vec<String> {
    let blocks = blocks(text);
    let (mut spans, mut code) = (Vec::new(), Vec::new());
    all(&blocks, &mut spans, &mut code);
    spans.iter().filter_map(|span| span.href.clone()).collect()
}

fn words(text: &str) -> String {
    let blocks = blocks(text);
    let (mut spans, mut code) = (Vec::new(), Vec::new());
    all(&blocks, &mut spans, &mut code);
    spans.iter().map(|span| span.text.as_str()).chain(code).collect::<Vec<_>>().join("|")
}

fn plain(text: &str) -> Span {
    Span { text: text.to_owned(), ..Span::default() }
}

#[test]
fn what_people_write_becomes_what_they_mean() {
    let text = "# Hello\n\nI *dig* **rivers**, ~~dry~~ `wet`.\nSame line\\\nnext line\n\n- one\n- two\n\n3. three\n\n> said\n\n---\n\n```rust\nfn x() {}\n```\n";
    let spans = vec![
        plain("I "),
        Span { emphasis: true, ..plain("dig") },
        plain(" "),
        Span { strong: true, ..plain("rivers") },
        plain(", "),
        Span { struck: true, ..plain("dry") },
        plain(" "),
        Span { code: true, ..plain("wet") },
        plain(". Same line\nnext line"),
    ];
    let paragraph = |text| Block::Paragraph { spans: vec![plain(text)] };
    assert_eq!(
        blocks(text),
        [
            Block::Heading { level: 1, spans: vec![plain("Hello")] },
            Block::Paragraph { spans },
            Block::List { start: None, items: vec![vec![paragraph("one")], vec![paragraph("two")]] },
            Block::List { start: Some(3), items: vec![vec![paragraph("three")]] },
            Block::Quote { blocks: vec![paragraph("said")] },
            Block::Rule,
            Block::Code { text: "fn x() {}".to_owned() },
        ]
    );
    assert!(blocks("").is_empty());
    assert!(matches!(blocks("###### deep")[..], [Block::Heading { level: 3, .. }]));
}

#[test]
fn a_link_leads_to_the_web_or_a_letter() {
    for (text, leads) in [
        ("[a](https://example.org/x?y=1#z)", "https://example.org/x?y=1#z"),
        ("[a](http://example.org)", "http://example.org/"),
        ("[a](mailto:ada@example.org)", "mailto:ada@example.org"),
        ("<https://example.org/a_b_c>", "https://example.org/a_b_c"),
        ("<ada@example.org>", "mailto:ada@example.org"),
        ("[a]\n\n[a]: https://example.org", "https://example.org/"),
        ("look at https://example.org/a_b, there", "https://example.org/a_b"),
        ("(https://example.org)", "https://example.org/"),
        ("![a lake](https://example.org/lake.png)", "https://example.org/lake.png"),
        ("![](https://example.org/lake.png)", "https://example.org/lake.png"),
        ("[![lake](https://example.org/lake.png)](https://example.org/there)", "https://example.org/there"),
    ] {
        assert_eq!(hrefs(text), [leads], "{text}");
    }
    assert_eq!(words("![a lake](https://example.org/lake.png)"), "a lake");
    assert_eq!(words("see https://example.org."), "see |https://example.org|.");
    assert!(hrefs("http:// and https:// and http").is_empty());
    assert_eq!(words("http:// and http").replace('|', ""), "http:// and http");
    let two = hrefs("[a](https://a.example)[b](https://b.example)");
    assert_eq!(two, ["https://a.example/", "https://b.example/"]);
}

#[test]
fn nothing_of_it_runs_or_leads_astray() {
    let hostile = [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](  javascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](&#106;avascript:alert(1))",
        "[x](&#x6A;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](javascript&#58;alert(1))",
        "[x](\u{1}javascript:alert(1))",
        "[x](vbscript:msgbox(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        "[x](data:image/svg+xml,<svg onload=alert(1)>)",
        "[x](file:///etc/passwd)",
        "[x](blob:https://example.org/1)",
        "[x](view-source:https://example.org)",
        "[x](ws://example.org)",
        "[x](ftp://example.org)",
        "[x](tel:112)",
        "[x](about:blank)",
        "[x](//evil.example)",
        "[x](/admin)",
        "[x](../admin)",
        "[x](#here)",
        "[x](?delete=1)",
        "[x](\\\\evil.example)",
        "[x]()",
        "[x](https://weir.example@evil.example)",
        "[x](https://a:b@evil.example)",
        "[x](https://)",
        "[x]: javascript:alert(1)\n\n[x]",
        "![x](javascript:alert(1))",
        "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
        "[![x](javascript:alert(1))](javascript:alert(2))",
        "<javascript:alert(1)>",
        "<data:text/html,x>",
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<iframe src=\"javascript:alert(1)\"></iframe>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=x onclick=alert(1)>x</a>",
        "<body onload=alert(1)>",
        "<style>*{background:url(//evil.example)}</style>",
        "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
        "<base href=//evil.example>",
        "<form action=//evil.example><input name=password></form>",
        "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
        "<details open ontoggle=alert(1)>",
        "<video><source onerror=alert(1)></video>",
        "<!-- --><script>alert(1)</script>",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<?php alert(1) ?>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "`<script>alert(1)</script>`",
        "```\n<script>alert(1)</script>\n```",
        "```\"><script>alert(1)</script>\nx\n```",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "[<img src=x onerror=alert(1)>](javascript:alert(1))",
        "\"><script>alert(1)</script>",
        "[x](javascript:alert(1) \"title\")",
        "[x](<javascript:alert(1)>)",
    ];
    for text in hostile {
        assert!(hrefs(text).is_empty(), "{text}");
    }
    // What looks like a tag is there to be read.
    assert_eq!(words("<script>alert(1)</script>"), "<script>alert(1)</script>");
    assert_eq!(words("a <b>c</b>"), "a <b>c</b>");
}

#[test]
fn an_address_leads_nowhere_else_than_it_can() {
    // Quotes and brackets in it are written so that they end no attribute.
    for href in hrefs("[x](https://example.org/\"onmouseover=alert(1)//) <https://example.org/'>") {
        assert!(href.starts_with("https://example.org/") && !href.contains(['"', '<', '>', ' ']), "{href}");
    }
    assert!(hrefs(&format!("[x](https://example.org/{})", "a".repeat(3000))).is_empty());
}

fn depth(blocks: &[Block]) -> usize {
    let of = |block: &Block| match block {
        Block::Quote { blocks } => 1 + depth(blocks),
        Block::List { items, .. } => 1 + items.iter().map(|item| depth(item)).max().unwrap_or(0),
        _ => 0,
    };
    blocks.iter().map(of).max().unwrap_or(0)
}

#[test]
fn what_is_nested_without_end_stays_flat_and_comes_soon() {
    let nested_list: String = (0..60).map(|n| format!("{}- x\n", "  ".repeat(n))).collect();
    let bombs = [
        "*".repeat(5000),
        "_".repeat(5000),
        "**a ".repeat(1250),
        "*a_ ".repeat(1250),
        "~~a".repeat(1666),
        "`".repeat(5000),
        "> ".repeat(2500),
        ">".repeat(5000),
        format!("{}x", ">".repeat(4999)),
        "- ".repeat(2500),
        "1. ".repeat(1666),
        "> - ".repeat(1250),
        nested_list,
        "[".repeat(5000),
        "![".repeat(2500),
        "[a](".repeat(1250),
        "[a](b".repeat(1000),
        "](".repeat(2500),
        "<".repeat(5000),
        "<a ".repeat(1666),
        "<!--".repeat(1250),
        "&".repeat(5000),
        "#".repeat(5000),
        "\\".repeat(5000),
        "```\n".repeat(1250),
        "a\n=\n".repeat(1250),
        "[a]: b\n".repeat(714),
        "https://".repeat(625),
        "|a".repeat(2500),
        "\u{200d}".repeat(5000),
    ];
    for text in &bombs {
        let begun = std::time::Instant::now();
        let made = blocks(text);
        let took = begun.elapsed();
        let start: String = text.chars().take(12).collect();
        assert!(took < std::time::Duration::from_secs(1), "{start}: {took:?}");
        assert!(depth(&made) <= DEPTH_MOST, "{start}");
        // It is read again as it was written, which a reader refuses of what is too deep.
        let json = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Block>>(&json).unwrap(), made, "{start}");
        assert!(json.len() < 1_000_000, "{start}: {} bytes", json.len());
    }
    assert!(words(&format!("{}deep", "> ".repeat(50))).contains("deep"));
    assert!(words("- a\n  - b\n    - c\n      - d\n        - e\n          - f").contains('f'));
}
