// Drives exchange-core over a file of operations: `java Peer book|full FILE`.
//
// book: its order book alone. full: RiskEngine.preProcessCommand, MatchingEngineRouter.processOrder and
// RiskEngine.handlerRiskRelease on one thread: the three stages of its pipeline without the hand-offs between them, for a
// thousand users with balances, and a fee of one for each lot on both sides.

import exchange.core2.collections.objpool.ObjectsPool;
import exchange.core2.core.common.CoreSymbolSpecification;
import exchange.core2.core.common.MatcherEventType;
import exchange.core2.core.common.MatcherTradeEvent;
import exchange.core2.core.common.OrderAction;
import exchange.core2.core.common.OrderType;
import exchange.core2.core.common.SymbolType;
import exchange.core2.core.common.api.binary.BatchAddSymbolsCommand;
import exchange.core2.core.common.cmd.CommandResultCode;
import exchange.core2.core.common.cmd.OrderCommand;
import exchange.core2.core.common.cmd.OrderCommandType;
import exchange.core2.core.common.config.ExchangeConfiguration;
import exchange.core2.core.common.config.InitialStateConfiguration;
import exchange.core2.core.common.config.LoggingConfiguration;
import exchange.core2.core.orderbook.IOrderBook;
import exchange.core2.core.orderbook.OrderBookDirectImpl;
import exchange.core2.core.orderbook.OrderBookEventsHelper;
import exchange.core2.core.processors.MatchingEngineRouter;
import exchange.core2.core.processors.RiskEngine;
import exchange.core2.core.processors.SharedPool;
import exchange.core2.core.processors.journaling.DummySerializationProcessor;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Paths;

public class Peer {
  static final int CANCEL = 1, IMMEDIATE = 2, PREFILL = 5_000, TIMED = 1_000_000, USERS = 1_000;
  /** The first passes make the compiler warm. */
  static final int PASSES = 4;

  interface Engine {
    void apply(OrderCommand command);
  }

