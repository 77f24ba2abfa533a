//! Every design under the same suite: the ladder that figures are divided by, and the designs that lost.

use tradewright_sim::{BTreeBook, Ladder, NaiveBook, PagedBook, RbTreeBook, SkipListBook, book_suite};

book_suite!(paged, PagedBook);
book_suite!(ladder, Ladder);
book_suite!(btree, BTreeBook);
book_suite!(rbtree, RbTreeBook);
book_suite!(skiplist, SkipListBook);
// The judge is too slow for golden runs; its rules are tested all the same.
book_suite!(behaviour_only naive, NaiveBook);
