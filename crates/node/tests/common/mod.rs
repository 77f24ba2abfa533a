//! What the tests of a node trade with.

use tradewright_types::{CommandHeader, CommandKind, CommandRecord, OrderType, SelfTradePrevention, Side, TimeInForce};

/// A market, and two traders whom no limit holds up: accounts 2 and 3.
const TWO_TRADERS: &str = r#"[[genesis.asset]]
name = "USDT"
[[genesis.asset]]
name = "BTC"
[[genesis.instrument]]
name = "BTC/USDT"
tick = "0.01"
lot = "0.00001"
reference_price = "100"
[[genesis.account]]
name = "alice"
deposits = { BTC = "1000", USDT = "1000000" }
limits = { open_orders = 1000000, orders_per_second = 1000000, messages_per_second = 1000000 }
[[genesis.account]]
name = "bob"
deposits = { BTC = "1000", USDT = "1000000" }
limits = { open_orders = 1000000, orders_per_second = 1000000, messages_per_second = 1000000 }
"#;

/// A configuration: what a test wants of its process, and the market.
pub(crate) fn venue(process: &str) -> String {
    format!("{process}{TWO_TRADERS}")
}

/// A limit order on the market.
pub(crate) fn limit_order(
    account: u32,
    side: Side,
    price_ticks: i64,
    quantity_lots: u64,
    order_ref: u64,
) -> CommandRecord {
    CommandRecord {
        header: CommandHeader::new(CommandKind::PlaceOrder),
        account,
        instrument: 0,
        side: side as u8,
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancel as u8,
        self_trade_prevention: SelfTradePrevention::ExpireTaker as u8,
        flags: 0,
        reserved: 0,
        price_ticks,
        quantity_lots,
        order_ref,
    }
}
