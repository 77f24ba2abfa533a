//! The enumerations of the order-entry schema. What version 100 adds is marked by it.

use crate::spec::codes;

codes! {
    BoolEnum: Code = ("boolEnum", "uint8") {
        False = 0;
        True = 1;
    }

    CancelRestrictions: Code = ("cancelRestrictions", "uint8") {
        OnlyNew = 1;
        OnlyPartiallyFilled = 2;
        NonRepresentable = 254;
    }

    ContingencyType: Code = ("contingencyType", "uint8") {
        OneCancelsTheOther = 1;
        OneTriggersTheOther = 2;
        NonRepresentable = 254;
    }

    CxlRejResponseTo: Char = ("cxlRejResponseTo", "char") {
        OrderCancelRequest = b'1';
        NonRepresentable = b'~';
    }

    ExecInst: Char = ("execInst", "char") {
        ParticipateDontInitiate = b'6';
        NonRepresentable = b'~';
    }

    ExecutionReportType: Code = ("executionReportType", "uint8") {
        Full = 1;
        Mini = 2;
        NonRepresentable = 254;
    }

    ExecType: Char = ("execType", "char") {
        New = b'0';
        Canceled = b'4';
        Replaced = b'5';
        Rejected = b'8';
        Trade = b'F';
        Expired = b'C';
        NonRepresentable = b'~';
        OrderStatus = b'I', 100;
    }

    ExpiryReason: Code = ("expiryReason", "uint8") {
        Rejected = 1;
        ExchangeCanceled = 2;
        OcoTrigger = 3;
        OtoPhaseOneExpired = 4;
        UnfilledIocQuantityExpired = 5;
        UnfilledFokOrderExpired = 6;
        InsufficientLiquidity = 7;
        ExecutionRulePriceRangeExceeded = 8;
        NonRepresentable = 254;
    }

    InstrumentListRequestType: Code = ("instrumentListRequestType", "uint8") {
        SingleInstrument = 0;
        AllInstruments = 4;
        NonRepresentable = 254;
    }

    LimitResetIntervalResolution: Char = ("limitResetIntervalResolution", "char") {
        Second = b's';
        Minute = b'm';
        Hour = b'h';
        Day = b'd';
        NonRepresentable = b'~';
    }

    LimitType: Char = ("limitType", "char") {
        OrderLimit = b'1';
        MessageLimit = b'2';
        SubscriptionLimit = b'3';
        NonRepresentable = b'~';
    }

    ListOrderStatus: Code = ("listOrderStatus", "uint8") {
        Executing = 3;
        AllDone = 6;
        Reject = 7;
        NonRepresentable = 254;
    }

    ListRejectReason: Code = ("listRejectReason", "uint8") {
        Other = 99;
        NonRepresentable = 254;
    }

    ListStatusType: Code = ("listStatusType", "uint8") {
        Response = 2;
        ExecStarted = 4;
        AllDone = 5;
        Updated = 100;
        NonRepresentable = 254;
    }

    ListTriggerAction: Char = ("listTriggerAction", "char") {
        Release = b'1';
        Cancel = b'2';
        NonRepresentable = b'~';
    }

    ListTriggerType: Char = ("listTriggerType", "char") {
        Activated = b'1';
        PartiallyFilled = b'2';
        Filled = b'3';
        NonRepresentable = b'~';
    }

    MassCancelRejectReason: Code = ("massCancelRejectReason", "uint8") {
        Other = 99;
        NonRepresentable = 254;
    }

    MassCancelRequestType: Char = ("massCancelRequestType", "char") {
        CancelSymbolOrders = b'1';
        NonRepresentable = b'~';
    }

    MassCancelResponse: Char = ("massCancelResponse", "char") {
        CancelRequestRejected = b'0';
        CancelSymbolOrders = b'1';
        NonRepresentable = b'~';
    }

    MatchType: Char = ("matchType", "char") {
        OnePartyTradeReport = b'1';
        AutoMatch = b'4';
        NonRepresentable = b'~';
    }

    MessageHandling: Code = ("messageHandling", "uint8") {
        Unordered = 1;
        Sequential = 2;
        NonRepresentable = 254;
    }

    MiscFeeType: Code = ("miscFeeType", "uint8") {
        ExchangeFees = 4;
        NonRepresentable = 254;
    }

    OrderCapacity: Char = ("orderCapacity", "char") {
        Agency = b'A';
        Principal = b'P';
        NonRepresentable = b'~';
    }

    OrdRejReason: Code = ("ordRejReason", "uint8") {
        Other = 99;
        NonRepresentable = 254;
    }

    OrdStatus: Char = ("ordStatus", "char") {
        New = b'0';
        PartiallyFilled = b'1';
        Filled = b'2';
        Canceled = b'4';
        PendingCancel = b'6';
        Rejected = b'8';
        PendingNew = b'A';
        Expired = b'C';
        NonRepresentable = b'~';
    }

    OrdType: Char = ("ordType", "char") {
        Market = b'1';
        Limit = b'2';
        Stop = b'3';
        StopLimit = b'4';
        Pegged = b'P';
        NonRepresentable = b'~';
    }

    OrderCancelRequestAndNewOrderSingleMode: Code = ("orderCancelRequestAndNewOrderSingleMode", "uint8") {
        StopOnFailure = 1;
        AllowFailure = 2;
        NonRepresentable = 254;
    }

    OrderRateLimitExceededMode: Code = ("orderRateLimitExceededMode", "uint8") {
        DoNothing = 1;
        CancelOnly = 2;
        NonRepresentable = 254;
    }

    PegMoveType: Code = ("pegMoveType", "uint8") {
        Fixed = 1;
        NonRepresentable = 254;
        Following = 2, 100;
    }

    PegOffsetType: Char = ("pegOffsetType", "char") {
        PriceTier = b'3';
        NonRepresentable = b'~';
        Price = b'0', 100;
    }

    PegPriceType: Char = ("pegPriceType", "char") {
        MarketPeg = b'4';
        PrimaryPeg = b'5';
        NonRepresentable = b'~';
        MidPrice = b'2', 100;
    }

    ResponseMode: Code = ("responseMode", "uint8") {
        Everything = 1;
        OnlyAcks = 2;
        NonRepresentable = 254;
    }

    SelfTradePreventionMode: Char = ("selfTradePreventionMode", "char") {
        None = b'1';
        ExpireTaker = b'2';
        ExpireMaker = b'3';
        ExpireBoth = b'4';
        Decrement = b'5';
        Transfer = b'6';
        NonRepresentable = b'~';
    }

    SessionRejectReason: Code = ("sessionRejectReason", "uint8") {
        InvalidTagNumber = 0;
        RequiredTagMissing = 1;
        TagNotDefinedForThisMessageType = 2;
        UndefinedTag = 3;
        ValueIsIncorrect = 5;
        IncorrectDataFormatForValue = 6;
        SignatureProblem = 8;
        SendingTimeAccuracyProblem = 10;
        TagAppearsMoreThanOnce = 13;
        TagSpecifiedOutOfRequiredOrder = 14;
        RepeatingGroupFieldsOutOfOrder = 15;
        IncorrectNumInGroupCountForRepeatingGroup = 16;
        Other = 99;
        NonRepresentable = 254;
    }

    Side: Char = ("side", "char") {
        Buy = b'1';
        Sell = b'2';
        NonRepresentable = b'~';
    }

    TimeInForce: Char = ("timeInForce", "char") {
        GoodTillCancel = b'1';
        ImmediateOrCancel = b'3';
        FillOrKill = b'4';
        NonRepresentable = b'~';
        Day = b'0', 100;
        AtTheOpening = b'2', 100;
        GoodTillDate = b'6', 100;
        AtTheClose = b'7', 100;
        GoodForAuction = b'B', 100;
    }

    TriggerAction: Char = ("triggerAction", "char") {
        Activate = b'1';
        NonRepresentable = b'~';
    }

    TriggerPriceDirection: Char = ("triggerPriceDirection", "char") {
        Up = b'U';
        Down = b'D';
        NonRepresentable = b'~';
    }

    TriggerPriceType: Char = ("triggerPriceType", "char") {
        LastTrade = b'2';
        NonRepresentable = b'~';
        MarkPrice = b'M', 100;
        IndexPrice = b'I', 100;
    }

    TriggerType: Char = ("triggerType", "char") {
        PriceMovement = b'4';
        NonRepresentable = b'~';
    }

    WorkingFloor: Code = ("workingFloor", "uint8") {
        Exchange = 1;
        Broker = 2;
        Sor = 3;
        NonRepresentable = 254;
    }
    DisplayMethod: Code = ("displayMethod", "uint8") {
        Undisclosed = 4, 100;
    }
}
