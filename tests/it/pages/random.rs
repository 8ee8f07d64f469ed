//! Random documents, and random lists of them.

use std::str::FromStr;

use mongodb::bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, doc, oid::ObjectId,
    raw::cstr, spec::BinarySubtype,
};

/// A generator of numbers that are random enough, the same for the same seed:
/// [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(Decimal128::from_str(text).unwrap())
}

/// Numbers of all types, many of them equal.
pub(super) fn numbers() -> Vec<Bson> {
    let mut numbers: Vec<Bson> =
        [0.0, -0.0, 1.0, 1.5, -1.5, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9.1e15]
            .map(Bson::Double)
            .into();
    numbers.extend([i32::MIN, -1, 0, 1, 2, i32::MAX].map(Bson::Int32));
    numbers.extend([i64::MIN, -1, 1, 2, 9_007_199_254_740_993, i64::MAX].map(Bson::Int64));
    numbers.extend(["NaN", "-NaN", "Infinity", "-Infinity", "-0", "1", "1.00", "1.5", "0.1", "1E+400"].map(decimal));
    numbers
}

/// Values of every type but regular expressions, which cannot be paged past, and arrays.
fn scalars() -> Vec<Bson> {
    let mut values = numbers();
    values.extend(["", "a", "a\0", "A", "ä", "b", "\u{10ffff}"].map(Bson::from));
    values.extend(["a", "b"].map(|text| Bson::Symbol(text.into())));
    values.extend([("x".repeat(900) + "1").into(), ("x".repeat(900) + "2").into()]);
    values.extend(
        [doc! {}, doc! { "d": 1 }, doc! { "d": 2.0 }, doc! { "e": 1 }, doc! { "d": { "d": Bson::Null } }]
            .map(Bson::from),
    );
    values.push(doc! { "$d": Regex { pattern: cstr!("x").into(), options: cstr!("i").into() } }.into());
    for (subtype, bytes) in
        [(BinarySubtype::Generic, vec![]), (BinarySubtype::Generic, vec![1]), (BinarySubtype::Uuid, vec![0; 16])]
    {
        values.push(Binary { subtype, bytes }.into());
    }
    values.extend([1, 2].map(|byte| ObjectId::from_bytes([byte; 12]).into()));
    values.extend([true.into(), false.into(), Bson::Null, Bson::Undefined, Bson::MinKey, Bson::MaxKey]);
    values.extend([i64::MIN, -1, 0, 1_700_000_000_000].map(|ms| DateTime::from_millis(ms).into()));
    values.extend([1, 2].map(|increment| Timestamp { time: 1, increment }.into()));
    values.extend(["f()", "g()"].map(|code| Bson::JavaScriptCode(code.into())));
    let code = |n: i32| JavaScriptCodeWithScope { code: "f()".into(), scope: doc! { "n": n } };
    values.extend([1, 2].map(|n| code(n).into()));
    values
}

/// Which of the fields hold arrays: MongoDB does not sort by two that do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arrays {
    None,
    A,
    B,
    C,
    /// The field `d` in `c`, which may be an array itself.
    D,
    /// The field `f` in `c`, which may be an array itself.
    F,
}

/// What the documents of a collection are made of.
pub(super) struct Mixture {
    values: Vec<Bson>,
    arrays: Arrays,
}

impl Mixture {
    pub(super) fn new(random: &mut Random) -> Self {
        let all = scalars();
        let arrays = random.pick(&[Arrays::None, Arrays::A, Arrays::B, Arrays::C, Arrays::D, Arrays::F]);
        // Few values make ties.
        let count = random.pick(&[3, 8, 20, 60]);
        let mut values: Vec<_> = (0..count).map(|_| random.pick(&all)).collect();
        values.extend([Bson::Null, Bson::Int32(1), doc! { "d": 1, "e": 2 }.into()]);
        Self { values, arrays }
    }

