//! The files against what there is, as plain values. Touches no database.

use super::{
    change::Change,
    held::Rules,
    index::Normal,
    observe::{Found, Observed},
};
use crate::schema::{Catalog, Index, Schema};

/// Every difference, by collection.
pub(super) fn diff(catalog: &Catalog, observed: &Observed) -> Vec<Change> {
    catalog.iter().flat_map(|schema| collection(schema, observed.get(&schema.name))).collect()
}

/// The differences of one collection, in the order in which they are to be made; `found` is `None` where the
/// database has nothing of that name.
pub(super) fn collection(schema: &Schema, found: Option<&Found>) -> Vec<Change> {
    let name = || schema.name.clone();
    let Some(found) = found else {
        return vec![Change::CreateCollection { collection: name(), indexes: schema.indexes.clone() }];
    };
    if found.kind != "collection" {
        return vec![Change::NotACollection { collection: name(), kind: found.kind.clone() }];
    }
    if let Some(locale) = &found.locale {
        return vec![Change::Collated { collection: name(), locale: locale.clone() }];
    }
    validator(schema, found).into_iter().chain(pre_images(schema, found)).chain(indexes(schema, found)).collect()
}

fn validator(schema: &Schema, found: &Found) -> Option<Change> {
    let (collection, from, to) = (schema.name.clone(), found.rules.clone(), Rules::declared(schema));
    let documents = found.documents;
    if from == to {
        return (!to.is_held()).then_some(Change::Lenient { collection, rules: to });
    }
    Some(match found.stage {
        Some(stage) if to.is_held() && from == to.softened(stage) => Change::EndStage { collection, from, to, stage },
        stage => Change::SetValidator { collection, from, to, stage, documents },
    })
}

fn pre_images(schema: &Schema, found: &Found) -> Option<Change> {
    let collection = schema.name.clone();
    match schema.options.pre_images {
        Some(to) => (to != found.pre_images).then_some(Change::SetPreImages { collection, to }),
        None => found.pre_images.then_some(Change::UnknownPreImages { collection }),
    }
}

fn indexes(schema: &Schema, found: &Found) -> Vec<Change> {
    let mut free: Vec<&Index> = found.indexes.iter().filter(|index| index.name != "_id_").collect();
    let mut changes = Vec::new();
    // Same names first, so that an index is not taken for another one's older form.
    let (named, unnamed): (Vec<_>, Vec<_>) = schema.indexes.iter().partition(|d| free.iter().any(|f| f.name == d.name));
    for declared in named.into_iter().chain(unnamed) {
        let (change, taken) = index(schema, found, (declared, &free));
        free.retain(|f| Some(&f.name) != taken);
        changes.extend(change);
    }
    let unknown = |index: &&Index| Change::UnknownIndex { collection: schema.name.clone(), index: (*index).clone() };
    changes.extend(free.iter().map(unknown));
    changes
}

/// What is to be done for one declared index, and the name of the existing one that it is about.
fn index<'f>(
    schema: &Schema,
    found: &Found,
    (declared, free): (&Index, &[&'f Index]),
) -> (Option<Change>, Option<&'f String>) {
    let wanted = Normal::of(declared);
    let same_name = free.iter().find(|f| f.name == declared.name);
    let without_tie_break = || free.iter().find(|f| wanted.is_met_but_for_tie_break(&Normal::of(f)));
    let in_the_way = || free.iter().find(|f| wanted.excludes(&Normal::of(f)));
    let collection = schema.name.clone();
    let create = || {
        let (collection, index) = (schema.name.clone(), declared.clone());
        Change::CreateIndex { collection, index, documents: found.documents }
    };
    let Some(from) = same_name.or_else(without_tie_break).or_else(in_the_way) else { return (Some(create()), None) };
    let (is, named) = (Normal::of(from), from.name == declared.name);
    let change = if wanted.is_met_but_for_tie_break(&is) {
        Some(Change::MissingTieBreak { collection, index: (*from).clone() })
    } else if named && wanted.is_met_by(&is) {
        // Who asks for an index that is being built waits until it is.
        found.building.contains(&from.name).then(create)
    } else if named && wanted.is_near(&is) {
        Some(Change::AlterIndex { collection, from: (*from).clone(), to: declared.clone() })
    } else {
        let (from, to) = ((*from).clone(), declared.clone());
        Some(Change::RebuildIndex { collection, from, to, documents: found.documents })
    };
    (change, Some(&from.name))
}

#[cfg(test)]
mod tests;
