/** Rows of text as columns, of which all but the first stand to the right; the first row is the heading. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
  return `${[lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n')}\n`;
}

/** `12345.6` -> `12,346` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** With one decimal below ten. */
export function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(1) : count(value);
}
