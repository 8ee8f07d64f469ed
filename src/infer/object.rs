//! What the objects at one place have in common: names that stand for fields, or maps from any names to values.

use bson::{RawDocument, raw::RawElement};
use indexmap::IndexMap;

use super::{
    format,
    place::{Place, Room},
};

/// How many names an object has before those that are rare are taken for the keys of a map.
const MAX_NAMES: usize = 200;

/// How long, in bytes, the name of a field may be; a longer one is taken for the key of a map.
const MAX_NAME: usize = 128;

/// A name is rare if fewer than one of so many objects has it.
const RARE: u64 = 10;

/// From so many names on, all of them rare and their values of one type, an object is a map.
const MAP_NAMES: usize = 24;

/// The objects seen at one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    /// How many there were.
    pub(super) seen: u64,
    /// The names that are kept apart.
    pub(super) members: IndexMap<String, Member>,
    /// The values under all other names, once there are too many to keep apart. No name is here and in `members`.
    pub(super) rest: Option<Box<Place>>,
    /// There are other names, of whose values nothing is known.
    pub(super) is_open: bool,
    /// These are whole documents, which have an `_id`.
    pub(super) whole: bool,
}

/// A name in objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    /// How many objects have it.
    pub(super) holders: u64,
    /// What they have there.
    pub(super) place: Place,
    /// The last object that had it: one may have it twice.
    last: u64,
}

impl Object {
    /// Whole documents.
    pub(super) fn of_documents() -> Self {
        Self { whole: true, ..Self::default() }
    }

    pub(super) fn observe(&mut self, object: &RawDocument, room: &mut Room) {
        self.seen += 1;
        let mut at = 0;
        for element in object.iter_elements() {
            match element {
                Ok(element) => at = self.element(&element, at, room),
                Err(_) => self.give_up(),
            }
        }
    }

    /// Observes one element, and says where one that follows it belongs. A new name belongs `at` there, which keeps
    /// names in the order in which objects have them.
    fn element(&mut self, element: &RawElement<'_>, at: usize, room: &mut Room) -> usize {
        let name = element.key().as_str();
        if !self.members.contains_key(name) && self.admits(name, room) {
            self.members.shift_insert(at.min(self.members.len()), name.to_owned(), Member::default());
        }
        let (place, next) = match (self.members.get_full_mut(name), &mut self.rest) {
            (Some((found, _, member)), _) => {
                member.hold(self.seen);
                (&mut member.place, found + 1)
            }
            (None, Some(rest)) => (&mut **rest, at),
            (None, None) => return at,
        };
        match element.value() {
            Ok(value) => place.observe(value, room),
            Err(_) => place.unknown = true,
        }
        next
    }

    /// Whether a name that is not known yet is kept apart. If not, all further names go to the rest.
    fn admits(&mut self, name: &str, room: &mut Room) -> bool {
        if self.whole && name == "_id" {
            return true;
        }
        if self.is_open || self.rest.is_some() {
            return false;
        }
        let fits = self.members.len() < MAX_NAMES && name.len() <= MAX_NAME;
        if fits && room.take(name.len()) {
            return true;
        }
        self.overflow(room);
        false
    }

    /// Gives rare names up, so that the rest has a place.
    fn overflow(&mut self, room: &mut Room) {
        let before = self.size();
        if self.members.len() >= MAX_NAMES {
            let rare = |member: &Member| member.holders.saturating_mul(RARE) < self.seen;
            let names = self.members.iter().filter(|(name, member)| self.is_plain(name) && rare(member));
            self.fold(&names.map(|(name, _)| name.clone()).collect::<Vec<_>>());
        }
        let after = self.size();
        room.places += before.0.saturating_sub(after.0);
        room.bytes += before.1.saturating_sub(after.1);
        if self.rest.is_none() {
            if room.take(0) {
                self.rest = Some(Box::default());
            } else {
                self.is_open = true;
            }
        }
    }

    /// Puts the values under these names to the rest.
    fn fold(&mut self, names: &[String]) {
        for name in names {
            let Some(member) = self.members.shift_remove(name) else { continue };
            match &mut self.rest {
                Some(rest) => rest.merge(member.place),
                None => self.rest = Some(Box::new(member.place)),
            }
        }
    }