    /// A document with the fields `a`, `b`, `c.d`, `c.e`, `c.f.g` and `c.f.h`, each of which may be missing.
    pub(super) fn document(&self, id: i32, random: &mut Random) -> Document {
        let mut document = doc! { "_id": id };
        for (name, arrays) in [("a", Arrays::A), ("b", Arrays::B)] {
            if random.chance(80) {
                document.insert(name, self.value(random, self.arrays == arrays));
            }
        }
        let c = if [Arrays::C, Arrays::D, Arrays::F].contains(&self.arrays) && random.chance(70) {
            (0..random.below(4)).map(|_| self.item(random)).collect::<Vec<_>>().into()
        } else {
            self.object(random)
        };
        if random.chance(90) {
            document.insert("c", c);
        }
        document
    }

    /// An item of the array `c`: mostly an object.
    fn item(&self, random: &mut Random) -> Bson {
        match random.below(8) {
            0 => random.pick(&self.values),
            1 => vec![self.object(random)].into(),
            2 => Bson::Array(Vec::new()),
            _ => self.object(random),
        }
    }

    fn object(&self, random: &mut Random) -> Bson {
        let mut object = Document::new();
        for name in ["d", "e"] {
            if random.chance(75) {
                object.insert(name, self.value(random, name == "d" && self.arrays == Arrays::D));
            }
        }
        if random.chance(60) {
            let inner = if self.arrays == Arrays::F && random.chance(70) {
                (0..random.below(4)).map(|_| self.inner(random)).collect::<Vec<_>>().into()
            } else {
                self.inner(random)
            };
            object.insert("f", inner);
        }
        if random.chance(8) { random.pick(&self.values) } else { object.into() }
    }

    fn inner(&self, random: &mut Random) -> Bson {
        let mut object = Document::new();
        for name in ["g", "h"] {
            if random.chance(75) {
                object.insert(name, random.pick(&self.values));
            }
        }
        if random.chance(15) { random.pick(&self.values) } else { object.into() }
    }

    fn value(&self, random: &mut Random, array: bool) -> Bson {
        if !array || random.chance(40) {
            return random.pick(&self.values);
        }
        let item = |random: &mut Random| match random.below(6) {
            0 => Bson::Array((0..random.below(3)).map(|_| random.pick(&self.values)).collect()),
            1 => Bson::Array(vec![Bson::Array(Vec::new())]),
            _ => random.pick(&self.values),
        };
        Bson::Array((0..random.below(4)).map(|_| item(random)).collect())
    }
}

/// A document of the collection with a type for each field.
pub(super) fn typed(id: i32, random: &mut Random) -> Document {
    let numbers = numbers();
    let place: Vec<f64> = (0..random.below(4)).map(|_| random.pick(&[1.5, -1.0, 0.0, 7.0])).collect();
    let mut document = doc! {
        "_id": id,
        "name": random.pick(&["", "a", "b", "ä", "\u{10ffff}"]),
        "number": random.pick(&numbers),
        "whole": random.pick(&[Bson::Int32(1), Bson::Int64(2), Bson::Double(1.0), Bson::Double(3.0), decimal("2"), decimal("7.0")]),
        "at": DateTime::from_millis(random.pick(&[i64::MIN, -1, 0, 1])),
        "flag": random.chance(50),
        "inner": { "oid": ObjectId::from_bytes([random.pick(&[1, 2, 3]); 12]) },
        "place": place,
    };
    if random.chance(60) {
        document.insert("maybe", random.pick(&numbers));
    }
    if random.chance(70) {
        let city = if random.chance(70) { random.pick(&["Paris", "Rome", ""]).into() } else { Bson::Null };
        document.insert("outer", if random.chance(80) { doc! { "city": city }.into() } else { Bson::Null });
    }
    document
}

/// The text of a random sort of one to three of the fields.
pub(super) fn sort(fields: &[&str], random: &mut Random) -> String {
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..random.pick(&[1, 1, 2, 2, 3]) {
        let field = random.pick(fields);
        if !keys.iter().any(|key| key.trim_start_matches('-') == field) {
            keys.push(format!("{}{field}", random.pick(&["", "-"])));
        }
    }
    keys.join(",")
}
