//! The nouns of the exchange.
