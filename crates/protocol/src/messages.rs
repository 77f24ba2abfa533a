//! The messages of the order-entry schema: blocks at the offsets of the dialect, and behind each block what version 100 adds.

use zerocopy::little_endian::{I32, I64, U32, U64};

use crate::spec::{
    Block, Char, Code, DataSpec, EventBytes, GroupSpec, MessageSpec, NoExtension, Template, block, template,
};

block! {
    /// What every request about orders has behind its block.
    RequestExtension {
        client_sequence: U64 = (26001, "ClientSequence", "uint64", Optional, 100),
    }
}

block! {
    /// Behind the block of an amendment: its price, null to keep the order's.
    AmendExtension {
        client_sequence: U64 = (26001, "ClientSequence", "uint64", Optional, 100),
        price_exponent: i8 = (25054, "PriceExponent", "exponent8", Optional, 100),
        price: I64 = (44, "Price", "mantissa64", Optional, 100),
    }
}

block! {
    /// Behind the block of a new order: conditions that the base version does not have.
    OrderExtension {
        client_sequence: U64 = (26001, "ClientSequence", "uint64", Optional, 100),
        expire_time: I64 = (126, "ExpireTime", "utcTimestampUs", Optional, 100),
        min_qty: I64 = (110, "MinQty", "mantissa64", Optional, 100),
        display_method: Code = (1084, "DisplayMethod", "displayMethod", Optional, 100),
        display_high_qty: I64 = (1086, "DisplayHighQty", "mantissa64", Optional, 100),
        display_seed: U32 = (26002, "DisplaySeed", "uint32", Optional, 100),
        trigger_trailing_delta: I64 = (26003, "TriggerTrailingDelta", "mantissa64", Optional, 100),
        peg_offset: I64 = (26004, "PegOffset", "mantissa64", Optional, 100),
    }
}

block! {
    /// Behind the block of an order in a list.
    LegExtension {
        expire_time: I64 = (126, "ExpireTime", "utcTimestampUs", Optional, 100),
        min_qty: I64 = (110, "MinQty", "mantissa64", Optional, 100),
        trigger_trailing_delta: I64 = (26003, "TriggerTrailingDelta", "mantissa64", Optional, 100),
    }
}

block! {
    /// Behind the block of what the exchange tells: the number of this output, by which a client resumes.
    OutputExtension {
        shard: u8 = (26005, "Shard", "uint8", Optional, 100),
        index: U64 = (26006, "Index", "uint64", Optional, 100),
        event_number: U32 = (26007, "EventNumber", "uint32", Optional, 100),
        time: U64 = (26008, "EngineTime", "uint64", Optional, 100),
        client_sequence: U64 = (26001, "ClientSequence", "uint64", Optional, 100),
        account: U32 = (26015, "AccountID", "uint32", Optional, 100),
        poss_resend: Code = (97, "PossResend", "boolEnum", Optional, 100),
    }
}

block! {
    /// Behind the block of a logon.
    LogonExtension {
        cancel_on_disconnect: Code = (26009, "CancelOnDisconnect", "boolEnum", Optional, 100),
        raw_records: Code = (26010, "RawRecords", "boolEnum", Optional, 100),
        resume_shard: u8 = (26011, "ResumeShard", "uint8", Optional, 100),
        resume_index: U64 = (26012, "ResumeIndex", "uint64", Optional, 100),
        resume_event_number: U32 = (26013, "ResumeEventNumber", "uint32", Optional, 100),
    }
}

block! {
    /// Behind the block of the answer to a logon.
    LogonAckExtension {
        session: U32 = (26014, "SessionID", "uint32", Optional, 100),
        account: U32 = (26015, "AccountID", "uint32", Optional, 100),
        last_client_sequence: U64 = (26016, "LastClientSequence", "uint64", Optional, 100),
        resume_shard: u8 = (26011, "ResumeShard", "uint8", Optional, 100),
        resume_index: U64 = (26012, "ResumeIndex", "uint64", Optional, 100),
        resume_event_number: U32 = (26013, "ResumeEventNumber", "uint32", Optional, 100),
    }
}

block! {
    /// Behind the block of a session reject.
    RejectExtension {
        client_sequence: U64 = (26001, "ClientSequence", "uint64", Optional, 100),
        retry_after: U64 = (26017, "RetryAfter", "uint64", Optional, 100),
    }
}

block! {
    /// Behind the block of a logout: which client sequence was expected, when a gap ended the session.
    LogoutExtension {
        expected_client_sequence: U64 = (26018, "ExpectedClientSequence", "uint64", Optional, 100),
    }
}

