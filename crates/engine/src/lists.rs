//! The lists of orders that depend on each other: which there are, and who is in them. What happens to their legs stands in
//! `legs.rs`.

use std::collections::BTreeMap;

use tradewright_types::{
    AccountId, ClientOrderId, Contingency, EntityHash, HashTotal, InstrumentId, ListId, OrderId, Target,
};

/// A list that ties orders together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) contingency: Contingency,
    pub(crate) name: ListName,
    /// Its orders in the order in which they were sent; id 0 for a working leg that was filled, and for a third one that there
    /// never was.
    pub(crate) legs: [OrderId; 3],
}

/// The id that a client gave its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ListName {
    Absent,
    Number(u64),
    /// Characters, and how many of them count.
    Text([u8; ClientOrderId::LENGTH_MAX], u8),
}

impl ListName {
    pub(crate) fn new(id: &ClientOrderId<'_>) -> Self {
        match id {
            ClientOrderId::Absent => Self::Absent,
            ClientOrderId::Number(number) => Self::Number(number.get()),
            ClientOrderId::Text(text) => {
                let mut bytes = [0; ClientOrderId::LENGTH_MAX];
                bytes[..text.len()].copy_from_slice(text);
                Self::Text(bytes, text.len() as u8)
            }
        }
    }

    pub(crate) fn client_list_id(&self) -> ClientOrderId<'_> {
        match self {
            Self::Absent => ClientOrderId::Absent,
            Self::Number(number) => ClientOrderId::from_number(*number),
            Self::Text(bytes, length) => ClientOrderId::Text(&bytes[..usize::from(*length)]),
        }
    }

    /// The number, or zero for none and for text.
    pub(crate) fn number_or_zero(&self) -> u64 {
        self.client_list_id().number_or_zero()
    }
}

impl List {
    /// The orders that it ties together, by ascending id.
    pub(crate) fn tied(&self) -> impl Iterator<Item = OrderId> {
        self.legs.into_iter().filter(|id| id.0 != 0)
    }

    fn hash(&self, id: ListId) -> HashTotal {
        let Self { account, instrument, contingency, name, legs: [first, second, third] } = *self;
        let hash = EntityHash::new(0x38)
            .word(id.0)
            .word(u64::from(account.0) << 32 | u64::from(instrument.0))
            .word(contingency as u64)
            .word(first.0)
            .word(second.0)
            .word(third.0)
            .word(name.number_or_zero());
        match name.client_list_id() {
            ClientOrderId::Text(text) => hash.bytes(text).finish(),
            ClientOrderId::Absent | ClientOrderId::Number(_) => hash.finish(),
        }
    }
}

/// All lists that tie orders together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    lists: BTreeMap<ListId, List>,
    /// Those to which their clients gave an id.
    named: BTreeMap<(AccountId, ListName), ListId>,
    last: ListId,
    hash: HashTotal,
}

impl Lists {
    /// The id of the list accepted last.
    pub(crate) fn last(&self) -> ListId {
        self.last
    }

    pub(crate) fn set_last(&mut self, last: ListId) {
        self.last = last;
    }

    pub(crate) fn get(&self, id: ListId) -> Option<&List> {
        self.lists.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ListId, &List)> {
        self.lists.iter().map(|(id, list)| (*id, list))
    }

    /// The account's list that a command means.
    pub(crate) fn find(&self, account: AccountId, target: &Target<'_>) -> Option<ListId> {
        match target {
            Target::Order(OrderId(id)) => {
                let id = ListId(*id);
                self.lists.get(&id).filter(|list| list.account == account).map(|_| id)
            }
            Target::Client(name) => self.named(account, name),
        }
    }

    /// The account's list with this client id.
    pub(crate) fn named(&self, account: AccountId, id: &ClientOrderId<'_>) -> Option<ListId> {
        self.named.get(&(account, ListName::new(id))).copied()
    }

    pub(crate) fn next_id(&mut self) -> ListId {
        self.last.0 += 1;
        self.last
    }

    pub(crate) fn insert(&mut self, id: ListId, list: List) {
        if list.name != ListName::Absent {
            self.named.insert((list.account, list.name), id);
        }
        self.hash += list.hash(id);
        self.lists.insert(id, list);
    }

    /// Takes out a list, which ties nothing together any more.
    pub(crate) fn remove(&mut self, id: ListId) -> Option<List> {
        let list = self.lists.remove(&id)?;
        self.named.remove(&(list.account, list.name));
        self.hash -= list.hash(id);
        Some(list)
    }

    /// Notes that the working leg of a list was filled.
    pub(crate) fn leave_first(&mut self, id: ListId) {
        let Some(list) = self.lists.get_mut(&id) else { return };
        self.hash -= list.hash(id);
        list.legs[0] = OrderId(0);
        self.hash += list.hash(id);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lists.len() * size_of::<(ListId, List)>() + self.named.len() * size_of::<((AccountId, ListName), ListId)>()
    }

    /// The hash of all lists, kept with every change, and of the counter of their ids.
    pub(crate) fn state_hash(&self) -> HashTotal {
        self.counted(self.hash)
    }

    fn counted(&self, mut total: HashTotal) -> HashTotal {
        if self.last != ListId(0) {
            total += EntityHash::new(0x3a).word(self.last.0).finish();
        }
        total
    }

    /// The same, computed in full.
    pub(crate) fn full_state_hash(&self) -> HashTotal {
        let mut total = HashTotal::default();
        self.iter().for_each(|(id, list)| total += list.hash(id));
        self.counted(total)
    }

    /// Panics unless every list is found by its ids.
    pub(crate) fn check_invariants(&self) {
        let Self { lists, named, last, hash: _ } = self;
        let mut count = 0;
        for (id, list) in lists {
            assert!(id <= last, "Invariant: list ids are given in order");
            assert!(list.tied().count() >= 2, "Invariant: a list ties orders together");
            if list.name != ListName::Absent {
                count += 1;
                assert_eq!(
                    named.get(&(list.account, list.name)),
                    Some(id),
                    "Invariant: a list is found by its client id"
                );
            }
        }
        assert_eq!(count, named.len(), "Invariant: client ids belong to lists");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_counts_lists_and_names() {
        let mut lists = Lists::default();
        let list = |name| List {
            account: AccountId(1),
            instrument: InstrumentId(0),
            contingency: Contingency::OneCancelsOther,
            name,
            legs: [OrderId(1), OrderId(2), OrderId(0)],
        };
        for number in 1..=3 {
            lists.insert(ListId(number), list(ListName::Number(number)));
        }
        lists.insert(ListId(4), list(ListName::Absent));
        let (entry, name) = (size_of::<(ListId, List)>(), size_of::<((AccountId, ListName), ListId)>());
        assert_eq!(lists.memory_bytes(), 4 * entry + 3 * name);
    }
}
