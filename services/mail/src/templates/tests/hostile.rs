//! Templates that somebody wrote to do harm, or by mistake: each is refused with its line, and none ends the process.
//!
//! A snippet is one kind of harm; it is tried in each place of a template where it means something else. All run on a
//! small stack, so that a recursion without bound would end this test.

use super::super::*;

/// Half of what threads have by default.
const STACK: usize = 1 << 20;

/// Where a snippet is put: what stands before it, and after it.
const PLACES: [(&str, &str, &str); 6] = [
    ("at the top", "", ""),
    ("within when", "{{#when supplements}}\n", "\n{{/when}}"),
    ("within each", "{{#each domains}}\n", "\n{{/each}}"),
    ("within an each of an each", "{{#each domains}}\n{{#each types}}\n", "\n{{/each}}\n{{/each}}"),
    ("within an element", "{{#element \"cause\"}}\n", "\n{{/element}}"),
    (
        "within all of them",
        "{{#element \"cause\"}}\n{{#when vendor}}\n{{#each domains}}\n",
        "\n{{/each}}\n{{/when}}\n{{/element}}",
    ),
];

/// Wrong in every part and place.
const ANYWHERE: [&str; 44] = [
    "{{{vendor}}}",
    "{{&vendor}}",
    "{{& vendor}}",
    "{{~{vendor}~}}",
    "{{{~vendor~}}}",
    "{{> notice/en.text}}",
    "{{> @partial-block}}",
    "{{>(vendor)}}",
    "{{#> layout}}x{{/layout}}",
    "{{#*inline \"self\"}}{{> self}}{{/inline}}",
    "{{* decorate vendor}}",
    "{{{{raw}}}}{{vendor}}{{{{/raw}}}}",
    "\\{{vendor}}",
    "{{vendro}}",
    "{{incident.key}}",
    "{{domains}}",
    "{{stated}}",
    "{{stated.casue}}",
    "{{#when vendro}}x{{/when}}",
    "{{#whenNot sensitve}}no secrets were exposed{{/whenNot}}",
    "{{#each domans}}x{{/each}}",
    "{{#each domain.names}}x{{/each}}",
    "{{#when stated}}x{{/when}}",
    "{{#if vendor}}x{{/if}}",
    "{{#unless vendor}}x{{/unless}}",
    "{{#with vendor}}x{{/with}}",
    "{{#when vendor}}x{{else}}y{{/when}}",
    "{{#when vendor}}x{{^}}y{{/when}}",
    "{{#when vendor}}x{{else when code}}y{{/when}}",
    "{{lookup domains 0}}",
    "{{log vendor}}",
    "{{eq vendor code}}",
    "{{quote vendor code}}",
    "{{quote (lookup this 0)}}",
    "{{quote vendro}}",
    "{{../vendor}}",
    "{{@root.vendor}}",
    "{{@index}}",
    "{{this.[vendor]}}",
    "{{ vendor }}",
    "{{~vendor}}",
    "{{vendor",
    "{{!-- {{vendor}} --}}",
    "{{! vendor }}",
];

