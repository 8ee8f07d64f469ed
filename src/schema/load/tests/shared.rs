//! `$ref` across files.

use super::*;

/// Loads a folder of these files; its mistakes are shown without the folder's path.
fn load(files: &[(&str, &str)]) -> Result<Catalog, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let home = format!("{}/", folder.path().display());
    match Catalog::load(folder.path()) {
        Ok(catalog) => Ok(catalog),
        Err(Error::Schemas(mistakes)) => Err(mistakes.iter().map(|m| m.to_string().replace(&home, "")).collect()),
        Err(other) => panic!("{other}"),
    }
}

fn collection(field: &str) -> String {
    format!(r#"{{"type": "object", "properties": {{"f": {field}}}}}"#)
}

#[test]
fn a_field_is_what_another_file_says() {
    let books = r#"{"type": "object", "properties": {
        "home": {"$ref": "shared/address.json"}, "zip": {"$ref": "shared/address.json#/$defs/zip", "maxLength": 9},
        "code": {"$ref": "shared/codes/all.json"}, "self": {"$ref": "books.json#/$defs/year"}},
        "$defs": {"year": {"bsonType": "int"}}}"#;
    let address = r##"{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "address", "type": "object",
        "properties": {"zip": {"$ref": "#/$defs/zip"}, "since": {"$ref": "../books.json#/$defs/year", "default": 7}},
        "$defs": {"zip": {"type": "string", "pattern": "é"}}}"##;
    let catalog = load(&[
        ("books.json", books),
        ("shared/address.json", address),
        ("shared/codes/all.json", r#"{"allOf": [{"$ref": "../../parts/code.json"}]}"#),
        ("parts/code.json", r#"{"bsonType": "int", "minimum": 5}"#),
        ("parts/unused.json", "not looked at"),
    ])
    .unwrap();
    assert_eq!(catalog.iter().count(), 1);
    let schema = catalog.get("books").unwrap();
    let root = &schema.root;
    assert_eq!(root.properties["home"].properties["zip"].kinds, Kinds::from(Kind::String));
    assert_eq!(root.properties["home"].properties["since"].default, Some(bson::RawBson::Int32(7)));
    assert_eq!(root.properties["code"].kinds, Kinds::from(Kind::Int));
    assert_eq!(root.properties["self"].kinds, Kinds::from(Kind::Int));
    let files: Vec<_> = schema.source.files.keys().map(String::as_str).collect();
    assert_eq!(files, ["parts/code.json", "shared/address.json", "shared/codes/all.json"]);
    let rules = schema.validator.get_document("$jsonSchema").unwrap().get_document("properties").unwrap();
    let described = |field: &str| rules.get_document(field).unwrap().get_str("description").unwrap().to_owned();
    assert_eq!([described("home"), described("self")], ["shared/address.json#", "#/$defs/year"]);
    let zip = rules.get_document("home").unwrap().get_document("properties").unwrap().get_document("zip").unwrap();
    assert_eq!(zip.get_str("description").unwrap(), "shared/address.json#/$defs/zip");
    let minimum = schema.source.at("parts/code.json#/minimum").unwrap();
    assert_eq!(minimum.text(&schema.source.text), "5");
}

/// What stands in `shared/a.json` where the field `f` of `books` refers to it, and the mistakes.
#[test]
fn mistakes_stand_under_the_file_that_has_them() {
    let referring = collection(r#"{"$ref": "shared/a.json"}"#);
    let cases: &[(&str, &[&str])] = &[
        (r#"{"minimun": 1}"#, &[r#"shared/a.json#/minimun: unknown keyword, did you mean "minimum"?"#]),
        ("{", &["shared/a.json#: line 1, column 1: EOF while parsing an object"]),
        (
            r#"{"pattern": "(?i)"}"#,
            &[
                "shared/a.json#/pattern: ECMA-262 has no such group; there are `(?:`, `(?=`, `(?!`, `(?<=`, `(?<!` and `(?<name>` (at byte 0 of the pattern)",
            ],
        ),
        (r#"{"$ref": "b.json"}"#, &["shared/a.json#/$ref: there is no file `shared/b.json` in the folder"]),
        (r#"{"x-indexes": []}"#, &["shared/a.json#/x-indexes: belongs at the root of a collection's file"]),
        (r#"{"not": {"$id": "a"}}"#, &["shared/a.json#/not/$id: belongs at the root of the file only"]),
        (
            r#"{"$schema": "x"}"#,
            &[
                "shared/a.json#/$schema: must be \"https://json-schema.org/draft/2020-12/schema\", the only dialect there is here",
            ],
        ),
        (
            r#"{"x-ref": {"collection": "bokks"}}"#,
            &[r#"shared/a.json#/x-ref/collection: no collection `bokks` is declared, did you mean "books"?"#],
        ),
    ];
    for (text, expected) in cases {
        let mistakes = load(&[("books.json", &referring), ("zines.json", &referring), ("shared/a.json", text)]);
        assert_eq!(mistakes.unwrap_err(), *expected, "{text}");
        let unused = load(&[("books.json", &collection("true")), ("shared/a.json", text)]);
        assert_eq!(unused.unwrap_err(), *expected, "{text}");
    }
}

#[test]
fn a_fragment_is_judged_where_it_is_used() {
    let items = collection(r#"{"items": {"$ref": "shared/a.json"}}"#);
    let default = ("shared/a.json", r#"{"properties": {"x": {"default": 1}}}"#);
    let [mistake] = load(&[("books.json", &items), ("zines.json", &items), default]).unwrap_err().try_into().unwrap();
    assert!(mistake.starts_with("shared/a.json#/properties/x/default: belongs on a field with a path"), "{mistake}");
    assert!(mistake.contains("(where `") && mistake.ends_with("books.json` refers to it)"), "{mistake}");
    assert!(load(&[("books.json", &collection(r#"{"$ref": "shared/a.json"}"#)), default]).is_ok());
}

#[test]
fn recursion_across_files_is_refused() {
    let mistakes = load(&[
        ("books.json", &collection(r#"{"$ref": "shared/a.json"}"#)),
        ("shared/a.json", r#"{"items": {"$ref": "b.json"}}"#),
        ("shared/b.json", r#"{"items": {"$ref": "a.json"}}"#),
    ])
    .unwrap_err();
    assert!(!mistakes.is_empty());
    for mistake in mistakes {
        assert!(
            mistake.contains("/items/$ref: leads back to itself: a MongoDB validator cannot be recursive"),
            "{mistake}"
        );
    }
}

#[test]
fn references_lead_to_files_of_the_folder_only() {
    let cases = [
        ("https://example.org/a.json", "not supported: nothing is fetched; copy the schema into the folder"),
        ("../a.json", "leads out of the schemas folder"),
        ("shared/%2e%2e/%2e%2e/a.json", "leads out of the schemas folder"),
        ("/etc/a.json", "leads to no schema: write the path of a `.json` file relative to this one"),
        ("shared", "leads to no schema: write the path of a `.json` file relative to this one"),
        ("shared/b.json", "there is no file `shared/b.json` in the folder"),
        ("shared/a.json#/$defs/x", "leads nowhere"),
        ("shared/a.json#/required", "leads to something that is not a schema"),
        ("shared/a.json#x", "not supported: refer to places by their pointer, `#/$defs/…`"),
    ];
    for (reference, detail) in cases {
        let books = collection(&format!(r#"{{"$ref": "{reference}"}}"#));
        let mistakes = load(&[("books.json", &books), ("shared/a.json", r#"{"required": []}"#)]).unwrap_err();
        assert_eq!(mistakes, [format!("books.json#/properties/f/$ref: {detail}")], "{reference}");
    }
}

#[cfg(unix)]
#[test]
fn no_reference_follows_a_link_out_of_the_folder() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(other.path().join("secret.json"), "{}").unwrap();
    std::os::unix::fs::symlink(other.path(), folder.path().join("outside")).unwrap();
    std::os::unix::fs::symlink(other.path(), folder.path().join("shared")).unwrap();
    fs::write(folder.path().join("books.json"), collection(r#"{"$ref": "outside/secret.json"}"#)).unwrap();
    let Err(Error::Schemas(mistakes)) = Catalog::load(folder.path()) else { panic!("it loads") };
    let shown: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(mistakes.len(), 2, "{shown:?}");
    for (mistake, file) in mistakes.iter().zip(["outside/secret.json", "shared/secret.json"]) {
        assert!(mistake.path.ends_with(file), "{shown:?}");
        assert_eq!(mistake.detail, "is a link that leads out of the folder; copy the file into it");
    }
}

#[cfg(unix)]
#[test]
fn no_link_makes_a_fragment_another_one() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("shared/..data")).unwrap();
    fs::create_dir_all(at("shared/codes")).unwrap();
    fs::write(at("books.json"), collection(r#"{"$ref": "shared/year.json"}"#)).unwrap();
    fs::write(at("shared/..data/year.json"), r#"{"$ref": "../types.json#/$defs/year"}"#).unwrap();
    fs::write(at("types.json"), r#"{"type": "object", "$defs": {"year": {"bsonType": "int"}}}"#).unwrap();
    symlink("..data/year.json", at("shared/year.json")).unwrap();
    fs::write(at("shared/codes/bad.json"), "[]").unwrap();
    for (target, link) in [(".", "shared/a"), (".", "shared/b"), ("codes", "shared/c"), ("..", "shared/codes/d")] {
        symlink(target, at(link)).unwrap();
    }
    let Err(Error::Schemas(mistakes)) = Catalog::load(folder.path()) else { panic!() };
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
}
