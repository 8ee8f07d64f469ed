//! What each keyword is for, as editors show it beside the keyword.

/// Every keyword that can be used, with what it is for.
const WORDS: [(&str, &str); 59] = [
    ("$schema", "The dialect of the file: draft 2020-12, the only one there is here."),
    ("$id", "A URI that identifies the file to others. Nothing is fetched from it."),
    ("$defs", "Schemas that `$ref` refers to, by name."),
    (
        "$ref",
        "The rules of another schema hold here too: of one in this file, `#/$defs/isbn`, or of another file in the folder, \
         `shared/address.json#/$defs/city`.",
    ),
    ("$comment", "A note for those who read the file. It shows nowhere else."),
    ("title", "A short name, for people."),
    ("description", "What it is, for people."),
    ("examples", "Values that fit. Those at the root are documents: `folio check --examples` has MongoDB judge them."),
    ("deprecated", "The field should not be used any more. Nothing is refused."),
    ("default", "Filled in by the service when the field is absent from a new document, or from one that is replaced."),
    ("readOnly", "Clients may not write the field."),
    ("writeOnly", "The field is stored and never shown: no answer holds it, no query can use it."),
    ("type", "What it is in JSON. `bsonType` says what is stored."),
    (
        "bsonType",
        "What is stored: the BSON type. Values in this file, and in the API, are written in the JSON form of this type.",
    ),
    (
        "format",
        "The form of a string. It is enforced. Beside \"bsonType\": \"binData\", \"uuid\" makes the binary value a UUID.",
    ),
    ("properties", "The fields of the object, each with its schema."),
    ("patternProperties", "Schemas for the fields whose names match a regular expression."),
    ("propertyNames", "A schema for the names of all fields of the object."),
    ("required", "The fields that the object must have."),
    (
        "additionalProperties",
        "Fields that are not declared: `false` forbids them, a schema is for all of them, `true` or nothing allows any.",
    ),
    (
        "unevaluatedProperties",
        "Fields that no keyword beside it speaks of, nor one of the schemas that hold through `allOf`, `$ref` or `anyOf`: \
         `false` forbids them, a schema is for all of them.",
    ),
    ("minProperties", "The least number of fields."),
    ("maxProperties", "The greatest number of fields."),
    ("dependentRequired", "Fields that must be there as soon as another one is."),
    ("dependentSchemas", "Schemas that hold for the object as soon as it has a field."),
    ("prefixItems", "Schemas for the first items of the list, one after the other."),
    ("items", "The schema of the list's items; of those after `prefixItems` where that stands beside it."),
    (
        "unevaluatedItems",
        "Items that no keyword beside it speaks of, nor one of the schemas that hold through `allOf`, `$ref` or `anyOf`: \
         `false` forbids them, a schema is for all of them.",
    ),
    ("contains", "A schema that at least one item of the list must fit."),
    ("minContains", "How many items must fit `contains`: 1, or 0 for none."),
    ("uniqueItems", "No two items of the list are equal."),
    ("minItems", "The least number of items."),
    ("maxItems", "The greatest number of items."),
    ("minimum", "The least value, in the JSON form of the type."),
    ("maximum", "The greatest value, in the JSON form of the type."),
    ("exclusiveMinimum", "Every value is greater than this."),
    ("exclusiveMaximum", "Every value is less than this."),
    ("multipleOf", "Every value is a multiple of this; 0.01 gives two decimal places."),
    ("minLength", "The least number of characters."),
    ("maxLength", "The greatest number of characters."),
    (
        "pattern",
        "A regular expression (ECMA-262) that must match somewhere in the string; `^` and `$` make it match all of it.",
    ),
    ("contentEncoding", "How the string encodes other data. Nothing is checked."),
    ("contentMediaType", "What kind of data the string holds. Nothing is checked."),
    ("enum", "The values there are, in the JSON form of the type."),
    ("const", "The one value there is, in the JSON form of the type."),
    ("allOf", "Every one of these schemas must fit."),
    ("anyOf", "At least one of these schemas must fit."),
    ("oneOf", "Exactly one of these schemas must fit."),
    ("not", "This schema must not fit."),
    ("if", "Where this schema fits, `then` must fit too; where it does not, `else`."),
    ("then", "Must fit where `if` does."),
    ("else", "Must fit where `if` does not."),
    ("x-indexes", "The indexes of the collection, beside the one on `_id`."),
    (
        "x-access",
        "Who may do what: operations for each role, or an object that says more. Without it, the role `admin` alone may do \
         everything.",
    ),
    ("x-ref", "The field holds the `_id` of a document of another collection."),
    ("x-set", "The service writes the field, and clients do not."),
    (
        "x-counterexamples",
        "Documents that MongoDB must refuse, each for a rule that it breaks: `folio check --examples` tries them.",
    ),
    ("x-collection", "How MongoDB keeps the collection, and what clients must know of a document that they change."),
    ("x-queries", "Named queries."),
];

/// What the keyword is for; empty for one that nobody can use.
pub(super) fn of(keyword: &str) -> &'static str {
    WORDS.iter().find(|(name, _)| *name == keyword).map_or("", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::keywords;

    #[test]
    fn knows_what_every_keyword_is_for() {
        for name in keywords::usable() {
            assert!(!of(name).is_empty(), "`{name}` needs words");
        }
        for (name, _) in WORDS {
            assert!(keywords::status(name).is_some(), "`{name}` is no keyword");
        }
    }
}