    fn is_plain(&self, name: &str) -> bool {
        !(self.whole && name == "_id")
    }

    /// Nothing is said of what is in the objects.
    pub(super) fn give_up(&mut self) {
        self.members.retain(|name, _| self.whole && name == "_id");
        self.rest = None;
        self.is_open = true;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.seen += other.seen;
        if self.is_open || other.is_open {
            return self.give_up();
        }
        let mut theirs = other.members;
        let mapped = self.rest.is_some() || other.rest.is_some();
        let mut alone = Vec::new();
        for (name, member) in &mut self.members {
            match theirs.shift_remove(name) {
                Some(other) => member.merge(other),
                None => alone.push(name.clone()),
            }
        }
        alone.extend(theirs.keys().cloned());
        self.members.extend(theirs);
        match (&mut self.rest, other.rest) {
            (Some(rest), Some(other)) => rest.merge(*other),
            (rest, other) => *rest = rest.take().or(other),
        }
        // Where one side keeps other names together, a name of the other side may be among them.
        if mapped {
            self.fold(&alone);
        }
    }

    /// The names that every object has. A document's `_id` goes without saying.
    pub(super) fn required(&self) -> Vec<&str> {
        let always = self.members.iter().filter(|(name, member)| member.holders == self.seen && self.is_plain(name));
        always.map(|(name, _)| name.as_str()).filter(|_| self.seen > 0).collect()
    }

    /// Whether there are no other names than those that are kept apart, and some of these.
    pub(super) fn is_closed(&self) -> bool {
        !self.is_open && self.rest.is_none() && self.members.keys().any(|name| self.is_plain(name))
    }

    /// How much room it takes.
    pub(super) fn size(&self) -> (usize, usize) {
        let rest = self.rest.as_ref().map_or((0, 0), |rest| rest.size());
        self.members.iter().fold(rest, |(places, bytes), (name, member)| {
            let (more, names) = member.place.size();
            (places + more, bytes + names + name.len())
        })
    }

    /// Makes room for a field, which objects need not have.
    pub(super) fn expect(&mut self, path: &[&str], room: &mut Room) {
        let Some((name, rest)) = path.split_first() else { return };
        if let Some(member) = self.members.get_mut(*name) {
            member.place.expect(rest, room);
        } else if self.rest.is_none() && !self.is_open && !name.is_empty() && room.take(name.len()) {
            self.members.insert((*name).to_owned(), Member::default());
        }
    }

    /// The same as a map, if it is one: all values together.
    pub(super) fn as_map(&self) -> Option<Self> {
        if self.whole || self.is_open || !self.is_map() {
            return None;
        }
        let mut map = self.clone();
        map.fold(&self.members.keys().cloned().collect::<Vec<_>>());
        Some(map)
    }

    fn is_map(&self) -> bool {
        let rare = |member: &Member| member.holders.saturating_mul(RARE) < self.seen;
        // What only an index expects says nothing of the names that there are.
        let seen: Vec<_> = self.members.iter().filter(|(_, member)| member.holders > 0).collect();
        let alike = seen.windows(2).all(|pair| pair[0].1.place.kinds() == pair[1].1.place.kinds());
        let many = seen.len() >= MAP_NAMES && seen.iter().all(|(_, member)| rare(member)) && alike;
        let keys = seen.len() >= 2 && seen.iter().all(|(name, _)| is_key(name));
        many || keys
    }
}

impl Member {
    /// Counts the object, once.
    fn hold(&mut self, object: u64) {
        if self.last != object {
            self.holders += 1;
            self.last = object;
        }
    }

    fn merge(&mut self, other: Self) {
        self.holders += other.holders;
        self.place.merge(other.place);
    }
}

/// Whether the name looks like a key rather than a field: a number, an `ObjectId`, a UUID or a day.
fn is_key(name: &str) -> bool {
    let all = |fits: fn(u8) -> bool| !name.is_empty() && name.bytes().all(fits);
    let object_id = name.len() == 24 && all(|b| b.is_ascii_hexdigit());
    all(|b| b.is_ascii_digit()) || object_id || format::is_uuid(name) || format::is_date(name)
}