/// Wrong in HTML parts.
const IN_HTML: [&str; 99] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=\"https://evil.example/x.js\"></SCRIPT>",
    "<style>@import \"https://evil.example/x.css\";</style>",
    "<link rel=\"stylesheet\" href=\"https://evil.example/x.css\">",
    "<iframe src=\"https://evil.example\"></iframe>",
    "<object data=\"x.swf\"></object>",
    "<embed src=\"x.swf\">",
    "<form action=\"https://evil.example\"></form>",
    "<input type=\"password\">",
    "<button>Log in</button>",
    "<img src=\"https://evil.example/pixel.gif\">",
    "<img src=x onerror=alert(1)>",
    "<picture></picture>",
    "<video src=\"x\"></video>",
    "<svg onload=\"alert(1)\"></svg>",
    "<math></math>",
    "<base href=\"https://evil.example/\">",
    "<meta http-equiv=\"refresh\" content=\"0;url=https://evil.example\">",
    "<meta name=\"referrer\" content=\"unsafe-url\">",
    "<a href=\"https://evil.example\">log in</a>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"JaVaScRiPt:alert(1)\">x</a>",
    "<a href=\"java\nscript:alert(1)\">x</a>",
    "<a href=\" javascript:alert(1)\">x</a>",
    "<a href=\"java&#x09;script:alert(1)\">x</a>",
    "<a href=\"&#106;avascript:alert(1)\">x</a>",
    "<a href=\"data:text/html;base64,PHNjcmlwdD4=\">x</a>",
    "<a href=\"vbscript:msgbox(1)\">x</a>",
    "<a href=\"{{vendor}}\">x</a>",
    "<td background=\"javascript:alert(1)\">x</td>",
    "<p title=\"javascript:alert(1)\">x</p>",
    "<p style=\"background:url(javascript:alert(1))\">x</p>",
    "<p style=\"background:url(https://evil.example/x.png)\">x</p>",
    "<p style=\"width:expression(alert(1))\">x</p>",
    "<p style=\"behavior:url(x.htc)\">x</p>",
    "<p style=\"display:none\">x</p>",
    "<p style=\"font-size:0\">x</p>",
    "<p style=\"font-size:1px\">x</p>",
    "<p style=\"position:fixed\">x</p>",
    "<p style=\"color:white\">x</p>",
    "<p style=\"margin:-999px\">x</p>",
    "<p style=\"max-width:0em\">x</p>",
    "<p style=\"margin-left:-9999px\">x</p>",
    "<p style=\"margin-left:999px\">x</p>",
    "<p style=\"padding-left:99em\">x</p>",
    "<div style=\"font-size:0.8em\"><div style=\"font-size:0.8em\"><div style=\"font-size:0.8em\">x</div></div></div>",
    "<small><small><small>x</small></small></small>",
    "<h6><sub>x</sub></h6>",
    "<p style=\"font-size:0em\">x</p>",
    "<p style=\"line-height:0\">x</p>",
    "<p style=\"visibility:hidden\">x</p>",
    "<p style=\"opacity:0\">x</p>",
    "<p style=\"color:#ffffff\">x</p>",
    "<p style=\"color:white;background-color:white\">x</p>",
    "<p style=\"height:0;overflow:hidden\">x</p>",
    "<p style=\"max-height:0\">x</p>",
    "<p style=\"position:absolute;left:-9999px\">x</p>",
    "<p style=\"text-indent:-9999px\">x</p>",
    "<p style=\"clip:rect(0,0,0,0)\">x</p>",
    "<p style=\"transform:scale(0)\">x</p>",
    "<p style=\"mso-hide:all\">x</p>",
    "<p style=\"font-family:Wingdings\">x</p>",
    "<p style=\"text-decoration:line-through\">x</p>",
    "<p style=\"letter-spacing:-1em\">x</p>",
    "<p style=\"margin:0\" style=\"margin:0\">x</p>",
    "<s>x</s>",
    "<pre>                                        x</pre>",
    "<title>x</title>",
    "<p dir=\"none\">x</p>",
    "<p>12 objects</p>",
    "<b>１２</b>",
    "<p style=\"font-family:{{vendor}}\">x</p>",
    "<p style=\"mar\\67in:1em\">x</p>",
    "<p onclick=\"alert(1)\">x</p>",
    "<p ONMOUSEOVER=\"alert(1)\">x</p>",
    "<p onclick={{vendor}}>x</p>",
    "<p class={{vendor}}>x</p>",
    "<p lang={{vendor}}>x</p>",
    "<p lang='en'>x</p>",
    "<p lang=en>x</p>",
    "<p hidden>x</p>",
    "<p {{vendor}}>x</p>",
    "<{{vendor}}>",
    "<p lang=\"en\"onclick=\"x\">x</p>",
    "<p/onclick=\"x\">x</p>",
    "<p",
    "< p>x</p>",
    "<!-- hidden -->",
    "<!--[if mso]><p>x</p><![endif]-->",
    "<![CDATA[x]]>",
    "<?xml version=\"1.0\"?>",
    "<p>x",
    "<p>{{#when vendor}}</p>{{/when}}",
    "</blockquote>",
    "<p><strong>x</p></strong>",
    "&#x202e;x",
    "&#106;",
    "&zwj;x",
    "{{quote vendor}}",
];