block! {
    /// Says that its sender is there; answers a test request with the same id. Template 20001.
    Heartbeat {
    }
}
template!(Heartbeat, 20001, NoExtension, groups: [], data: [data(112, "TestReqID", "optionalVarString8")]);

block! {
    /// Asks for a heartbeat with this id. Template 20002.
    TestRequest {
    }
}
template!(TestRequest, 20002, NoExtension, groups: [], data: [data(112, "TestReqID", "varString8")]);

block! {
    /// A message that was read but could not be taken. Template 20003.
    Reject {
        ref_seq_num: U32 = (45, "RefSeqNum", "uint32", Optional, 0),
        ref_tag_id: U32 = (371, "RefTagID", "uint32", Optional, 0),
        session_reject_reason: Code = (373, "SessionRejectReason", "sessionRejectReason", Optional, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Optional, 0),
    }
}
template!(Reject, 20003, RejectExtension, groups: [], data: [
    data(372, "RefMsgType", "optionalVarString8"),
    data(58, "Text", "optionalVarString"),
]);

block! {
    /// The session ends. Template 20004.
    Logout {
    }
}
template!(Logout, 20004, LogoutExtension, groups: [], data: [data(58, "Text", "optionalVarString")]);

block! {
    /// The same in short. Template 198.
    ExecutionReportAck {
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        list_id: I64 = (66, "ListID", "ordListId", Optional, 0),
        transact_time: I64 = (60, "TransactTime", "utcTimestampUs", Optional, 0),
        exec_type: Char = (150, "ExecType", "execType", Required, 0),
        ord_status: Char = (39, "OrdStatus", "ordStatus", Required, 0),
        ord_rej_reason: Code = (103, "OrdRejReason", "ordRejReason", Optional, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Optional, 0),
    }
}
template!(ExecutionReportAck, 198, OutputExtension, groups: [], data: [
    data(11, "ClOrdID", "optionalVarString8"),
    data(55, "Symbol", "varString8"),
    data(58, "ErrorText", "optionalVarString"),
]);

block! {
    /// An entry of group 136, MiscFees.
    MiscFeeEntry {
        exponent: i8 = (25053, "Exponent", "exponent8", Required, 0),
        misc_fee_amt: I64 = (137, "MiscFeeAmt", "mantissa64", Required, 0),
        misc_fee_type: Code = (139, "MiscFeeType", "miscFeeType", Required, 0),
    }
}

