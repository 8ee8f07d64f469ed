//! Which of many writes can be made together. Those that touch one document keep their order, each in a round of its own;
//! all others share rounds.

use std::collections::HashMap;

use super::Token;

/// Something that a write may find or change, so that others that do must come before or after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Touch {
    /// The document with this `_id`.
    Id(Token),
    /// The document with this key in the index, by its number.
    Key(usize, Token),
    /// Some document, with whatever key in the index.
    AnyKey(usize),
    /// Some document, whichever that is.
    Any,
}

/// The writes of each round, by their numbers, `touched` being what each of them touches.
pub(crate) fn rounds(touched: &[Vec<Touch>]) -> Vec<Vec<usize>> {
    let (mut rounds, mut free) = (Vec::<Vec<usize>>::new(), Free::default());
    for (item, touches) in touched.iter().enumerate() {
        let round = touches.iter().map(|touch| free.round(touch)).fold(free.floor, usize::max);
        for touch in touches {
            free.take(touch, round);
        }
        free.most = free.most.max(round + 1);
        if rounds.len() <= round {
            rounds.resize_with(round + 1, Vec::new);
        }
        rounds[round].push(item);
    }
    rounds
}

/// The first round in which something is not touched.
#[derive(Default)]
struct Free<'t> {
    one: HashMap<&'t Touch, usize>,
    /// Of everything, and of what comes after a write that may touch everything.
    most: usize,
    floor: usize,
    /// By index: when no key is touched, and when no write touches whatever key.
    all: HashMap<usize, (usize, usize)>,
}

impl<'t> Free<'t> {
    fn round(&self, touch: &Touch) -> usize {
        let one = self.one.get(touch).copied().unwrap_or_default();
        match touch {
            Touch::Id(_) => one,
            Touch::Key(index, _) => one.max(self.all.get(index).copied().unwrap_or_default().1),
            Touch::AnyKey(index) => self.all.get(index).copied().unwrap_or_default().0,
            Touch::Any => self.most,
        }
    }

    fn take(&mut self, touch: &'t Touch, round: usize) {
        let next = round + 1;
        if let Touch::Key(index, _) | Touch::AnyKey(index) = touch {
            let (any, whatever) = self.all.entry(*index).or_default();
            *any = next.max(*any);
            if matches!(touch, Touch::AnyKey(_)) {
                *whatever = next.max(*whatever);
            }
        }
        match touch {
            Touch::Any => self.floor = next,
            Touch::AnyKey(_) => {}
            Touch::Id(_) | Touch::Key(..) => drop(self.one.insert(touch, next)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::RawBsonRef;
    use proptest::prelude::*;

    use super::*;

    fn id(number: i32) -> Touch {
        Touch::Id(Token::of(RawBsonRef::Int32(number)))
    }

    fn key(index: usize, number: i32) -> Touch {
        Touch::Key(index, Token::of(RawBsonRef::Int32(number)))
    }

    #[test]
    fn writes_on_one_document_keep_their_order() {
        for (touched, expected) in [
            (vec![], vec![]),
            (vec![vec![], vec![], vec![id(1)]], vec![vec![0, 1, 2]]),
            (vec![vec![id(1)], vec![id(2)], vec![id(1)], vec![id(1)]], vec![vec![0, 1], vec![2], vec![3]]),
            (vec![vec![id(1), key(0, 5)], vec![key(0, 5)], vec![id(1)]], vec![vec![0], vec![1, 2]]),
            (vec![vec![key(0, 5)], vec![key(1, 5)], vec![key(0, 6)]], vec![vec![0, 1, 2]]),
            (vec![vec![key(0, 5)], vec![Touch::AnyKey(0)], vec![key(0, 6)]], vec![vec![0], vec![1], vec![2]]),
            (vec![vec![Touch::AnyKey(0)], vec![Touch::AnyKey(0)], vec![Touch::AnyKey(1)]], vec![vec![0, 2], vec![1]]),
            (vec![vec![id(1)], vec![], vec![Touch::Any], vec![id(2)], vec![]], vec![vec![0, 1], vec![2], vec![3, 4]]),
        ] {
            assert_eq!(rounds(&touched), expected, "{touched:?}");
        }
    }

    fn clash(one: &Touch, other: &Touch) -> bool {
        match (one, other) {
            (Touch::Any, _) | (_, Touch::Any) => true,
            (Touch::AnyKey(a), Touch::AnyKey(b) | Touch::Key(b, _)) | (Touch::Key(a, _), Touch::AnyKey(b)) => a == b,
            (one, other) => one == other,
        }
    }

    proptest! {
        #[test]
        fn what_clashes_keeps_its_order_and_all_is_done_once(
            touched in proptest::collection::vec(
                proptest::collection::vec(
                    prop_oneof![
                        (0..5).prop_map(id),
                        (0..2_usize, 0..4).prop_map(|(index, number)| key(index, number)),
                        (0..2_usize).prop_map(Touch::AnyKey),
                        Just(Touch::Any),
                    ],
                    0..3,
                ),
                0..20,
            ),
        ) {
            let rounds = rounds(&touched);
            let at = |item: usize| rounds.iter().position(|round| round.contains(&item)).unwrap();
            prop_assert_eq!(rounds.iter().map(Vec::len).sum::<usize>(), touched.len());
            prop_assert!(rounds.iter().all(|round| !round.is_empty()));
            for later in 0..touched.len() {
                for earlier in 0..later {
                    let clashes = touched[earlier].iter().any(|a| touched[later].iter().any(|b| clash(a, b)));
                    prop_assert!(!clashes || at(earlier) < at(later), "{} {}", earlier, later);
                }
            }
        }
    }
}