  public static void main(String[] arguments) throws Exception {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(Paths.get(arguments[1]))).order(ByteOrder.LITTLE_ENDIAN);
    int count = bytes.capacity() / 24;
    byte[] kinds = new byte[count], sides = new byte[count];
    int[] quantities = new int[count];
    long[] prices = new long[count], ids = new long[count];
    for (int i = 0; i < count; i++) {
      kinds[i] = bytes.get(i * 24);
      sides[i] = bytes.get(i * 24 + 1);
      quantities[i] = bytes.getInt(i * 24 + 4);
      prices[i] = bytes.getLong(i * 24 + 8);
      ids[i] = bytes.getLong(i * 24 + 16);
    }
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    double best = Double.MAX_VALUE;
    long fills = 0, quantity = 0, notional = 0;
    int timedFrom = Math.max(PREFILL, count - TIMED);
    for (int pass = 0; pass < PASSES; pass++) {
      Engine engine = arguments[0].equals("book") ? book() : full();
      OrderCommand command = new OrderCommand();
      long before = 0;
      fills = quantity = notional = 0;
      for (int i = 0; i < count; i++) {
        if (i == timedFrom) before = threads.getCurrentThreadCpuTime();
        if (i == PREFILL) fills = quantity = notional = 0;
        command.orderId = ids[i];
        command.uid = ids[i] % USERS;
        command.symbol = 1;
        command.matcherEvent = null;
        if (kinds[i] == CANCEL) {
          command.command = OrderCommandType.CANCEL_ORDER;
        } else {
          command.command = OrderCommandType.PLACE_ORDER;
          command.price = command.reserveBidPrice = prices[i];
          command.size = quantities[i];
          command.action = sides[i] == 0 ? OrderAction.BID : OrderAction.ASK;
          command.orderType = kinds[i] == IMMEDIATE ? OrderType.IOC : OrderType.GTC;
        }
        engine.apply(command);
        for (MatcherTradeEvent event = command.matcherEvent; event != null; event = event.nextEvent) {
          if (event.eventType == MatcherEventType.TRADE) {
            fills++;
            quantity += event.size;
            notional += event.price * event.size;
          }
        }
      }
      best = Math.min(best, (threads.getCurrentThreadCpuTime() - before) / (double) (count - timedFrom));
    }
    System.out.printf("exchange-core-%s %.1f %d %d %d%n", arguments[0], best, fills, quantity, notional);
  }

  static CoreSymbolSpecification symbol(long fee) {
    return CoreSymbolSpecification.builder().symbolId(1).type(SymbolType.CURRENCY_EXCHANGE_PAIR).baseCurrency(1)
        .quoteCurrency(2).baseScaleK(1).quoteScaleK(1).takerFee(fee).makerFee(fee).build();
  }

  static Engine book() {
    IOrderBook book = new OrderBookDirectImpl(symbol(0), ObjectsPool.createDefaultTestPool(),
        OrderBookEventsHelper.NON_POOLED_EVENTS_HELPER, LoggingConfiguration.DEFAULT);
    return command -> {
      command.resultCode = CommandResultCode.VALID_FOR_MATCHING_ENGINE;
      if (command.command != OrderCommandType.CANCEL_ORDER) {
        book.newOrder(command);
      } else if (book.cancelOrder(command) != CommandResultCode.SUCCESS) {
        throw new IllegalStateException("cancel of " + command.orderId);
      }
    };
  }

  static Engine full() throws Exception {
    ExchangeConfiguration configuration =
        ExchangeConfiguration.defaultBuilder().initStateCfg(InitialStateConfiguration.CLEAN_TEST).build();
    SharedPool pool = new SharedPool(64, 16, 1024);
    DummySerializationProcessor disk = DummySerializationProcessor.INSTANCE;
    RiskEngine risk = new RiskEngine(0, 1, disk, pool, configuration);
    MatchingEngineRouter matching = new MatchingEngineRouter(0, 1, disk, OrderBookDirectImpl::new, pool, configuration);
    BatchAddSymbolsCommand symbols = new BatchAddSymbolsCommand(symbol(1));
    tell(risk, symbols);
    tell(matching, symbols);
    long[] sequence = {0};
    OrderCommand command = new OrderCommand();
    for (int user = 0; user < USERS; user++) {
      command.uid = user;
      command.command = OrderCommandType.ADD_USER;
      command.resultCode = CommandResultCode.NEW;
      risk.preProcessCommand(++sequence[0], command);
      for (int currency = 1; currency <= 2; currency++) {
        command.command = OrderCommandType.BALANCE_ADJUSTMENT;
        command.orderId = 1 + user * 4L + currency;
        command.symbol = currency;
        command.price = 1L << 50;
        command.orderType = OrderType.GTC;
        command.resultCode = CommandResultCode.NEW;
        risk.preProcessCommand(++sequence[0], command);
        expect(command, CommandResultCode.SUCCESS);
      }
    }
    return order -> {
      order.resultCode = CommandResultCode.NEW;
      risk.preProcessCommand(++sequence[0], order);
      if (order.command != OrderCommandType.CANCEL_ORDER) expect(order, CommandResultCode.VALID_FOR_MATCHING_ENGINE);
      matching.processOrder(sequence[0], order);
      risk.handlerRiskRelease(sequence[0], order);
      expect(order, CommandResultCode.SUCCESS);
    };
  }

  static void expect(OrderCommand command, CommandResultCode wanted) {
    if (command.resultCode != wanted) throw new IllegalStateException(command.command + ": " + command.resultCode);
  }

  /** What adds symbols is not public. */
  static void tell(Object stage, Object message) throws Exception {
    for (Method method : stage.getClass().getDeclaredMethods()) {
      if (method.getName().equals("handleBinaryMessage")) {
        method.setAccessible(true);
        method.invoke(stage, message);
      }
    }
  }
}