block! {
    /// What happened to an order. Template 98.
    ExecutionReport {
        price_exponent: i8 = (25054, "PriceExponent", "exponent8", Required, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        exec_id: I64 = (17, "ExecID", "executionId", Optional, 0),
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        order_qty: I64 = (38, "OrderQty", "mantissa64", Optional, 0),
        ord_type: Char = (40, "OrdType", "ordType", Required, 0),
        side: Char = (54, "Side", "side", Required, 0),
        exec_inst: Char = (18, "ExecInst", "execInst", Optional, 0),
        price: I64 = (44, "Price", "mantissa64", Optional, 0),
        trigger_type: Char = (1100, "TriggerType", "triggerType", Optional, 0),
        trigger_action: Char = (1101, "TriggerAction", "triggerAction", Optional, 0),
        trigger_price: I64 = (1102, "TriggerPrice", "mantissa64", Optional, 0),
        trigger_price_type: Char = (1107, "TriggerPriceType", "triggerPriceType", Optional, 0),
        trigger_price_direction: Char = (1109, "TriggerPriceDirection", "triggerPriceDirection", Optional, 0),
        trigger_trailing_delta_bips: U64 = (25009, "TriggerTrailingDeltaBips", "uint64", Optional, 0),
        peg_offset_value: u8 = (211, "PegOffsetValue", "uint8", Optional, 0),
        peg_price_type: Char = (1094, "PegPriceType", "pegPriceType", Optional, 0),
        peg_move_type: Code = (835, "PegMoveType", "pegMoveType", Optional, 0),
        peg_offset_type: Char = (836, "PegOffsetType", "pegOffsetType", Optional, 0),
        pegged_price: I64 = (839, "PeggedPrice", "mantissa64", Optional, 0),
        time_in_force: Char = (59, "TimeInForce", "timeInForce", Optional, 0),
        transact_time: I64 = (60, "TransactTime", "utcTimestampUs", Optional, 0),
        order_creation_time: I64 = (25018, "OrderCreationTime", "utcTimestampUs", Optional, 0),
        max_floor: I64 = (111, "MaxFloor", "mantissa64", Optional, 0),
        list_id: I64 = (66, "ListID", "ordListId", Optional, 0),
        cash_order_qty: I64 = (152, "CashOrderQty", "mantissa64", Optional, 0),
        target_strategy: I32 = (847, "TargetStrategy", "int32", Optional, 0),
        strategy_id: I64 = (7940, "StrategyID", "int64", Optional, 0),
        order_capacity: Char = (528, "OrderCapacity", "orderCapacity", Optional, 0),
        self_trade_prevention_mode: Char = (25001, "SelfTradePreventionMode", "selfTradePreventionMode", Optional, 0),
        exec_type: Char = (150, "ExecType", "execType", Required, 0),
        cum_qty: I64 = (14, "CumQty", "mantissa64", Required, 0),
        leaves_qty: I64 = (151, "LeavesQty", "mantissa64", Optional, 0),
        cum_quote_qty: I64 = (25017, "CumQuoteQty", "mantissa64", Optional, 0),
        aggressor_indicator: Code = (1057, "AggressorIndicator", "boolEnum", Optional, 0),
        trade_id: I64 = (1003, "TradeID", "tradeId", Optional, 0),
        last_px: I64 = (31, "LastPx", "mantissa64", Optional, 0),
        last_qty: I64 = (32, "LastQty", "mantissa64", Required, 0),
        ord_status: Char = (39, "OrdStatus", "ordStatus", Required, 0),
        secondary_order_id: I64 = (198, "SecondaryOrderID", "ordId", Optional, 0),
        secondary_external_account_id: I64 = (25020, "SecondaryExternalAccountID", "int64", Optional, 0),
        alloc_id: I64 = (70, "AllocID", "allocId", Optional, 0),
        match_type: Char = (574, "MatchType", "matchType", Optional, 0),
        working_floor: Code = (25021, "WorkingFloor", "workingFloor", Optional, 0),
        working_indicator: Code = (636, "WorkingIndicator", "boolEnum", Optional, 0),
        working_time: I64 = (25023, "WorkingTime", "utcTimestampUs", Optional, 0),
        trailing_time: I64 = (25022, "TrailingTime", "utcTimestampUs", Optional, 0),
        prevented_match_id: I64 = (25024, "PreventedMatchID", "preventedMatchId", Optional, 0),
        prevented_execution_price: I64 = (25025, "PreventedExecutionPrice", "mantissa64", Optional, 0),
        prevented_execution_qty: I64 = (25026, "PreventedExecutionQty", "mantissa64", Optional, 0),
        trade_group_id: I64 = (25027, "TradeGroupID", "tradeGroupId", Optional, 0),
        counter_order_id: I64 = (25029, "CounterOrderID", "ordId", Optional, 0),
        prevented_qty: I64 = (25030, "PreventedQty", "mantissa64", Optional, 0),
        last_prevented_qty: I64 = (25031, "LastPreventedQty", "mantissa64", Optional, 0),
        sor: Code = (25032, "SOR", "boolEnum", Optional, 0),
        ord_rej_reason: Code = (103, "OrdRejReason", "ordRejReason", Optional, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Optional, 0),
        expiry_reason: Code = (25056, "ExpiryReason", "expiryReason", Optional, 1),
    }
}
template!(ExecutionReport, 98, OutputExtension, groups: [MISC_FEES], data: [
    data(11, "ClOrdID", "optionalVarString8"),
    data(41, "OrigClOrdID", "optionalVarString8"),
    data(55, "Symbol", "varString8"),
    data(25019, "SecondarySymbol", "optionalVarString8"),
    data(25028, "CounterSymbol", "optionalVarString8"),
    data(58, "ErrorText", "optionalVarString"),
]);

block! {
    /// A cancel that was refused. Template 96.
    OrderCancelReject {
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        list_id: I64 = (66, "ListID", "ordListId", Optional, 0),
        cancel_restrictions: Code = (25002, "CancelRestrictions", "cancelRestrictions", Optional, 0),
        cxl_rej_response_to: Char = (434, "CxlRejResponseTo", "cxlRejResponseTo", Required, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Required, 0),
    }
}
template!(OrderCancelReject, 96, OutputExtension, groups: [], data: [
    data(11, "ClOrdID", "varString8"),
    data(41, "OrigClOrdID", "optionalVarString8"),
    data(25015, "OrigClListID", "optionalVarString8"),
    data(55, "Symbol", "varString8"),
    data(58, "ErrorText", "varString"),
]);

block! {
    /// Cancels an order and places another in one step. Template 97.
    OrderCancelRequestAndNewOrderSingle {
        order_cancel_request_and_new_order_single_mode: Code = (25033, "OrderCancelRequestAndNewOrderSingleMode", "orderCancelRequestAndNewOrderSingleMode", Required, 0),
        order_rate_limit_exceeded_mode: Code = (25038, "OrderRateLimitExceededMode", "orderRateLimitExceededMode", Optional, 0),
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        cancel_restrictions: Code = (25002, "CancelRestrictions", "cancelRestrictions", Optional, 0),
        price_exponent: i8 = (25054, "PriceExponent", "exponent8", Required, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        order_qty: I64 = (38, "OrderQty", "mantissa64", Optional, 0),
        ord_type: Char = (40, "OrdType", "ordType", Required, 0),
        exec_inst: Char = (18, "ExecInst", "execInst", Optional, 0),
        price: I64 = (44, "Price", "mantissa64", Optional, 0),
        trigger_type: Char = (1100, "TriggerType", "triggerType", Optional, 0),
        trigger_action: Char = (1101, "TriggerAction", "triggerAction", Optional, 0),
        trigger_price: I64 = (1102, "TriggerPrice", "mantissa64", Optional, 0),
        trigger_price_type: Char = (1107, "TriggerPriceType", "triggerPriceType", Optional, 0),
        trigger_price_direction: Char = (1109, "TriggerPriceDirection", "triggerPriceDirection", Optional, 0),
        trigger_trailing_delta_bips: U64 = (25009, "TriggerTrailingDeltaBips", "uint64", Optional, 0),
        peg_offset_value: u8 = (211, "PegOffsetValue", "uint8", Optional, 0),
        peg_price_type: Char = (1094, "PegPriceType", "pegPriceType", Optional, 0),
        peg_move_type: Code = (835, "PegMoveType", "pegMoveType", Optional, 0),
        peg_offset_type: Char = (836, "PegOffsetType", "pegOffsetType", Optional, 0),
        side: Char = (54, "Side", "side", Required, 0),
        time_in_force: Char = (59, "TimeInForce", "timeInForce", Optional, 0),
        max_floor: I64 = (111, "MaxFloor", "mantissa64", Optional, 0),
        cash_order_qty: I64 = (152, "CashOrderQty", "mantissa64", Optional, 0),
        target_strategy: I32 = (847, "TargetStrategy", "int32", Optional, 0),
        strategy_id: I64 = (7940, "StrategyID", "int64", Optional, 0),
        self_trade_prevention_mode: Char = (25001, "SelfTradePreventionMode", "selfTradePreventionMode", Optional, 0),
    }
}
template!(OrderCancelRequestAndNewOrderSingle, 97, OrderExtension, groups: [], data: [
    data(25034, "CancelClOrdID", "optionalVarString8"),
    data(41, "OrigClOrdID", "optionalVarString8"),
    data(11, "ClOrdID", "varString8"),
    data(55, "Symbol", "varString8"),
]);

block! {
    /// Opens a session. Template 20008.
    Logon {
        encrypt_method: u8 = (98, "EncryptMethod", "uint8", Optional, 0),
        heart_bt_int: U32 = (108, "HeartBtInt", "uint32", Required, 0),
        reset_seq_num_flag: Code = (141, "ResetSeqNumFlag", "boolEnum", Optional, 0),
        message_handling: Code = (25035, "MessageHandling", "messageHandling", Optional, 0),
        response_mode: Code = (25036, "ResponseMode", "responseMode", Optional, 0),
        execution_report_type: Code = (25045, "ExecutionReportType", "executionReportType", Optional, 0),
        drop_copy_flag: Code = (9406, "DropCopyFlag", "boolEnum", Optional, 0),
        recv_window: U32 = (25000, "RecvWindow", "durationUs", Optional, 0),
    }
}
template!(Logon, 20008, LogonExtension, groups: [], data: [
    data(49, "SenderCompId", "varString8"),
    data(56, "TargetCompId", "varString8"),
    data(96, "RawData", "varString"),
    data(553, "Username", "varString"),
]);

block! {
    /// The session is open. Template 20009.
    LogonAck {
        encrypt_method: u8 = (98, "EncryptMethod", "uint8", Optional, 0),
        heart_bt_int: U32 = (108, "HeartBtInt", "uint32", Required, 0),
        sbe_schema_id_version_deprecated: Code = (25052, "SbeSchemaIdVersionDeprecated", "boolEnum", Required, 0),
    }
}
template!(LogonAck, 20009, LogonAckExtension, groups: [], data: [data(25037, "UUID", "varString8")]);

block! {
    /// A new order. Template 99.
    NewOrderSingle {
        price_exponent: i8 = (25054, "PriceExponent", "exponent8", Required, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        order_qty: I64 = (38, "OrderQty", "mantissa64", Optional, 0),
        ord_type: Char = (40, "OrdType", "ordType", Required, 0),
        exec_inst: Char = (18, "ExecInst", "execInst", Optional, 0),
        price: I64 = (44, "Price", "mantissa64", Optional, 0),
        trigger_type: Char = (1100, "TriggerType", "triggerType", Optional, 0),
        trigger_action: Char = (1101, "TriggerAction", "triggerAction", Optional, 0),
        trigger_price: I64 = (1102, "TriggerPrice", "mantissa64", Optional, 0),
        trigger_price_type: Char = (1107, "TriggerPriceType", "triggerPriceType", Optional, 0),
        trigger_price_direction: Char = (1109, "TriggerPriceDirection", "triggerPriceDirection", Optional, 0),
        trigger_trailing_delta_bips: U64 = (25009, "TriggerTrailingDeltaBips", "uint64", Optional, 0),
        peg_offset_value: u8 = (211, "PegOffsetValue", "uint8", Optional, 0),
        peg_price_type: Char = (1094, "PegPriceType", "pegPriceType", Optional, 0),
        peg_move_type: Code = (835, "PegMoveType", "pegMoveType", Optional, 0),
        peg_offset_type: Char = (836, "PegOffsetType", "pegOffsetType", Optional, 0),
        side: Char = (54, "Side", "side", Required, 0),
        time_in_force: Char = (59, "TimeInForce", "timeInForce", Optional, 0),
        max_floor: I64 = (111, "MaxFloor", "mantissa64", Optional, 0),
        cash_order_qty: I64 = (152, "CashOrderQty", "mantissa64", Optional, 0),
        target_strategy: I32 = (847, "TargetStrategy", "int32", Optional, 0),
        strategy_id: I64 = (7940, "StrategyID", "int64", Optional, 0),
        self_trade_prevention_mode: Char = (25001, "SelfTradePreventionMode", "selfTradePreventionMode", Optional, 0),
        sor: Code = (25032, "SOR", "boolEnum", Optional, 0),
    }
}
template!(NewOrderSingle, 99, OrderExtension, groups: [], data: [
    data(11, "ClOrdID", "varString8"),
    data(55, "Symbol", "varString8"),
]);

block! {
    /// An entry of group 25010, ListTriggeringInstructions.
    ListTriggeringInstructionEntry {
        list_trigger_type: Char = (25011, "ListTriggerType", "listTriggerType", Required, 0),
        list_trigger_trigger_index: u8 = (25012, "ListTriggerTriggerIndex", "uint8", Required, 0),
        list_trigger_action: Char = (25013, "ListTriggerAction", "listTriggerAction", Required, 0),
    }
}

block! {
    /// An entry of group 73, Orders.
    NewOrderListOrder {
        price_exponent: i8 = (25054, "PriceExponent", "exponent8", Required, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        order_qty: I64 = (38, "OrderQty", "mantissa64", Optional, 0),
        ord_type: Char = (40, "OrdType", "ordType", Required, 0),
        exec_inst: Char = (18, "ExecInst", "execInst", Optional, 0),
        price: I64 = (44, "Price", "mantissa64", Optional, 0),
        trigger_type: Char = (1100, "TriggerType", "triggerType", Optional, 0),
        trigger_action: Char = (1101, "TriggerAction", "triggerAction", Optional, 0),
        trigger_price: I64 = (1102, "TriggerPrice", "mantissa64", Optional, 0),
        trigger_price_type: Char = (1107, "TriggerPriceType", "triggerPriceType", Optional, 0),
        trigger_price_direction: Char = (1109, "TriggerPriceDirection", "triggerPriceDirection", Optional, 0),
        trigger_trailing_delta_bips: U64 = (25009, "TriggerTrailingDeltaBips", "uint64", Optional, 0),
        peg_offset_value: u8 = (211, "PegOffsetValue", "uint8", Optional, 0),
        peg_price_type: Char = (1094, "PegPriceType", "pegPriceType", Optional, 0),
        peg_move_type: Code = (835, "PegMoveType", "pegMoveType", Optional, 0),
        peg_offset_type: Char = (836, "PegOffsetType", "pegOffsetType", Optional, 0),
        side: Char = (54, "Side", "side", Required, 0),
        time_in_force: Char = (59, "TimeInForce", "timeInForce", Optional, 0),
        max_floor: I64 = (111, "MaxFloor", "mantissa64", Optional, 0),
        cash_order_qty: I64 = (152, "CashOrderQty", "mantissa64", Optional, 0),
        target_strategy: I32 = (847, "TargetStrategy", "int32", Optional, 0),
        strategy_id: I64 = (7940, "StrategyID", "int64", Optional, 0),
        self_trade_prevention_mode: Char = (25001, "SelfTradePreventionMode", "selfTradePreventionMode", Optional, 0),
    }
}

block! {
    /// Orders that depend on each other. Template 100.
    NewOrderList {
        contingency_type: Code = (1385, "ContingencyType", "contingencyType", Required, 0),
        opo: Code = (25046, "OPO", "boolEnum", Optional, 0),
    }
}
template!(NewOrderList, 100, RequestExtension, groups: [NEW_ORDERS], data: [data(25014, "ClListID", "varString8")]);

block! {
    /// Cancels an order or a list. Template 101.
    OrderCancelRequest {
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        list_id: I64 = (66, "ListID", "ordListId", Optional, 0),
        cancel_restrictions: Code = (25002, "CancelRestrictions", "cancelRestrictions", Optional, 0),
    }
}
template!(OrderCancelRequest, 101, RequestExtension, groups: [], data: [
    data(11, "ClOrdID", "varString8"),
    data(41, "OrigClOrdID", "optionalVarString8"),
    data(25015, "OrigClListID", "optionalVarString8"),
    data(55, "Symbol", "varString8"),
]);

block! {
    /// An entry of group 73, Orders.
    ListStatusOrder {
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        ord_rej_reason: Code = (103, "OrdRejReason", "ordRejReason", Optional, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Optional, 0),
    }
}

block! {
    /// What happened to a list. Template 102.
    ListStatus {
        list_id: I64 = (66, "ListID", "ordListId", Optional, 0),
        contingency_type: Code = (1385, "ContingencyType", "contingencyType", Optional, 0),
        list_status_type: Code = (429, "ListStatusType", "listStatusType", Required, 0),
        list_order_status: Code = (431, "ListOrderStatus", "listOrderStatus", Required, 0),
        list_reject_reason: Code = (1386, "ListRejectReason", "listRejectReason", Optional, 0),
        transact_time: I64 = (60, "TransactTime", "utcTimestampUs", Optional, 0),
    }
}
template!(ListStatus, 102, OutputExtension, groups: [LISTED_ORDERS], data: [
    data(25014, "ClListID", "optionalVarString8"),
    data(25015, "OrigClListID", "optionalVarString8"),
]);

block! {
    /// Cancels all orders on an instrument. Template 103.
    OrderMassCancelRequest {
        mass_cancel_request_type: Char = (530, "MassCancelRequestType", "massCancelRequestType", Required, 0),
    }
}
template!(OrderMassCancelRequest, 103, RequestExtension, groups: [], data: [
    data(55, "Symbol", "varString8"),
    data(11, "ClOrdID", "varString8"),
]);

block! {
    /// What became of a mass cancel. Template 104.
    OrderMassCancelReport {
        mass_cancel_request_type: Char = (530, "MassCancelRequestType", "massCancelRequestType", Required, 0),
        mass_cancel_response: Char = (531, "MassCancelResponse", "massCancelResponse", Required, 0),
        mass_cancel_reject_reason: Code = (532, "MassCancelRejectReason", "massCancelRejectReason", Optional, 0),
        total_affected_orders: I64 = (533, "TotalAffectedOrders", "int64", Optional, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Optional, 0),
    }
}
template!(OrderMassCancelReport, 104, OutputExtension, groups: [], data: [
    data(55, "Symbol", "varString8"),
    data(11, "ClOrdID", "varString8"),
    data(58, "ErrorText", "optionalVarString"),
]);

block! {
    /// Lowers the quantity of an order. Template 105.
    OrderAmendKeepPriorityRequest {
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        order_qty: I64 = (38, "OrderQty", "mantissa64", Required, 0),
    }
}
template!(OrderAmendKeepPriorityRequest, 105, AmendExtension, groups: [], data: [
    data(11, "ClOrdID", "varString8"),
    data(41, "OrigClOrdID", "optionalVarString8"),
    data(55, "Symbol", "varString8"),
]);

block! {
    /// An amendment that was refused. Template 106.
    OrderAmendReject {
        order_id: I64 = (37, "OrderID", "ordId", Optional, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        order_qty: I64 = (38, "OrderQty", "mantissa64", Required, 0),
        error_code: I32 = (25016, "ErrorCode", "int32", Required, 0),
    }
}
template!(OrderAmendReject, 106, OutputExtension, groups: [], data: [
    data(11, "ClOrdID", "varString8"),
    data(41, "OrigClOrdID", "optionalVarString8"),
    data(55, "Symbol", "varString8"),
    data(58, "ErrorText", "varString"),
]);

block! {
    /// Asks for the limits of the session. Template 120.
    LimitQuery {
    }
}
template!(LimitQuery, 120, NoExtension, groups: [], data: [data(6136, "ReqID", "varString8")]);

block! {
    /// An entry of group 25003, LimitIndicators.
    LimitIndicatorEntry {
        limit_type: Char = (25004, "LimitType", "limitType", Required, 0),
        limit_count: U64 = (25005, "LimitCount", "uint64", Required, 0),
        limit_max: U64 = (25006, "LimitMax", "uint64", Required, 0),
        limit_reset_interval: U32 = (25007, "LimitResetInterval", "uint32", Optional, 0),
        limit_reset_interval_resolution: Char = (25008, "LimitResetIntervalResolution", "limitResetIntervalResolution", Optional, 0),
    }
}

block! {
    /// The limits of the session. Template 121.
    LimitResponse {
    }
}
template!(LimitResponse, 121, NoExtension, groups: [LIMIT_INDICATORS], data: [data(6136, "ReqID", "varString8")]);

block! {
    /// Asks for instruments. Template 200.
    InstrumentListRequest {
        instrument_list_request_type: Code = (559, "InstrumentListRequestType", "instrumentListRequestType", Required, 0),
    }
}
template!(InstrumentListRequest, 200, NoExtension, groups: [], data: [
    data(320, "InstrumentReqID", "varString8"),
    data(55, "Symbol", "optionalVarString8"),
]);

block! {
    /// An entry of group 146, RelatedSym.
    InstrumentEntry {
        price_exponent: i8 = (25054, "PriceExponent", "exponent8", Required, 0),
        qty_exponent: i8 = (25055, "QtyExponent", "exponent8", Required, 0),
        min_trade_vol: I64 = (562, "MinTradeVol", "mantissa64", Optional, 0),
        max_trade_vol: I64 = (1140, "MaxTradeVol", "mantissa64", Optional, 0),
        min_qty_increment: I64 = (25039, "MinQtyIncrement", "mantissa64", Optional, 0),
        market_min_trade_vol: I64 = (25040, "MarketMinTradeVol", "mantissa64", Optional, 0),
        market_max_trade_vol: I64 = (25041, "MarketMaxTradeVol", "mantissa64", Optional, 0),
        market_min_qty_increment: I64 = (25042, "MarketMinQtyIncrement", "mantissa64", Optional, 0),
        start_price_range: I64 = (2551, "StartPriceRange", "mantissa64", Optional, 0),
        end_price_range: I64 = (2552, "EndPriceRange", "mantissa64", Optional, 0),
        min_price_increment: I64 = (969, "MinPriceIncrement", "mantissa64", Optional, 0),
    }
}

block! {
    /// Behind the block of an instrument in a list: how events and records name it, and its state, as the code of
    /// `tradewright_types::InstrumentState`.
    InstrumentEntryExtension {
        instrument: U32 = (26020, "InstrumentID", "uint32", Optional, 100),
        state: u8 = (26021, "InstrumentState", "uint8", Optional, 100),
    }
}

block! {
    /// Instruments. Template 201.
    InstrumentList {
    }
}
template!(InstrumentList, 201, NoExtension, groups: [RELATED_SYMBOLS], data: [data(320, "InstrumentReqID", "varString8")]);

block! {
    /// Something that every session should know. Template 20100.
    News {
    }
}
template!(News, 20100, NoExtension, groups: [], data: [data(148, "Headline", "varString")]);

block! {
    /// An event as the engine wrote it, for sessions that send records. Template 21001.
    RawEvent {
        event: EventBytes = (26019, "Event", "eventRecord", Required, 100),
    }
}
template!(RawEvent, 21001, NoExtension, groups: [], data: []);

block! {
    /// Asks how the account of the session stands: its balances and open orders. Template 21002.
    AccountQuery {
    }
}
template!(AccountQuery, 21002, NoExtension, groups: [], data: [data(6136, "ReqID", "varString8")]);

block! {
    /// An entry of group 26022, Balances. Amounts are decimal numbers as text: an amount may have 128 bits.
    BalanceEntry {
        asset: U32 = (26023, "AssetID", "uint32", Required, 0),
    }
}

block! {
    /// How an account stood behind a command. As many reports of kind `OrderStatus` as it has open orders follow the last of these.
    /// Template 21003.
    AccountSnapshot {
        shard: u8 = (26005, "Shard", "uint8", Required, 0),
        index: U64 = (26006, "Index", "uint64", Required, 0),
        time: U64 = (26008, "EngineTime", "uint64", Required, 0),
        account: U32 = (26015, "AccountID", "uint32", Required, 0),
        open_orders: U32 = (911, "TotNumReports", "uint32", Required, 0),
        last_fragment: Code = (893, "LastFragment", "boolEnum", Required, 0),
    }
}
template!(AccountSnapshot, 21003, NoExtension, groups: [BALANCES], data: [data(6136, "ReqID", "varString8")]);

/// Text behind the blocks.
const fn data(tag: u32, name: &'static str, wire: &'static str) -> DataSpec {
    DataSpec { tag, name, wire }
}

const MISC_FEES: GroupSpec = GroupSpec {
    tag: 136,
    name: "MiscFees",
    dimension: "smallGroupSize16Encoding",
    block_length: size_of::<MiscFeeEntry>(),
    fields: MiscFeeEntry::FIELDS,
    extension: &[],
    groups: &[],
    data: &[data(138, "MiscFeeCurr", "varString8")],
};

const LIST_TRIGGERING_INSTRUCTIONS: GroupSpec = GroupSpec {
    tag: 25010,
    name: "ListTriggeringInstructions",
    dimension: "smallGroupSize8Encoding",
    block_length: size_of::<ListTriggeringInstructionEntry>(),
    fields: ListTriggeringInstructionEntry::FIELDS,
    extension: &[],
    groups: &[],
    data: &[],
};

const NEW_ORDERS: GroupSpec = GroupSpec {
    tag: 73,
    name: "Orders",
    dimension: "groupSize8Encoding",
    block_length: size_of::<NewOrderListOrder>(),
    fields: NewOrderListOrder::FIELDS,
    extension: LegExtension::FIELDS,
    groups: &[LIST_TRIGGERING_INSTRUCTIONS],
    data: &[data(11, "ClOrdID", "varString8"), data(55, "Symbol", "varString8")],
};

const LISTED_ORDERS: GroupSpec = GroupSpec {
    tag: 73,
    name: "Orders",
    dimension: "smallGroupSize8Encoding",
    block_length: size_of::<ListStatusOrder>(),
    fields: ListStatusOrder::FIELDS,
    extension: &[],
    groups: &[LIST_TRIGGERING_INSTRUCTIONS],
    data: &[
        data(11, "ClOrdID", "varString8"),
        data(55, "Symbol", "varString8"),
        data(58, "ErrorText", "optionalVarString"),
    ],
};

const LIMIT_INDICATORS: GroupSpec = GroupSpec {
    tag: 25003,
    name: "LimitIndicators",
    dimension: "smallGroupSize8Encoding",
    block_length: size_of::<LimitIndicatorEntry>(),
    fields: LimitIndicatorEntry::FIELDS,
    extension: &[],
    groups: &[],
    data: &[],
};

const RELATED_SYMBOLS: GroupSpec = GroupSpec {
    tag: 146,
    name: "RelatedSym",
    dimension: "groupSize16Encoding",
    block_length: size_of::<InstrumentEntry>(),
    fields: InstrumentEntry::FIELDS,
    extension: InstrumentEntryExtension::FIELDS,
    groups: &[],
    data: &[data(55, "Symbol", "varString8"), data(15, "Currency", "varString8")],
};

const BALANCES: GroupSpec = GroupSpec {
    tag: 26022,
    name: "Balances",
    dimension: "groupSize16Encoding",
    block_length: size_of::<BalanceEntry>(),
    fields: BalanceEntry::FIELDS,
    extension: &[],
    groups: &[],
    data: &[
        data(15, "Currency", "varString8"),
        data(26024, "Available", "varString8"),
        data(26025, "Held", "varString8"),
    ],
};

/// Every message of the schema, by the order of this file.
pub const MESSAGES: &[&MessageSpec] = &[
    &Heartbeat::SPEC,
    &TestRequest::SPEC,
    &Reject::SPEC,
    &Logout::SPEC,
    &ExecutionReportAck::SPEC,
    &ExecutionReport::SPEC,
    &OrderCancelReject::SPEC,
    &OrderCancelRequestAndNewOrderSingle::SPEC,
    &Logon::SPEC,
    &LogonAck::SPEC,
    &NewOrderSingle::SPEC,
    &NewOrderList::SPEC,
    &OrderCancelRequest::SPEC,
    &ListStatus::SPEC,
    &OrderMassCancelRequest::SPEC,
    &OrderMassCancelReport::SPEC,
    &OrderAmendKeepPriorityRequest::SPEC,
    &OrderAmendReject::SPEC,
    &LimitQuery::SPEC,
    &LimitResponse::SPEC,
    &InstrumentListRequest::SPEC,
    &InstrumentList::SPEC,
    &News::SPEC,
    &RawEvent::SPEC,
    &AccountQuery::SPEC,
    &AccountSnapshot::SPEC,
];