/// Wrong in text and HTML alike, as characters.
const CHARACTERS: [&str; 17] = [
    "a\0b",
    "a\u{8}b",
    "a\u{1b}[31mb",
    "a\rb",
    "a\u{85}b",
    "a\u{2028}b",
    "a\u{202e}b",
    "a\u{2066}b",
    "a\u{200b}b",
    "a\u{feff}b",
    "a\u{e0041}b",
    "a\u{f0000}b",
    "a\u{100001}b",
    "a\u{e000}b",
    "exactly 12 objects",
    "about ½ of them",
    "see java script:alert(1)",
];

const SUBJECTS: [&str; 27] = [
    "a\nBcc: eve@evil.example",
    "a\r\nBcc: eve@evil.example",
    "a\rBcc: eve@evil.example",
    "a\u{2028}b",
    "a\u{85}b",
    "a\u{b}b",
    "a\u{c}b",
    "a\0b",
    "a\u{202e}b",
    "",
    "\n",
    " \t ",
    "{{vendor}}\n{{code}}",
    "{{{vendor}}}",
    "{{vendro}}",
    "{{#each domains}}{{nmae}}{{/each}}",
    "{{#each domains}}{{#each types}}{{#each domains}}x{{/each}}{{/each}}{{/each}}",
    "{{#element \"cause\"}}x{{/element}}",
    "{{quote vendor}}",
    "{{#if vendor}}x{{/if}}",
    "{{> notice/en.subject}}",
    "{{lookup domains 0}}",
    "{{vendor",
    "{{#when vendor}}x",
    "{{/when}}",
    "javascript:alert(1)",
    "12 files of {{tenant_name}}",
];

struct Case {
    what: String,
    part: Part,
    source: Vec<u8>,
    /// The line that must be named; none: any.
    line: Option<usize>,
}

/// The heading of the HTML before which it is put, as a line.
fn heading(html: &str) -> &str {
    html.split_inclusive('\n').find(|line| line.ends_with(">What was exposed</h2>\n")).unwrap()
}

/// The built-in template with something put before its first heading, so that all else is as it should be.
fn planted(part: Part, before: &str, snippet: &str, after: &str) -> Case {
    let builtin = own::builtin(Kind::Notice, Language::En);
    let source = std::str::from_utf8(if part == Part::Html { builtin.html.unwrap() } else { builtin.text }).unwrap();
    let mark = if part == Part::Html { heading(source) } else { "WHAT WAS EXPOSED\n" };
    let (head, tail) = source.split_once(mark).unwrap();
    let line = head.matches('\n').count() + before.matches('\n').count() + 1;
    let source = format!("{head}{before}{snippet}{after}\n{mark}{tail}");
    Case { what: format!("{snippet:?} in {part:?}"), part, source: source.into_bytes(), line: Some(line) }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (_, before, after) in PLACES {
        for snippet in ANYWHERE.iter().chain(&CHARACTERS) {
            cases.push(planted(Part::Text, before, snippet, after));
            cases.push(planted(Part::Html, before, snippet, after));
        }
        for snippet in IN_HTML {
            cases.push(planted(Part::Html, before, snippet, after));
        }
    }
    let subject = |source: &&str| Case {
        what: format!("{source:?} as a subject"),
        part: Part::Subject,
        source: source.as_bytes().to_vec(),
        line: Some(1),
    };
    cases.extend(SUBJECTS.iter().map(subject));
    for part in [Part::Subject, Part::Text, Part::Html] {
        cases.extend(made(part));
    }
    cases
}

