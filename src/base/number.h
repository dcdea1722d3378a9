/* number - decimal numbers from outside, and sums that do not wrap. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/bytes.h"

/* The leading decimal digits of *rest, which is moved behind them. False where
 * there is none. A number above UINT64_MAX counts as UINT64_MAX. */
bool number_take(struct view *rest, uint64_t *n);

/* v as a whole: digits alone, at least one, without a leading zero before
 * another digit, and at most max. */
bool number_exact(struct view v, uint64_t max, uint64_t *n);

/* Sum and product, or UINT64_MAX where they do not fit. */
uint64_t number_sum(uint64_t a, uint64_t b);
uint64_t number_product(uint64_t a, uint64_t b);

/* The largest integer whose square is at most n. */
uint64_t number_root(uint64_t n);

#endif
