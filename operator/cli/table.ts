/** Columns of text, each as wide as it must be; the last one is not padded. */
export function table(rows: readonly (readonly string[])[], indent = 0): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return rows.map((row) => `${' '.repeat(indent)}${line(row)}`.trimEnd()).join('\n');
}

/** `45s`, `12m`, `3h`, `5d`: enough to see whether it is new. */
export function duration(seconds: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
  ];
  const whole = Math.max(0, Math.floor(seconds));
  for (const [size, unit] of steps) if (whole >= 2 * size) return `${Math.floor(whole / size)}${unit}`;
  return `${whole}s`;
}
