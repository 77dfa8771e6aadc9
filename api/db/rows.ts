/** The row of a statement that returns exactly one. */
export function onlyRow<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error(`a statement that returns one row returned ${rows.length}`);
  return row;
}
