/** The smallest value that `share` of all are not above: 0.5 for the median, 0.99 for the 99th percentile. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** As tables have them: median / worst. Empty where there is nothing. */
export function medianAndWorst(numbers: readonly number[]): string {
  return numbers.length === 0 ? '' : `${median(numbers).toFixed(1)} / ${Math.max(...numbers).toFixed(1)}`;
}

/** The longest time, in seconds, in which nothing happened. @param times in order, and the bounds, in milliseconds since the epoch */
export function largestGap(times: readonly number[], since: number, until: number): number {
  const bounded = [since, ...times.filter((at) => at >= since && at <= until), until];
  return Math.max(...bounded.slice(1).map((at, index) => at - (bounded[index] ?? at))) / 1000;
}
