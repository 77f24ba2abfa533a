//! What an account has open when reports begin to follow it.

use std::collections::BTreeSet;

use tradewright_engine::{Engine, OrderView};
use tradewright_types::{AccountId, SessionId};

use super::{ClientId, ListReport, OpenOrder, Position};

/// The open orders and lists of accounts behind one command of the log.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The place of that command.
    pub index: u64,
    pub(super) accounts: BTreeSet<u32>,
    pub(super) orders: Vec<OpenOrder>,
    pub(super) lists: Vec<ListReport>,
}

impl Opening {
    /// Of an account that has nothing open.
    pub fn empty(account: AccountId) -> Self {
        Self { accounts: BTreeSet::from([account.0]), ..Self::default() }
    }

    /// Of the account whose session was opened last, when it has anything open.
    pub fn of_newest_session(engine: &Engine) -> Option<Self> {
        let newest = SessionId(u32::try_from(engine.sessions().len()).ok()?);
        let account = engine.session(newest)?.account()?;
        let has_open = engine.risk().account(account).is_some_and(|account| account.open_orders > 0);
        has_open.then(|| Self::of(engine, [account]))
    }

    /// Of accounts as an engine has them. It looks at all open orders there are.
    pub fn of(engine: &Engine, accounts: impl IntoIterator<Item = AccountId>) -> Self {
        let accounts: BTreeSet<u32> = accounts.into_iter().map(|account| account.0).collect();
        let single = accounts.first().filter(|_| accounts.len() == 1).map(|account| AccountId(*account));
        let views = if accounts.is_empty() { Vec::new() } else { engine.open_orders(single) };
        let is_meant = |view: &&OrderView<'_>| accounts.contains(&view.account.0);
        let orders: Vec<OpenOrder> = views.iter().filter(is_meant).map(OpenOrder::of_view).collect();
        let name_of = |id: u64| {
            let place = orders.binary_search_by_key(&id, |order| order.id);
            place.map_or_else(|_| ClientId::default(), |place| orders[place].client_id)
        };
        let lists = engine.order_lists(None).into_iter().filter(|list| accounts.contains(&list.account.0));
        let lists = lists.map(|list| ListReport {
            position: Position::default(),
            time_ns: 0,
            account: list.account,
            instrument: list.instrument,
            list: list.id.0,
            client_id: ClientId::of(&list.client_list_id()),
            contingency: list.contingency,
            orders: list.orders.iter().map(|order| (order.0, name_of(order.0))).collect(),
            is_done: false,
        });
        let lists = lists.collect();
        Self { index: engine.sequence(), accounts, orders, lists }
    }
}
