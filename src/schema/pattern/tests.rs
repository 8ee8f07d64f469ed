use super::*;

#[test]
fn says_in_pcre_what_ecma_means() {
    let cases = [
        ("^97[89][0-9]{10}$", r"^97[89][0-9]{10}(?![\s\S])"),
        ("a.c", r"a[^\n\r\x{2028}\x{2029}]c"),
        ("[^]", r"[\s\S]"),
        ("[]", "(?!)"),
        (r"\d\w", "[0-9][0-9A-Z_a-z]"),
        (r"[\D]", r"[\x{0}-\/\:-\x{10ffff}]"),
        (r"\u0041\x42\u{43}\cJ\0\t\v", r"ABC\x{a}\x{0}\x{9}\x{b}"),
        (r"\uD83D\uDCD6", r"\x{1f4d6}"),
        (r"\p{Letter}\p{gc=Lu}\P{Number}", r"[\p{L}][\p{Lu}][\P{N}]"),
        (r"\p{Script=Greek}\p{sc=Cyrl}", r"[\p{Greek}][\p{Cyrillic}]"),
        (r"\p{LC}\p{Assigned}\P{Assigned}\p{ASCII}", r"[\p{L&}][\P{Cn}][\p{Cn}][\x{0}-\x{7f}]"),
        (r"(?<year>\d{4})-\k<year>", r"([0-9]{4})\-(?(1)\1|)"),
        (r"(?:a|b)*?(?=c)(?!d)(?<=ab|c)(?<!d{2})", r"(?:a|b)*?(?=c)(?!d)(?<=ab|c)(?<!d{2})"),
        (r"[\w.\-\]&:[]", r"[0-9A-Z_a-z\.\-\]\&\:\[]"),
        (r"[a-]", r"[a\-]"),
        (r"[\b]\b\B", r"[\x{8}]\b\B"),
        (r"\^\$\/\{\}", r"\^\$\/\{\}"),
        ("#é~ \u{1f4d6}", "\\#é\\~ \\x{1f4d6}"),
        ("a{2,}b{3,4}?", "a{2,}b{3,4}?"),
        ("", ""),
    ];
    for (ecma, pcre) in cases {
        assert_eq!(translate(ecma).as_deref(), Ok(pcre), "{ecma}");
    }
}

#[test]
fn refuses_what_has_no_equal_and_says_where() {
    let cases = [
        ("(?i)a", 0, "no such group"),
        ("a(?>b)", 1, "no such group"),
        ("(?#x)", 0, "no such group"),
        ("(?P<n>a)", 0, "no such group"),
        ("(?R)", 0, "no such group"),
        ("(?|a)", 0, "no such group"),
        ("(*UTF)a", 1, "repeats nothing"),
        ("a++", 2, "repeats nothing"),
        ("a{2}+", 4, "repeats nothing"),
        ("^*", 1, "repeats nothing"),
        ("(?=a)*", 5, "repeats nothing"),
        (r"\Aa", 0, r"no escape `\A`"),
        (r"a\Z", 1, r"no escape `\Z`"),
        (r"\Qa\E", 0, r"no escape `\Q`"),
        (r"\h", 0, r"no escape `\h`"),
        (r"\-", 0, r"no escape `\-`"),
        (r"\01", 0, r"no escape `\0`"),
        (r"[\1]", 1, r"no escape `\1`"),
        ("[[:alpha:]]", 10, r"write `\]`"),
        ("a{", 2, "number was expected"),
        ("}", 0, r"write `\}`"),
        ("(a", 2, "not closed"),
        ("a)", 1, "closes no group"),
        ("[a", 2, "not closed"),
        ("[z-a]", 1, "out of order"),
        (r"[\d-z]", 1, "range needs"),
        ("a{3,2}", 6, "out of order"),
        ("a{70000}", 2, "at most 65535"),
        (r"\ud800", 6, "no character"),
        (r"\u{110000}", 9, "no character"),
        (r"\p{Emoji}", 2, "property `Emoji`"),
        (r"\p{Greek}", 2, "property `Greek`"),
        (r"\p{Script_Extensions=Greek}", 2, "property"),
        (r"\p{^L}", 2, "property `^L`"),
        (r"\pL", 2, "property was expected"),
        ("(?<=a+)b", 0, "look behind"),
        ("x(?<=a(?:b|cd))e", 1, "look behind"),
        (r"\1", 0, "no group 1"),
        (r"\k<a>", 2, "name of a group"),
        (r"(?:(a)|b)*\1", 10, "repeated group 1"),
        ("(?<a>x)(?<a>y)", 7, "used twice"),
        ("(?<1a>x)", 0, "not a group name"),
        (r"a\", 2, "ends the pattern"),
    ];
    for (ecma, offset, reason) in cases {
        let refusal = translate(ecma).expect_err(ecma);
        assert!(refusal.offset == offset && refusal.reason.contains(reason), "{ecma}: {refusal}");
    }
}

#[test]
fn is_bounded() {
    assert!(translate(&"(".repeat(1_000_000)).unwrap_err().reason.contains("nested over"));
    assert!(translate(&"a".repeat(40_000)).unwrap_err().reason.contains("limit of 32764"));
}

#[test]
fn quotes_names() {
    assert_eq!(quote("a.b$é"), r"(*UTF)^a\.b\$é(?![\s\S])");
    assert_eq!(quote(""), r"(*UTF)^(?![\s\S])");
}

proptest::proptest! {
    #[test]
    fn never_panics(pattern in r"[\\\[\](){}^$.*+?|<>=!:kupPdwDWsSbB0-9a-fé\-,]{0,40}") {
        let _ = translate(&pattern);
    }
}