/// Deep, large, unreadable: what is made rather than written.
fn made(part: Part) -> Vec<Case> {
    let case = |what: &str, source: Vec<u8>| Case { what: format!("{what} in {part:?}"), part, source, line: None };
    let text = |what, source: String| case(what, source.into_bytes());
    let mut cases = vec![
        text("1,200 open blocks", "{{#when vendor}}".repeat(1_200)),
        text("1,200 blocks", "{{#when vendor}}".repeat(1_200) + &"{{/when}}".repeat(1_200)),
        text("nine blocks", "{{#when vendor}}".repeat(9) + "x" + &"{{/when}}".repeat(9)),
        text("lists within themselves", "{{#each domains}}".repeat(7) + &"x".repeat(99) + &"{{/each}}".repeat(7)),
        text("1,200 partials", "{{> a}}".repeat(1_200)),
        text("1,200 parentheses", format!("{{{{quote {}vendor{}}}}}", "(".repeat(1_200), ")".repeat(1_200))),
        text("1,200 brackets", format!("{{{{quote {}{}}}}}", "[".repeat(1_200), "]".repeat(1_200))),
        text("braces", "{".repeat(10_000)),
        text("ten megabytes", "x".repeat(10_000_000)),
        case("invalid UTF-8", b"one\ntwo \xff\xfe".to_vec()),
        case("UTF-16", "{{vendor}}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        case("an overlong slash", b"a\xc0\xafb".to_vec()),
        case("half a character", "ü".as_bytes()[..1].to_vec()),
    ];
    match part {
        Part::Subject => {}
        Part::Text | Part::Html => {
            cases.push(text("nothing", " \n".to_owned()));
        }
    }
    if part == Part::Html {
        let tags = |tag: &str| format!("<{tag}>").repeat(5_000) + "x" + &format!("</{tag}>").repeat(5_000);
        cases.extend(["div", "b", "table"].map(|tag| text("deep tags", tags(tag))));
    }
    cases
}

fn judged(case: &Case) -> Result<Own, TemplateError> {
    let good = own::builtin(Kind::Notice, Language::En);
    Own::check(&match case.part {
        Part::Subject => Submitted { subject: &case.source, ..good },
        Part::Text => Submitted { text: &case.source, ..good },
        Part::Html => Submitted { html: Some(&case.source), ..good },
    })
}

#[test]
fn every_hostile_template_is_refused_with_its_line_and_a_next_step() {
    let all = || {
        let cases = cases();
        for case in &cases {
            let error = judged(case).map(|_| ()).expect_err(&case.what);
            let said = error.to_string();
            let line = match &error {
                TemplateError::NotAllowed { line, why, next, .. } => {
                    assert!(!why.is_empty() && !next.is_empty(), "{}: {said}", case.what);
                    *line
                }
                TemplateError::TooLong { line, .. } => *line,
                other => panic!("{}: {other:?}", case.what),
            };
            assert!(said.contains("template notice/en.") && said.contains(&format!("line {line}")), "{said}");
            assert!(
                case.line.is_none_or(|expected| (expected..=expected + 1).contains(&line)),
                "{}: {said}",
                case.what
            );
            assert!(said.len() < 1_000, "{said}");
        }
        cases.len()
    };
    let refused = std::thread::Builder::new().stack_size(STACK).spawn(all).unwrap().join().unwrap();
    assert!(refused >= 200, "{refused} hostile templates");
}

#[test]
fn an_output_bomb_among_good_words_is_stopped_where_it_grows() {
    // 46,000 bytes for each of 22 types in the first sample.
    let bomb = format!("{{{{#each domains}}}}\n{{{{#each types}}}}{}{{{{/each}}}}{{{{/each}}}}", "x".repeat(46_000));
    for part in [Part::Text, Part::Html] {
        let case = planted(part, "", &bomb, "");
        let error = judged(&case).map(|_| ()).unwrap_err();
        let expected = case.line.unwrap() + 1;
        assert!(matches!(error, TemplateError::TooLong { line, .. } if line == expected), "{expected}: {error}");
    }
}

#[test]
fn what_the_builtin_templates_say_passes_every_check() {
    for kind in Kind::ALL {
        for language in kind.languages() {
            let own = Own::check(&own::builtin(kind, *language)).unwrap();
            assert!(own.changes().unwrap().is_empty());
        }
    }
}
